"""The kernels of the README's table, each as a call without arguments."""

import torch
from patterns import both, gated, scan, window

import linmu

HEADS, SIZE, TOKENS = 9, 64, 16384
GRID = (64, 16, 16)


def inputs(tokens: int = TOKENS) -> tuple:
    """q, k (of length 1), v [1, N, 9, 64]; logarithms of decays by token and by row; weights; an order; a media table."""
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, tokens, HEADS, SIZE) for _ in range(3))
    k = torch.nn.functional.normalize(k, dim=-1)
    g = -0.1 * torch.rand(1, tokens, HEADS)
    row = -0.1 * torch.rand(1, tokens, HEADS, SIZE)
    beta = torch.rand(1, tokens, HEADS)
    order = (
        torch.arange(tokens, dtype=torch.int32).view(GRID).permute(2, 1, 0).reshape(1, tokens).contiguous()
    )
    return q, k, v, g, row, beta, order, torch.tensor([[0, *GRID]], dtype=torch.int32)


def calls() -> dict:
    """By the names of the table, on two threads."""
    q, k, v, g, row, beta, order, media = inputs()
    out = [torch.empty(1, TOKENS, HEADS, SIZE)]
    norms = (torch.randn(1, TOKENS, HEADS) + 4, torch.randn(1, TOKENS, HEADS, SIZE), torch.ones(HEADS, SIZE))

    def call(text: str, *operands, threads: int = 2, out=out):
        kernel = linmu.compile(text)
        return lambda: kernel(*operands, out=out, threads=threads)

    def of_length(tokens: int):
        x, decays = torch.randn(1, tokens, HEADS, SIZE), -0.1 * torch.rand(1, tokens, HEADS)
        return call(scan(HEADS, SIZE), x, x, x, decays, out=[torch.empty_like(x)])

    return {
        "scalar decay": call(scan(HEADS, SIZE), q, k, v, g),
        "one thread": call(scan(HEADS, SIZE), q, k, v, g, threads=1),
        "permuted": call(scan(HEADS, SIZE, ordered=True), q, k, v, g, order),
        "row-wise decay": call(scan(HEADS, SIZE, decay="row"), q, k, v, row),
        "gated delta rule": call(scan(HEADS, SIZE, feedback=True), q, k, v, g, beta),
        "norms, scan and gate": call(gated(HEADS, SIZE), q, k, v, *norms),
        "both directions and a gate": call(both(HEADS, SIZE, "f32"), q, k, v, g, g, beta),
        "shifted 16x4x4 windows": call(window(HEADS, SIZE), q, k, v, media),
        **{f"scalar decay, {tokens} tokens": of_length(tokens) for tokens in (4096, 65536, 262144)},
    }
