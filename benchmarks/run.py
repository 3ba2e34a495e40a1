"""Kernels beside eager torch in one run: `./dev bench`. f32, checked before they are timed; minima in ms, ratios as
medians over rounds."""

import argparse
import math
import resource
from pathlib import Path

import compare
import compile_time
import shapes
import torch
from kernels import GRID, HEADS, SIZE, TOKENS, inputs
from patterns import gated, scan, window
from rounds import measure, ratio

import linmu


def chunked_torch(q, k, v, g, chunk: int):
    """The chunked form of the scalar-decay scan in batched torch ops."""
    tokens = q.shape[1]
    q, k, v = (x[0].transpose(0, 1).reshape(HEADS, tokens // chunk, chunk, SIZE) for x in (q, k, v))
    decay = g[0].transpose(0, 1).reshape(HEADS, tokens // chunk, chunk).cumsum(-1)
    mask = torch.ones(chunk, chunk, dtype=torch.bool).tril()
    scores = (q @ k.transpose(-1, -2)) * (decay[..., :, None] - decay[..., None, :]).masked_fill(
        ~mask, -torch.inf
    ).exp()
    inner = scores @ v
    last = decay[..., -1:]
    written = (k * (last - decay).exp()[..., None]).transpose(-1, -2) @ v
    state = torch.zeros(HEADS, SIZE, SIZE)
    states = []
    fall = last.exp()[..., None]
    for i in range(tokens // chunk):
        states.append(state)
        state = fall[:, i] * state + written[:, i]
    carried = (q * decay.exp()[..., None]) @ torch.stack(states, 1)
    return (inner + carried).reshape(HEADS, tokens, SIZE).transpose(0, 1)[None]


def rolled_windows(q, k, v):
    """Roll, partition into 16x4x4 windows, scaled_dot_product_attention, and back."""
    t, h, w = GRID
    wt, wh, ww = 16, 4, 4

    def split(x):
        x = x.view(t, h, w, HEADS, SIZE).roll((-8, -2, -2), (0, 1, 2))
        x = x.view(t // wt, wt, h // wh, wh, w // ww, ww, HEADS, SIZE)
        return x.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(-1, HEADS, wt * wh * ww, SIZE)

    code = torch.zeros(t, h, w, dtype=torch.int32)
    for axis, shift in enumerate((8, 2, 2)):
        index = torch.arange(GRID[axis]) < shift
        shape = [1, 1, 1]
        shape[axis] = -1
        code = code * 2 + index.view(shape).int()
    code = code.roll((-8, -2, -2), (0, 1, 2))
    code = code.view(t // wt, wt, h // wh, wh, w // ww, ww).permute(0, 2, 4, 1, 3, 5).reshape(-1, 1, 256)
    mask = code[..., :, None] == code[..., None, :]

    def run():
        y = torch.nn.functional.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=mask)
        y = y.view(t // wt, h // wh, w // ww, HEADS, wt, wh, ww, SIZE).permute(0, 4, 1, 5, 2, 6, 3, 7)
        return y.reshape(t, h, w, HEADS, SIZE).roll((8, 2, 2), (0, 1, 2)).reshape(1, -1, HEADS, SIZE)

    return run


def check(name: str, actual, expected) -> None:
    error = ((actual - expected).abs().max() / expected.square().mean().sqrt()).item()
    if not error < 1e-3:
        raise SystemExit(f"{name}: relative error {error:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--long", action="store_true", help="lengths up to 262,144")
    parser.add_argument(
        "--compile", action="store_true", help="first compiles, and the disk in fresh processes"
    )
    parser.add_argument(
        "--shapes", action="store_true", help="only what grows with what, beside its bound (shapes.py)"
    )
    parser.add_argument("--against", type=Path, help="only the ratios of another build's times (compare.py)")
    arguments = parser.parse_args()
    if arguments.against:
        return compare.report(arguments.against, arguments.repeats)
    if arguments.shapes:
        return shapes.report(arguments.repeats)
    torch.set_num_threads(2)
    q, k, v, g, row, beta, order, media = inputs()
    out = [torch.empty(1, TOKENS, HEADS, SIZE)]

    def call(kernel, *operands, threads=2):
        return lambda: kernel(*operands, out=out, threads=threads)

    plain = linmu.compile(scan(HEADS, SIZE))
    permuted = linmu.compile(scan(HEADS, SIZE, ordered=True))
    expected = chunked_torch(q.double(), k.double(), v.double(), g.double(), 64).float()
    check("scalar decay", plain(q, k, v, g), expected)
    index = order[0].long()
    there, back = (x[:, index] for x in (q, k, v, g)), torch.empty_like(expected)
    back[:, index] = plain(*there)
    check("permuted", permuted(q, k, v, g, order), back)

    eager = measure({c: lambda c=c: chunked_torch(q, k, v, g, c) for c in (32, 64, 128)}, 3)
    eager = min(map(min, eager.values()))
    times = measure(
        {
            "scalar decay": call(plain, q, k, v, g),
            "one thread": call(plain, q, k, v, g, threads=1),
            "permuted": call(permuted, q, k, v, g, order),
            "row-wise decay": call(linmu.compile(scan(HEADS, SIZE, decay="row")), q, k, v, row),
            "gated delta rule": call(linmu.compile(scan(HEADS, SIZE, feedback=True)), q, k, v, g, beta),
        },
        arguments.repeats,
    )
    base = "scalar decay"
    notes = {name: f"{ratio(times, name, base):.2f} of scalar decay" for name in times}
    notes[base] = f"torch {eager:.0f} ms: {eager / min(times[base]):.1f}x"
    notes["one thread"] = f"two threads {ratio(times, 'one thread', base):.2f}x"
    for name, milliseconds in times.items():
        print(f"{name:23s} {min(milliseconds):7.1f} ms   {notes[name]}")

    operands = [
        q,
        k,
        v,
        torch.randn(1, TOKENS, HEADS) + 4,
        torch.randn(1, TOKENS, HEADS, SIZE),
        torch.ones(HEADS, SIZE),
    ]
    fused = linmu.compile(gated(HEADS, SIZE))
    apart = linmu.compile(gated(HEADS, SIZE), schedule={"fuse": "false"})
    check("fused maps", fused(*operands), apart(*operands))
    times = measure({"fused": call(fused, *operands), "apart": call(apart, *operands)}, arguments.repeats)
    print(
        f"norms, scan and gate    {min(times['fused']):7.1f} ms   as three launches "
        f"{min(times['apart']):.1f} ms: {ratio(times, 'apart', 'fused'):.2f}x"
    )

    windows = linmu.compile(window(HEADS, SIZE))
    reference = rolled_windows(q, k, v)
    check("windows", windows(q, k, v, media), reference())
    times = measure({"ours": call(windows, q, k, v, media), "torch": reference}, min(arguments.repeats, 5))
    print(
        f"shifted 16x4x4 windows  {min(times['ours']):7.1f} ms   roll + partition + SDPA "
        f"{min(times['torch']):.0f} ms: {ratio(times, 'torch', 'ours'):.1f}x"
    )

    if arguments.long:
        lengths(plain, arguments.repeats)
    if arguments.compile:
        compile_time.report(3)


def lengths(kernel, repeats: int) -> None:
    """Time and memory beside inputs and outputs from 4,096 to 262,144 tokens, and their growth."""
    times, counts = [], (4096, 16384, 65536, 262144)
    for tokens in counts:
        inputs = [torch.randn(1, tokens, HEADS, SIZE) for _ in range(3)] + [
            -0.1 * torch.rand(1, tokens, HEADS)
        ]
        out = [torch.empty(1, tokens, HEADS, SIZE)]
        kernel(*inputs, out=out)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        times.append(min(measure({0: lambda: kernel(*inputs, out=out, threads=2)}, repeats)[0]))  # noqa: B023
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(f"  {tokens:7d} tokens       {times[-1]:7.1f} ms   {grown} KiB beside inputs and outputs")
    exponent = math.log(times[-1] / times[0]) / math.log(counts[-1] / counts[0])
    print(f"  exponent              {exponent:7.3f}")


if __name__ == "__main__":
    main()
