"""Coupled states in chunks and their gradients, the prototype in fp64, against autograd of the loop; what float32 leaves."""

import math
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "oracles"))
import coupled_form  # noqa: E402
from coupled_form import Coupled  # noqa: E402


def rotations(random, tokens: int, size: float) -> torch.Tensor:
    angle = torch.rand(tokens, generator=random, dtype=torch.float64) * math.tau
    c, s = size * angle.cos(), size * angle.sin()
    return torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)


def momentum(random, tokens: int, scale: float = 1.0) -> torch.Tensor:
    """S = a S + M', M' = b M + ..., that is S = a S + b M + ..."""
    a, b = torch.rand(2, tokens, generator=random, dtype=torch.float64) * scale
    return torch.stack([torch.stack([a, b], -1), torch.stack([0 * a, b], -1)], -2)


def any_matrix(random, tokens: int) -> torch.Tensor:
    states = int(torch.randint(1, 4, (), generator=random))
    A = torch.randn(tokens, states, states, generator=random, dtype=torch.float64) * 0.6
    keep = torch.rand(A.shape, generator=random) < 0.8
    return torch.where(keep, A, torch.zeros_like(A))


KINDS = {
    "any": any_matrix,
    "rotation": lambda random, tokens: rotations(random, tokens, 0.99),
    "momentum": momentum,
    "forgets": lambda random, tokens: momentum(random, tokens, 1e-30),
}


def drawn(kind: str, seed: int) -> tuple[Coupled, torch.Tensor, torch.Generator]:
    random = torch.Generator().manual_seed(seed)

    def normal(*shape, scale=1.0):
        return torch.randn(shape, generator=random, dtype=torch.float64) * scale

    def number(low, high):
        return int(torch.randint(low, high + 1, (), generator=random))

    tokens, reads, writes, k, v = (number(*x) for x in ((1, 30), (1, 3), (1, 3), (1, 5), (1, 5)))
    A = KINDS[kind](random, tokens)
    states = A.shape[-1]
    inclusive = tuple(number(0, 1) == 1 for _ in range(reads))
    M = normal(tokens, writes, reads, scale=0.3) * ~torch.tensor(inclusive) * number(0, 1)
    form = Coupled(
        A,
        normal(tokens, reads, k, scale=0.5),
        normal(tokens, writes, k, scale=0.5),
        normal(tokens, writes, v),
        M,
        inclusive,
        tuple(number(0, states - 1) for _ in range(reads)),
        tuple(number(0, states - 1) for _ in range(writes)),
    )
    return form, normal(states, k, v), random


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", KINDS)
def test_the_chunked_form_and_its_gradient_are_those_of_the_loop(kind, seed):
    form, S, random = drawn(kind, seed)
    chunk = int(torch.randint(1, 20, (), generator=random))
    leaves = [x.clone().requires_grad_() for x in (*form.tensors(), S)]
    fixed = form.inclusive, form.of_reads, form.of_writes
    expected = coupled_form.loop(Coupled(*leaves[:-1], *fixed), leaves[-1])
    *actual, chunks = coupled_form.scan(form, S, chunk)
    for one, other in zip(actual, expected):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
    gY, gW, dS = (torch.randn(x.shape, generator=random, dtype=torch.float64) for x in expected)
    total = sum((x * g).sum() for x, g in zip(expected, (gY, gW, dS)))
    wanted = torch.autograd.grad(total, leaves)
    for number, (one, other) in enumerate(zip(coupled_form.gradient(chunks, dS, gY, gW), wanted)):
        # A read after its token's write feeds nothing back.
        of = (lambda x: x[..., ~torch.tensor(form.inclusive)]) if number == 4 else (lambda x: x)
        torch.testing.assert_close(of(one), of(other), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_tokens_in_float32_stay_within_rounding_of_fp64(kind):
    """Worst token over the root mean square of the outputs: as for scalar decays, 2e-5, and 1e-5 for most gradients."""
    random = torch.Generator().manual_seed(5)
    tokens, k, v = 1000, 16, 16
    A = KINDS[kind](random, tokens)
    if kind == "any":
        A = A / (1e-9 + A.norm(dim=(1, 2), keepdim=True))
    states = A.shape[-1]

    def normal(*shape):
        return torch.randn(shape, generator=random, dtype=torch.float64)

    R, K, V, M = (
        normal(tokens, 1, k),
        normal(tokens, 1, k),
        normal(tokens, 1, v),
        torch.zeros(tokens, 1, 1).double(),
    )
    fixed = (True,), (0,), (states - 1,)
    S = normal(states, k, v)
    gY, gW, dS = normal(tokens, 1, v), 0 * normal(tokens, 1, v), normal(states, k, v)
    results = []
    for type in (torch.float64, torch.float32):
        # Both begin with the same numbers, rounded to float32.
        given = [x.float().to(type) for x in (A, R, K, V, M, S, dS, gY, gW)]
        Y, _, _, chunks = coupled_form.scan(Coupled(*given[:5], *fixed), given[5], 32)
        results.append((Y, *coupled_form.gradient(chunks, *given[6:])))
    for number, (exact, rounded) in enumerate(zip(*results)):
        scale = exact.square().mean().sqrt()
        if scale == 0:
            continue
        error = ((rounded.double() - exact).flatten(1).norm(dim=1) / exact[0].numel() ** 0.5).max() / scale
        assert error < 2e-5, f"result {number}: {error:.1e}"
