"""Launches what draw_launches.py has written, on this machine's GPU, and compares; needs torch and the runtime's library.

    python3 launch_check.py FOLDER [--part 2/5] [--kernels 03,17] [--minutes 7] [--library liblinmu_runtime.so.1]

Each launch runs twice, into fresh memory: both results must be the same bits, and within the tolerance of what was
expected, in the worst token and head. Under compute-sanitizer set PYTORCH_NO_CUDA_MEMORY_CACHING=1, so that each operand
is an allocation of its own; no kernel but LinMU's is launched. Prints a row a kernel; the last line is
`N passed, N failed`, of launches, and what time did not allow is a failure.
"""

import argparse
import ctypes
import gzip
import math
import sys
import time
from pathlib import Path

import torch

# Signed sums of a row: how far they may be off, in tolerances of its root mean square. A row that is as far off
# as it may be has sums that are normally distributed about the tolerance.
SUMS_FACTOR = 6.0


# ---- what draw_launches.py shares: operands out of pools, and what is kept of results


def operand_of(pool: torch.Tensor, shape: list, launch: dict, name: str) -> torch.Tensor:
    """An operand of a launch from the pool of its kernel: rows of tokens from `start` on, over and over."""
    start = launch["start"]
    batch = 1 if name in launch["once"] else launch["batch"]
    if "N" in shape:
        rows = pool.flatten(0, 1)
        begin = start + 7 * torch.arange(batch)[:, None]
        return rows[(begin + torch.arange(launch["tokens"])) % len(rows)]
    if shape and shape[0] in ("B", "S"):
        count = batch if shape[0] == "B" else launch["sequences"]
        return pool[(start + torch.arange(count)) % len(pool)]
    return pool


def signs(features: int) -> torch.Tensor:
    """[2, features] of 1 and -1."""
    index = torch.arange(features, dtype=torch.int64)
    mixed = torch.stack([(index + 1) * 2654435761, (index + 1) * 40503 + 12345])
    return ((mixed ^ (mixed >> 15) ^ (mixed >> 7)) & 1).double() * 2 - 1


def as_rows(values: torch.Tensor, head_axis: int) -> torch.Tensor:
    """[rows, features]: what stands behind the axis of heads is one row."""
    rows = math.prod(values.shape[: head_axis + 1])
    return values.double().reshape(rows, -1) if rows else values.new_zeros(0, 1).double()


