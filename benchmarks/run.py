"""Kernels beside eager torch in one run: `./dev bench`. f32, checked before they are timed; minima in ms."""

import argparse
import time

import torch
from patterns import scan, window

import linmu

HEADS, SIZE, TOKENS = 9, 64, 16384
GRID = (64, 16, 16)


def fastest(function, repeats: int) -> float:
    """Milliseconds of the fastest of `repeats` calls, after one that warms up."""
    function()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


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
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--long", action="store_true", help="lengths up to 262,144")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    q, k, v = (torch.randn(1, TOKENS, HEADS, SIZE) for _ in range(3))
    k = torch.nn.functional.normalize(k, dim=-1)
    g = -0.1 * torch.rand(1, TOKENS, HEADS)
    row = -0.1 * torch.rand(1, TOKENS, HEADS, SIZE)
    beta = torch.rand(1, TOKENS, HEADS)
    order = (
        torch.arange(TOKENS, dtype=torch.int32).view(GRID).permute(2, 1, 0).reshape(1, TOKENS).contiguous()
    )
    media = torch.tensor([[0, *GRID]], dtype=torch.int32)

    def measure(kernel, *inputs, threads=2):
        out = [torch.empty(1, inputs[0].shape[1], HEADS, SIZE)]
        return fastest(lambda: kernel(*inputs, out=out, threads=threads), arguments.repeats)

    plain = linmu.compile(scan(HEADS, SIZE))
    expected = chunked_torch(q.double(), k.double(), v.double(), g.double(), 64).float()
    check("scalar decay", plain(q, k, v, g), expected)
    eager = {c: fastest(lambda c=c: chunked_torch(q, k, v, g, c), 3) for c in (32, 64, 128)}
    scalar = measure(plain, q, k, v, g)
    print(
        f"scalar decay            {scalar:7.1f} ms   torch {min(eager.values()):.0f} ms: {min(eager.values()) / scalar:.1f}x"
    )
    single = measure(plain, q, k, v, g, threads=1)
    print(f"  one thread            {single:7.1f} ms   two threads {single / scalar:.2f}x")
    ordered = measure(linmu.compile(scan(HEADS, SIZE, ordered=True)), q, k, v, g, order)
    print(f"  permuted (x, y, t)    {ordered:7.1f} ms   {ordered / scalar:.2f} of plain")
    for name, inputs, options in (
        ("row-wise decay", (q, k, v, row), {"decay": "row"}),
        ("gated delta rule", (q, k, v, g, beta), {"feedback": True}),
    ):
        time_taken = measure(linmu.compile(scan(HEADS, SIZE, **options)), *inputs)
        print(f"{name:23s} {time_taken:7.1f} ms   {time_taken / scalar:.2f} of scalar decay")

    windows = linmu.compile(window(HEADS, SIZE))
    reference = rolled_windows(q, k, v)
    check("windows", windows(q, k, v, media), reference())
    eager_windows = fastest(reference, 3)
    ours = measure(windows, q, k, v, media)
    print(
        f"shifted 16x4x4 windows  {ours:7.1f} ms   roll + partition + SDPA {eager_windows:.0f} ms: {eager_windows / ours:.1f}x"
    )

    if arguments.long:
        for tokens in (4096, 16384, 65536, 262144):
            tall = [torch.randn(1, tokens, HEADS, SIZE) for _ in range(3)]
            gates = -0.1 * torch.rand(1, tokens, HEADS)
            print(f"  {tokens:7d} tokens       {measure(plain, *tall, gates):7.1f} ms")


if __name__ == "__main__":
    main()
