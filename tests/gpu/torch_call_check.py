"""Kernels for CUDA called from Python on torch tensors, on a real GPU.

    cuda_runtime_check package FOLDER
    PYTHONPATH=python:BUILD/python python3 tests/gpu/torch_call_check.py FOLDER

Prints a line a check and exits with 1 if one fails.
"""

import statistics
import sys
import time
from pathlib import Path

import torch

import linmu

failures = 0


def check(what: str, holds: bool) -> None:
    global failures
    failures += not holds
    print("ok    " if holds else "FAILED", what, flush=True)


def operands(device="cuda:0", tokens=1001):
    x = torch.randn(3, tokens, 3, 8, device=device)[..., :4]
    return x, torch.randn(1, tokens, 3, 4, device=device)


def microseconds(call) -> float:
    times = []
    for _ in range(41):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(100):
            call()
        times.append((time.perf_counter() - start) * 1e4)
    return statistics.median(times)


def main(folder: Path) -> int:
    add, total = linmu.load(folder / "sum2.lmk"), linmu.load(folder / "total.lmk")
    x, y = operands()
    out = add(x, y)
    check("a strided and a broadcast operand; the result is on their device", torch.equal(out, x + y))

    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        late = torch.ones_like(x)
        torch.cuda._sleep(100_000_000)  # what the launch reads is written after this
        late += 1
        out = add(late, y)
    stream.synchronize()
    check("torch's current stream", torch.equal(out, late + y))
    out = add(x, y, stream=stream)
    stream.synchronize()
    check("a stream that is given", torch.equal(out, x + y))

    graph, fresh = torch.cuda.CUDAGraph(), linmu.load(folder / "total.lmk")
    values = torch.arange(2000, dtype=torch.float32, device="cuda").reshape(2, 1000, 1, 1)
    with torch.cuda.graph(graph):
        sums = fresh(values)
    values += 1
    graph.replay()
    torch.cuda.synchronize()
    check(
        "the first launch in torch's graph, temporaries from its pool",
        torch.equal(sums, values.sum(1, keepdim=True)),
    )
    check("temporaries outside a graph", torch.equal(total(values), values.sum(1, keepdim=True)))

    for what, arguments, expected in [
        (
            "an operand on the CPU",
            (x, y.cpu()),
            "operand 'y' of pattern 'sum2': expected a tensor on cuda:0, got one on ",
        ),
        (
            "all of them there",
            (x.cpu(), y.cpu()),
            "operand 'x' of pattern 'sum2': expected a tensor on a CUDA device",
        ),
        (
            "another type",
            (x, y.double()),
            "operand 'y' of pattern 'sum2': expected elements of type f32, got float64",
        ),
    ]:
        try:
            add(*arguments)
            message = "nothing"
        except ValueError as error:
            message = str(error)
        check(f"{what} is named", message.startswith(expected))

    if torch.cuda.device_count() > 1:
        there = operands("cuda:1")
        out = add(*there)
        torch.cuda.synchronize(1)
        check("a second device, while the first is current", torch.equal(out, there[0] + there[1]))
    else:
        print("skipped a second device: there is one")

    x, y = operands(tokens=1)
    out = torch.empty(3, 1, 3, 4, device="cuda")
    given = microseconds(lambda: add(x, y, out=out))
    print(f"launch, one kernel, result given: {given:.2f} us (median)")
    print(f"launch, one kernel, new result: {microseconds(lambda: add(x, y)):.2f} us")
    print(f"launch, two kernels, temporaries of torch: {microseconds(lambda: total(values)):.2f} us")
    check("a launch takes at most 10 us", given <= 10)
    print("FAILED" if failures else "all checks hold")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
