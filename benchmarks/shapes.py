"""How time grows with heads, sequences, grids and patterns, each beside its bound: `./dev bench --shapes`.

Medians over interleaved rounds of two threads against one, of one pattern against another; a busy machine has no second
core to offer, so that only a quiet one says something about threads.
"""

import itertools
import math
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from patterns import scan, window
from rounds import measure, ratio

import linmu

ROOT = Path(__file__).resolve().parent.parent
SIZE = 64


def say(name: str, value: float, bound: str, holds: bool, unit: str = "") -> None:
    print(f"{name:62s} {value:7.2f}{unit:3s} {bound:>8s}{'' if holds else '   MISSED'}", flush=True)


def scalar_decay(tokens: int, heads: int, lengths: list[int] | None = None) -> dict:
    """By the number of threads. q, k and v are one tensor."""
    kernel = linmu.compile(scan(heads, SIZE, sequences=lengths is not None))
    x = torch.randn(1, tokens, heads, SIZE)
    operands = [x, x, x, -0.1 * torch.rand(1, tokens, heads)]
    if lengths:
        operands.append(torch.tensor([0, *lengths]).cumsum(0).int())
    out = [torch.empty_like(x)]
    return {n: lambda n=n: kernel(*operands, out=out, threads=n) for n in (1, 2)}


