"""Gradients on this machine's GPU against a loop in fp64 under torch's autograd, and times; needs torch and what
write_gradients.py has written.

    python3 FOLDER/gradient_check.py FOLDER [--cases scalar,row] [--tokens 2048] [--times 4096,16384,65536] [--kernels]

For each case a table of errors, by gradient: of the worst token and head relative to the head's root mean square, and of
the whole tensor. Then times of the forward pass, of the gradients and of both, by graph replay; `--kernels` adds those of
each kernel, by torch's profiler. The last line is `N passed, N failed`.
"""

import argparse
import ctypes
import statistics
import sys
from pathlib import Path

import torch

from launch_check import Kernel, Runtime

HEADS, SIZE = 28, 128
# Of bf16 operands: the worst token and head, and the whole tensor. What is one number a token may be near zero beside
# the others; a decay's gradient is a sum over a state of products that were rounded.
WORST, WHOLE = 2e-2, 5e-3
WORST_OF_NUMBERS, WHOLE_OF_DECAYS = 6e-2, 1e-2


class LaunchOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("threads", ctypes.c_int32),
        ("stream", ctypes.c_void_p),
        ("workspace", ctypes.c_void_p),
        ("workspace_bytes", ctypes.c_int64),
    ]


class Call:
    """A kernel on given inputs, with its results and workspace; runs on torch's current stream."""

    def __init__(self, kernel: Kernel, inputs: dict[str, torch.Tensor]):
        self.kernel = kernel
        first = next(iter(inputs.values()))
        sizes = {"B": first.shape[0], "N": first.shape[1]}
        self.inputs = [inputs[name] for name, _, _ in kernel.inputs]
        self.results = {
            name: torch.full([sizes.get(e, e) for e in shape], float("nan"), dtype=dtype, device=first.device)
            for name, dtype, shape in kernel.results
        }
        need = ctypes.c_int64()
        tokens, batch = ctypes.c_int64(sizes["N"]), ctypes.c_int64(sizes["B"])
        kernel.runtime.call(
            "linmu_kernel_workspace_bytes",
            kernel.handle,
            tokens,
            batch,
            ctypes.c_int64(0),
            ctypes.byref(need),
        )
        self.workspace = torch.empty(max(1, need.value), dtype=torch.uint8, device=first.device)
        self.views = [[kernel.view(x) for x in xs] for xs in (self.inputs, self.results.values())]

    def __call__(self) -> dict[str, torch.Tensor]:
        pointer = ctypes.POINTER(type(self.views[0][0]))
        lists = [(pointer * len(own))(*(ctypes.pointer(view) for view in own)) for own in self.views]
        options = LaunchOptions(
            struct_size=ctypes.sizeof(LaunchOptions),
            stream=torch.cuda.current_stream().cuda_stream,
            workspace=self.workspace.data_ptr(),
            workspace_bytes=self.workspace.numel(),
        )
        self.kernel.runtime.call(
            "linmu_kernel_launch",
            self.kernel.handle,
            lists[0],
            ctypes.c_size_t(len(self.views[0])),
            lists[1],
            ctypes.c_size_t(len(self.views[1])),
            ctypes.byref(options),
        )
        return self.results


def inputs_of(case: str, tokens: int, seed: int) -> dict[str, torch.Tensor]:
    """Decays are logarithms; keys have length 1; q and v are normal. As benchmarks/gpu draws them."""
    draw = torch.Generator(device="cuda").manual_seed(seed)

    def normal() -> torch.Tensor:
        return torch.randn(1, tokens, HEADS, SIZE, device="cuda", generator=draw)

    def uniform(*more: int) -> torch.Tensor:
        return torch.rand(1, tokens, HEADS, *more, device="cuda", generator=draw)

    found = {
        "q": normal().bfloat16(),
        "k": torch.nn.functional.normalize(normal(), dim=-1).bfloat16(),
        "v": normal().bfloat16(),
        "g": (-0.1 * uniform(SIZE)).bfloat16() if case == "row" else -0.1 * uniform(),
    }
    if case == "delta":
        found["b"] = uniform()
    if case == "both":
        found |= {"h": -0.1 * uniform(), "c": uniform()}
    return found


def loop(q, k, v, g, b=None) -> torch.Tensor:
    """[N, H, D] of one sequence; g by row where it has features."""
    state, outputs = q.new_zeros(q.shape[1], q.shape[2], v.shape[2]), []
    a = g.exp() if g.dim() == 3 else g.exp()[..., None]
    for t in range(len(q)):
        state = a[t][..., None] * state
        w = v[t]
        if b is not None:
            w = b[t][:, None] * (w - torch.einsum("hk,hkv->hv", k[t], state))
        state = state + k[t][..., None] * w[:, None]
        outputs.append(torch.einsum("hk,hkv->hv", q[t], state))
    return torch.stack(outputs)


def expected_of(case: str, inputs: dict, cotangent: torch.Tensor) -> dict[str, torch.Tensor]:
    """Gradients in fp64, some heads at a time."""
    parts: dict[str, list] = {f"d_{name}": [] for name in inputs}
    for first in range(0, HEADS, 7):
        own = {name: x[0, :, first : first + 7].double().requires_grad_() for name, x in inputs.items()}
        if case == "both":
            ahead = loop(own["q"], own["k"], own["v"], own["g"])
            back = loop(*(own[name].flip(0) for name in "qkvh")).flip(0)
            output = back + own["c"][..., None] * (ahead - back)
        else:
            output = loop(own["q"], own["k"], own["v"], own["g"], own.get("b"))
        total = (output * cotangent[0, :, first : first + 7].double()).sum()
        for name, gradient in zip(own, torch.autograd.grad(total, list(own.values())), strict=True):
            parts[f"d_{name}"].append(gradient)
    return {name: torch.cat(found, 1)[None] for name, found in parts.items()}