def errors(got: torch.Tensor, expected: dict) -> tuple[float, float]:
    """Of a result on the CPU: the worst row's error and the worst signed sum's, in tolerances."""
    axis, heads = expected["head_axis"], len(expected["scale"])
    rows = as_rows(got, axis)
    if not rows.numel():
        return 0.0, 0.0
    if not torch.isfinite(rows).all():
        return math.inf, math.inf
    scale = expected["scale"].double().repeat(len(rows) // heads) * expected["tolerance"]
    chosen, values = expected["rows"].long(), expected["values"].double()
    worst = (
        ((rows[chosen] - values).square().mean(1).sqrt() / scale[chosen]).max().item() if len(chosen) else 0.0
    )
    sums = rows @ signs(rows.shape[1]).T - expected["sums"].double()
    return worst, (sums.abs().amax(1) / math.sqrt(rows.shape[1]) / scale).max().item()


# ---- the runtime's C API (runtime/core/c_api.h)


class DataType(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("dtype", DataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class Extent(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int32), ("value", ctypes.c_int64)]


class Operand(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("name", ctypes.c_char_p),
        ("dtype", DataType),
        ("ndim", ctypes.c_int32),
        ("shape", ctypes.POINTER(Extent)),
        ("content", ctypes.c_int32),
        ("in_place_of", ctypes.c_int32),
    ]


TYPES = {
    torch.float32: (2, 32),
    torch.float16: (2, 16),
    torch.bfloat16: (4, 16),
    torch.int32: (0, 32),
    torch.bool: (6, 8),
}
TORCH = {value: key for key, value in TYPES.items()}


class Runtime:
    def __init__(self, path: Path):
        self.library = ctypes.CDLL(str(path))
        self.library.linmu_last_error.restype = ctypes.c_char_p
        for name in ("linmu_kernel_input_count", "linmu_kernel_result_count"):
            getattr(self.library, name).restype = ctypes.c_size_t

    def call(self, name: str, *arguments) -> None:
        if getattr(self.library, name)(*arguments) != 0:
            raise RuntimeError(self.library.linmu_last_error().decode())


class Kernel:
    """A compressed package, opened: its operands as (name, dtype, shape) with extents by their letters."""

    def __init__(self, runtime: Runtime, path: Path):
        self.runtime, self.handle = runtime, ctypes.c_void_p()
        with gzip.open(path) as stream:
            content = stream.read()
        size = ctypes.c_size_t(len(content))
        runtime.call("linmu_kernel_open_memory", content, size, ctypes.byref(self.handle))
        self.device = {1: "cpu", 2: "cuda"}[runtime.library.linmu_kernel_device_type(self.handle)]
        self.inputs, self.results = self.operands("input"), self.operands("result")

    def operands(self, kind: str) -> list[tuple]:
        found = []
        for index in range(getattr(self.runtime.library, f"linmu_kernel_{kind}_count")(self.handle)):
            operand = Operand(struct_size=ctypes.sizeof(Operand))
            self.runtime.call(
                f"linmu_kernel_{kind}", self.handle, ctypes.c_size_t(index), ctypes.byref(operand)
            )
            shape = []
            for axis in range(operand.ndim):
                extent = operand.shape[axis]
                plus = f"+{extent.value}" if extent.value else ""
                shape.append(
                    extent.value if extent.kind == 0 else ["", "B", "N", "M", "S"][extent.kind] + plus
                )
            dtype = TORCH[operand.dtype.code, operand.dtype.bits]
            found.append((operand.name.decode(), dtype, shape))
        return found

    def algorithm(self, tokens: int, batch: int) -> str:
        text = ctypes.c_char_p()
        self.runtime.call(
            "linmu_kernel_algorithm",
            self.handle,
            ctypes.c_int64(tokens),
            ctypes.c_int64(batch),
            ctypes.byref(text),
        )
        return text.value.decode()

    def view(self, tensor: torch.Tensor) -> Tensor:
        code, bits = TYPES[tensor.dtype]
        shape = (ctypes.c_int64 * max(1, tensor.dim()))(*tensor.shape)
        strides = (ctypes.c_int64 * max(1, tensor.dim()))(*tensor.stride())
        kind = {"cpu": 1, "cuda": 2}[self.device]
        index = tensor.device.index or 0
        return Tensor(
            tensor.data_ptr(), kind, index, tensor.dim(), DataType(code, bits, 1), shape, strides, 0
        )

    def __call__(self, inputs: list[torch.Tensor], results: list[torch.Tensor]) -> None:
        views = [[self.view(tensor) for tensor in tensors] for tensors in (inputs, results)]
        lists = [(ctypes.POINTER(Tensor) * len(own))(*(ctypes.pointer(v) for v in own)) for own in views]
        self.runtime.call(
            "linmu_kernel_launch",
            self.handle,
            lists[0],
            ctypes.c_size_t(len(inputs)),
            lists[1],
            ctypes.c_size_t(len(results)),
            None,
        )
        if self.device == "cuda":
            torch.cuda.synchronize()

    def close(self) -> None:
        self.runtime.library.linmu_kernel_close(self.handle)


# ---- launches


def fused(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Token operands of one type and batch as views of one tensor, as a projection makes them; NaN between them."""
    groups: dict = {}
    for name, x in tensors.items():
        if x.dim() > 3 and x.is_floating_point() and x.numel():
            groups.setdefault((x.dtype, x.shape[:2]), []).append(name)
    result = dict(tensors)
    for (dtype, shape), names in groups.items():
        unit = 16 // torch.empty(0, dtype=dtype).element_size()
        widths = [-(-tensors[name][0, 0].numel() // unit) * unit + unit for name in names]
        whole = torch.full((*shape, sum(widths)), float("nan"), dtype=dtype)
        place = 0
        for name, width in zip(names, widths):
            x = tensors[name]
            result[name] = (whole, place, x.shape[2:])
            whole[:, :, place : place + x[0, 0].numel()] = x.flatten(2)
            place += width
    return result


def on_device(tensors: dict, device: str) -> dict[str, torch.Tensor]:
    """Copies, and nothing else: views stay views of one tensor."""
    moved, result = {}, {}
    for name, tensor in tensors.items():
        if isinstance(tensor, tuple):
            whole, place, shape = tensor
            if id(whole) not in moved:
                moved[id(whole)] = whole.to(device)
            result[name] = moved[id(whole)][:, :, place : place + math.prod(shape)].unflatten(2, shape)
        else:
            result[name] = tensor.contiguous().to(device)
    return result


def new_results(kernel: Kernel, launch: dict) -> list[torch.Tensor]:
    """What a launch does not write stays NaN, or an id that no segment has."""
    sizes = {"B": launch["batch"], "N": launch["tokens"], "S": launch["sequences"]}
    results = []
    for _, dtype, shape in kernel.results:
        unwritten = -1 if dtype == torch.int32 else float("nan")
        results.append(torch.full([sizes.get(e, e) for e in shape], unwritten, dtype=dtype).to(kernel.device))
    return results


def run(kernel: Kernel, pools: dict, launch: dict) -> list[torch.Tensor]:
    """Results on the CPU."""
    inputs = {}
    for name, dtype, shape in kernel.inputs:
        given = launch["given"].get(name)
        inputs[name] = (operand_of(pools[name], shape, launch, name) if given is None else given).to(dtype)
    placed = on_device(fused(inputs) if launch["fused"] else inputs, kernel.device)
    results = new_results(kernel, launch)
    kernel(list(placed.values()), results)
    return [result.cpu() for result in results]


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    if not a.numel():
        return a.shape == b.shape
    a, b = (x.contiguous().flatten().view(torch.uint8) for x in (a, b))
    return torch.equal(a, b)


def problem_of(kernel: Kernel, pools: dict, launch: dict) -> tuple[str, float]:
    """What is wrong with a launch, or "", and its worst error in tolerances."""
    first, second = run(kernel, pools, launch), run(kernel, pools, launch)
    worst = 0.0
    for (name, _, _), got, again, expected in zip(kernel.results, first, second, launch["expected"]):
        if not same_bits(got, again):
            return f"'{name}' differs between two runs", math.inf
        if "copy" in expected:
            if not same_bits(got, expected["copy"]):
                return f"'{name}' is no copy", math.inf
            continue
        error, sums = errors(got, expected)
        worst = max(worst, error, sums / SUMS_FACTOR)
        if not error < 1:
            return f"'{name}' errs by {error:.2g} tolerances ({expected['tolerance']:g} each)", worst
        if not sums < SUMS_FACTOR:
            return f"'{name}': a signed sum errs by {sums:.2g} tolerances, expected < {SUMS_FACTOR:g}", worst
    return "", worst


def chosen(folder: Path, kernels: str, part: str) -> list[Path]:
    files = sorted(folder.glob("*.launches"))
    if kernels:
        files = [file for file in files if file.stem.split("-")[0] in kernels.split(",")]
    number, count = (int(n) for n in part.split("/"))
    if not 1 <= number <= count:
        raise SystemExit(f"--part: expected I/N with I from 1 to N, got {part}")
    return files[number - 1 :: count]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="1/1", help="I/N: each N-th kernel from the I-th on")
    parser.add_argument("--kernels", default="", help="by their numbers, with commas")
    parser.add_argument(
        "--minutes", type=float, default=7, help="kernels left when they are over are failures"
    )
    parser.add_argument("--library", type=Path, help="default: liblinmu_runtime.so.1 in FOLDER")
    arguments = parser.parse_args()
    runtime = Runtime(arguments.library or arguments.folder / "liblinmu_runtime.so.1")
    end = time.monotonic() + 60 * arguments.minutes
    passed = failed = 0
    late = []
    for file in chosen(arguments.folder, arguments.kernels, arguments.part):
        with gzip.open(file) as stream:
            content = torch.load(stream, weights_only=True)
        launches = content["launches"]
        if time.monotonic() > end:
            late.append(file.stem.split("-")[0])
            failed += len(launches)
            continue
        kernel = Kernel(runtime, file.with_suffix(".lmk.gz"))
        begun, worst, wrong = time.monotonic(), 0.0, []
        for number, launch in enumerate(launches):
            problem, error = problem_of(kernel, content["pools"], launch)
            worst = max(worst, error)
            if problem:
                algorithm = kernel.algorithm(launch["tokens"], launch["batch"])
                size = f"{launch['tokens']} tokens, batch {launch['batch']}, {algorithm}"
                wrong.append(f"       launch {number}, {size}: {problem}")
        seconds = time.monotonic() - begun
        kernel.close()
        verdict = "FAILED" if wrong else "ok    "
        print(f"{verdict} {file.stem:34} {len(launches):3} launches  worst {worst:5.2f}  {seconds:6.1f} s")
        print(
            "\n".join(wrong[:5] + [f"       and {len(wrong) - 5} more"] * (len(wrong) > 5)),
            end="\n" * bool(wrong),
        )
        sys.stdout.flush()
        passed, failed = passed + len(launches) - len(wrong), failed + len(wrong)
    if late:
        print(f"no time for kernels; run them by --kernels {','.join(late)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
