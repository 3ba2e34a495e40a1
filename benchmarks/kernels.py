"""The kernels of the README's table, each as a call without arguments."""

import torch
from patterns import gated, scan, window

import linmu

HEADS, SIZE, TOKENS = 9, 64, 16384
GRID = (64, 16, 16)


def calls(tokens: int = TOKENS, threads: int = 2) -> dict:
    """By the names of the table."""
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, tokens, HEADS, SIZE) for _ in range(3))
    k = torch.nn.functional.normalize(k, dim=-1)
    g = -0.1 * torch.rand(1, tokens, HEADS)
    row = -0.1 * torch.rand(1, tokens, HEADS, SIZE)
    beta = torch.rand(1, tokens, HEADS)
    order = (
        torch.arange(tokens, dtype=torch.int32).view(GRID).permute(2, 1, 0).reshape(1, tokens).contiguous()
    )
    media = torch.tensor([[0, *GRID]], dtype=torch.int32)
    out = [torch.empty(1, tokens, HEADS, SIZE)]
    norms = (torch.randn(1, tokens, HEADS) + 4, torch.randn(1, tokens, HEADS, SIZE), torch.ones(HEADS, SIZE))

    def call(text: str, *inputs, threads: int = threads):
        kernel = linmu.compile(text)
        return lambda: kernel(*inputs, out=out, threads=threads)

    return {
        "scalar decay": call(scan(HEADS, SIZE), q, k, v, g),
        "one thread": call(scan(HEADS, SIZE), q, k, v, g, threads=1),
        "permuted": call(scan(HEADS, SIZE, ordered=True), q, k, v, g, order),
        "row-wise decay": call(scan(HEADS, SIZE, decay="row"), q, k, v, row),
        "gated delta rule": call(scan(HEADS, SIZE, feedback=True), q, k, v, g, beta),
        "norms, scan and gate": call(gated(HEADS, SIZE), q, k, v, *norms),
        "shifted 16x4x4 windows": call(window(HEADS, SIZE), q, k, v, media),
    }