def errors_of(actual: torch.Tensor, exact: torch.Tensor) -> tuple[float, float]:
    """Of the worst token and head, relative to the head's root mean square; and of all of it."""
    difference = (actual.double() - exact).reshape(*exact.shape[:3], -1)
    scale = exact.reshape(*exact.shape[:3], -1).square().mean((0, 1, 3)).sqrt()
    worst = (difference.square().mean(-1).sqrt() / scale).max().item()
    return worst, (difference.norm() / exact.norm()).item()


def check(case: str, kernel: Kernel, tokens: int) -> list[str]:
    """What is wrong; prints all errors."""
    inputs = inputs_of(case, tokens, seed=1)
    cotangent = torch.randn(1, tokens, HEADS, SIZE, device="cuda").bfloat16()
    names = [name for name, _, _ in kernel.inputs if name not in inputs]
    run = Call(kernel, inputs | {names[0]: cotangent})
    first = {name: x.clone() for name, x in run().items()}
    again = run()
    torch.cuda.synchronize()
    wrong = [
        f"{case}: {name} differs between two launches"
        for name in first
        if not torch.equal(first[name].view(torch.uint8), again[name].view(torch.uint8))
    ]
    for name, exact in expected_of(case, inputs, cotangent).items():
        worst, whole = errors_of(first[name], exact)
        numbers, decay = exact.dim() == 3, name in ("d_g", "d_h")
        limits = (WORST_OF_NUMBERS if numbers else WORST, WHOLE_OF_DECAYS if decay else WHOLE)
        fault = not (worst < limits[0] and whole < limits[1])
        print(
            f"  {'FAILED' if fault else 'ok    '} {name:4} worst {worst:.1e}, in all {whole:.1e}", flush=True
        )
        if fault:
            wrong.append(f"{case}: {name} errs by {worst:.1e} < {limits[0]}, {whole:.1e} < {limits[1]}")
    return wrong


def captured(calls: list[Call]):
    for call in calls:
        call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for call in calls:
            call()
    return graph


def milliseconds(graphs: dict, rounds: int = 15) -> dict[str, float]:
    """Medians; graphs take turns."""
    samples: dict[str, list] = {name: [] for name in graphs}
    for _ in range(rounds):
        for name, graph in graphs.items():
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            graph.replay()
            begin.record()
            graph.replay()
            end.record()
            torch.cuda.synchronize()
            samples[name].append(begin.elapsed_time(end))
    return {name: statistics.median(values) for name, values in samples.items()}


def print_kernels(call: Call) -> None:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(3):
            call()
        torch.cuda.synchronize()
    for event in sorted(profile.key_averages(), key=lambda e: -e.self_device_time_total):
        if event.self_device_time_total:
            print(f"    {event.key[:40]:40} {event.self_device_time_total / 3e3:8.3f} ms", flush=True)


def measure(case: str, forward: Kernel, gradient: Kernel, tokens: int, kernels: bool) -> None:
    inputs = inputs_of(case, tokens, seed=2)
    cotangent = torch.randn(1, tokens, HEADS, SIZE, device="cuda").bfloat16()
    names = [name for name, _, _ in gradient.inputs if name not in inputs]
    calls = [Call(forward, inputs), Call(gradient, inputs | {names[0]: cotangent})]
    graphs = {"forward": captured(calls[:1]), "gradient": captured(calls[1:]), "both": captured(calls)}
    times = milliseconds(graphs)
    memory = calls[1].workspace.numel() / 2**30
    print(
        f"  {tokens:6} tokens  forward {times['forward']:7.3f} ms  gradient {times['gradient']:7.3f} ms  "
        f"both {times['both']:7.3f} ms  workspace {memory:.2f} GiB",
        flush=True,
    )
    if kernels:
        print_kernels(calls[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", default="scalar,row,delta,both")
    parser.add_argument("--tokens", type=int, default=2048, help="of the check against the loop; 0: none")
    parser.add_argument("--times", default="4096,16384,65536", help="tokens, with commas")
    parser.add_argument("--kernels", action="store_true", help="times of each kernel of the gradients")
    arguments = parser.parse_args()
    runtime = Runtime(arguments.folder.resolve() / "liblinmu_runtime.so.1")
    passed, wrong = 0, []
    for case in arguments.cases.split(","):
        print(case, flush=True)
        kernels = [
            Kernel(runtime, arguments.folder / f"{case}.{kind}.lmk.gz") for kind in ("forward", "gradient")
        ]
        if arguments.tokens:
            try:
                found = check(case, kernels[1], arguments.tokens)
            except RuntimeError as problem:  # the other cases are checked all the same
                found = [f"{case}: {problem}"]
            wrong += found
            passed += not found
        for tokens in [int(n) for n in arguments.times.split(",") if n]:
            measure(case, *kernels, tokens, arguments.kernels)
            torch.cuda.empty_cache()
    print("\n".join(wrong), end="\n" * bool(wrong))
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong or not (passed or not arguments.tokens) else 0


if __name__ == "__main__":
    sys.exit(main())