def threads(repeats: int) -> None:
    """One head of a long sequence, and ragged batches, against two heads of half the tokens."""
    tokens = 262_144
    generator = torch.Generator().manual_seed(0)
    short = torch.randint(64, 1024, (120,), generator=generator).tolist()
    ragged = [*short[:60], tokens // 2, *short[60:]]
    equal = [sum(ragged) // 64] * 64
    cases = {
        "two heads": scalar_decay(tokens // 2, 2),
        "one head": scalar_decay(tokens, 1),
        "one long beside 120 short sequences, 1 head": scalar_decay(sum(ragged), 1, ragged),
        "one long beside 120 short sequences, 9 heads": scalar_decay(sum(ragged), 9, ragged),
        "64 equal sequences, 1 head": scalar_decay(sum(equal), 1, equal),
    }
    times = measure({(name, n): call for name, case in cases.items() for n, call in case.items()}, repeats)
    gain = {name: ratio(times, (name, 1), (name, 2)) for name in cases}
    print(f"two threads against one, two heads x {tokens // 2} tokens: {gain.pop('two heads'):.2f}x")
    base = ratio(times, ("two heads", 1), ("two heads", 2))
    for name, own in gain.items():
        tokens_of = f" x {tokens} tokens" if name == "one head" else ""
        say(f"{name}{tokens_of}: {own:.2f}x, of that", own / base, ">= 0.75", own >= 0.75 * base)


def windows(repeats: int) -> None:
    """What a window costs beyond the grid: a small grid in a large window against one of its own size."""
    heads, batch = 9, 16
    q, k, v = (torch.randn(batch, 64, heads, SIZE) for _ in range(3))
    media, out = torch.tensor([[0, 4, 4, 4]], dtype=torch.int32), [torch.empty_like(q)]
    calls = {}
    for size in ((4, 4, 4), (16, 32, 32)):
        kernel = linmu.compile(window(heads, SIZE, window=size, shift=(0, 0, 0)))
        calls[size] = lambda kernel=kernel: kernel(q, k, v, media, out=out, threads=1)
    times = measure(calls, repeats, time.process_time)
    value = ratio(times, (16, 32, 32), (4, 4, 4))
    say("4x4x4 grid in a 16x32x32 window, of that in a 4x4x4 window", value, "<= 1.2", value <= 1.2)


def chain(length: int) -> str:
    """A decay that is squared again and again."""
    token, scalar = "tensor<?x?x1x16xf32>", "tensor<?x?x1xf32>"
    squares = "\n".join(f"    %x{i + 1} = arith.mulf %x{i}, %x{i} : f32" for i in range(length))
    return f"""
!v = tensor<16xf32>
!m = tensor<16x16xf32>
func.func @p(%q: {token}, %d: {scalar}) -> {token} {{
  %y, %f = pattern.scan tokens(%qt = %q : {token}, %dt = %d : {scalar})
      states(%h = zero : tensor<?x1x16x16xf32>) -> ({token}) {{
    %half = arith.constant 0.5 : f32
    %z = pattern.sigmoid %dt : f32
    %x0 = arith.mulf %half, %z : f32
{squares}
    %a = pattern.broadcast %x{length} : f32 to !m
    %k = arith.mulf %a, %h : !m
    %w = pattern.outer %qt, %qt : !v, !v
    %s = arith.addf %k, %w : !m
    %o = pattern.read %s, %qt : !m, !v
    pattern.yield outputs(%o : !v) states(%s : !m)
  }}
  return %y : {token}
}}
"""


def states(count: int) -> str:
    """So many states, each read by an output of its own."""
    token, scalar = "tensor<?x?x1x16xf32>", "tensor<?x?x1xf32>"
    state, each = "tensor<?x1x16x16xf32>", range(count)
    step = "\n".join(
        f"    %k{i} = arith.mulf %a, %h{i} : !m\n    %s{i} = arith.addf %k{i}, %w : !m\n"
        f"    %o{i} = pattern.read %s{i}, %qt : !m, !v"
        for i in each
    )

    def listed(*names: str) -> str:
        return ", ".join(f"%{name}{i}" for name in names for i in each)

    types = ", ".join([token] * count)
    return f"""
!v = tensor<16xf32>
!m = tensor<16x16xf32>
func.func @p(%q: {token}, %d: {scalar}) -> ({types}) {{
  {listed("y", "f")} = pattern.scan tokens(%qt = %q : {token}, %dt = %d : {scalar})
      states({", ".join(f"%h{i} = zero : {state}" for i in each)}) -> ({types}) {{
    %half = arith.constant 0.5 : f32
    %z = pattern.sigmoid %dt : f32
    %x = arith.mulf %half, %z : f32
    %a = pattern.broadcast %x : f32 to !m
    %w = pattern.outer %qt, %qt : !v, !v
{step}
    pattern.yield outputs({listed("o")} : {", ".join(["!v"] * count)}) states({listed("s")} : {", ".join(["!m"] * count)})
  }}
  return {listed("y")} : {types}
}}
"""


numbers = itertools.count(1)


def compile_anew(make, size: int) -> None:
    """A program that was compiled is not compiled again: the decay has a factor of its own."""
    text = make(size).replace("0.5 : f32", f"{1 / (1 + next(numbers))} : f32")
    linmu.compile(text, schedule={"algorithm": "chunked"}, cache=False)


def compiling(repeats: int) -> None:
    """What explaining and compiling take as a pattern grows: the exponent of the last doublings."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chain.mlir"
        file.write_text(chain(20))
        command = [ROOT / "build/bin/linmuc", "--explain", file]
        run = {0: lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)}
        least = min(measure(run, repeats)[0])
    say("linmuc --explain of 20 chained squares, its start included", least, "< 50 ms", least < 50, " ms")
    for name, make, sizes in (("ops", chain, (100, 200, 400)), ("states", states, (4, 8, 16))):
        calls = {size: partial(compile_anew, make, size) for size in sizes}
        times = [min(some) for some in measure(calls, min(repeats, 5), time.process_time).values()]
        exponent = math.log(times[-1] / times[0]) / math.log(sizes[-1] / sizes[0])
        spread = " / ".join(f"{time:.0f}" for time in times)
        say(f"compile {sizes} {name}: {spread} ms, exponent", exponent, "<= 1.2", exponent <= 1.2)


def report(repeats: int) -> None:
    torch.manual_seed(0)
    threads(min(repeats, 10))
    windows(repeats)
    compiling(repeats)
