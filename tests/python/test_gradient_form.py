"""The adjoint of the normal form, in chunks and by four scans, against autograd of the loop in fp64.

A few dozen forms by default; LINMU_GRADIENT_FORMS sets how many are drawn.
"""

import os
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "oracles"))
import gradient_walk  # noqa: E402
from gradient_walk import Walk  # noqa: E402

FORMS = int(os.environ.get("LINMU_GRADIENT_FORMS", "40"))
# Rounding of fp64 in sums of some dozen terms, amplified where reads feed back.
TOLERANCE = 1e-10


class Draw:
    """A random walk and its operands. The seed alone decides."""

    def __init__(self, seed: int):
        self.random = torch.Generator().manual_seed(seed)

    def number(self, low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=self.random))

    def pick(self, *choices):
        return choices[self.number(0, len(choices) - 1)]

    def uniform(self, *shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=self.random, dtype=torch.float64)

    def normal(self, *shape: int, scale: float = 1.0) -> torch.Tensor:
        return torch.randn(shape, generator=self.random, dtype=torch.float64) * scale

    def logarithms(self, tokens: int, features: int) -> torch.Tensor:
        """Of decays of every size, zero too."""
        u = self.uniform(tokens, features)
        sizes = torch.stack([-u, -u / 1000, *(torch.full_like(u, c) for c in (-5.0, -1e4, -torch.inf))])
        which = torch.randint(self.number(1, 5), (1, *u.shape), generator=self.random)
        return sizes.gather(0, which)[0]

    def sequences(self, tokens: int) -> list[int]:
        cuts = [self.number(0, tokens) for _ in range(self.pick(0, 0, 1, 3))]
        return [0, *sorted(cuts), tokens]

    def walk(self, tokens: int, reads: int) -> Walk:
        order = (
            torch.randperm(tokens, generator=self.random) if self.pick(True, False) else torch.arange(tokens)
        )
        return Walk(
            kind=self.pick("none", "scalar", "row", "value", "both"),
            inclusive=self.uniform(reads) < 0.5,
            cu=self.sequences(tokens),
            reverse=self.pick(True, False),
            order=order,
            segments=(self.uniform(tokens) < self.pick(0.0, 0.2)).cumsum(0),
            source=self.uniform(tokens) < self.pick(0.7, 1.0),
            output=self.uniform(tokens) < self.pick(0.7, 1.0),
        )

    def operands(self, walk: Walk, tokens: int) -> dict[str, torch.Tensor]:
        reads, writes = len(walk.inclusive), self.number(1, 3)
        k, v, taps = self.number(1, 6), self.number(1, 6), self.number(1, 4)
        tail, sequences = max(taps - 1, self.number(0, 3)), len(walk.cu) - 1
        g = self.logarithms(tokens, k if walk.kind in ("row", "both") else 1)
        h = self.logarithms(tokens, v if walk.kind in ("value", "both") else 1)
        fed = ~walk.inclusive & (walk.kind not in ("value", "both") and self.pick(True, False))
        negative = self.pick(0.0, 0.5)
        s, t = (torch.where(self.uniform(*x.shape) < negative, -1.0, 1.0).double() for x in (g, h))
        by_key, by_value = walk.kind not in ("none", "value"), walk.kind in ("value", "both")
        return {
            "g": g if by_key else torch.zeros_like(g),
            "h": h if by_value else torch.zeros_like(h),
            "s": s if by_key else torch.ones_like(s),
            "t": t if by_value else torch.ones_like(t),
            "R": self.normal(tokens, reads, k, scale=0.4),
            "X": self.normal(tokens, writes, k, scale=0.4),
            "V": self.normal(tokens, writes, v),
            "M": torch.where(fed, self.normal(tokens, writes, reads, scale=0.4), 0.0),
            "C": self.normal(taps, writes, k, scale=0.6),
            "tail": self.normal(sequences, tail, writes, k),
            "state": self.normal(sequences, k, v, scale=self.number(0, 1)),
        }


def compare(actual: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], walk: Walk) -> None:
    """The worst element relative to the RMS of its gradient, at least 1."""
    for name, value in expected.items():
        # Signs have no gradient, nor has what is no decay; a read after its token's write feeds nothing back.
        decays = {"none": "", "value": "h", "both": "gh"}.get(walk.kind, "g")
        if name in ("s", "t", "M") or (name in ("g", "h") and name not in decays):
            continue
        scale = max(1.0, float(value.square().mean().sqrt())) if value.numel() else 1.0
        worst = float((actual[name] - value).abs().max()) if value.numel() else 0.0
        assert worst < TOLERANCE * scale, f"d{name}: {worst}"
    fed = ~walk.inclusive
    torch.testing.assert_close(actual["M"][..., fed], expected["M"][..., fed], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scans", [False, True], ids=["one_walk", "four_scans"])
@pytest.mark.parametrize("seed", range(FORMS))
def test_the_gradient_of_a_walk_is_that_of_its_loop(seed, scans):
    draw = Draw(seed)
    tokens = draw.number(1, 40)
    walk = draw.walk(tokens, reads=draw.number(1, 3))
    x = draw.operands(walk, tokens)
    leaves = {name: value.clone().requires_grad_() for name, value in x.items()}
    results = gradient_walk.forward(walk, leaves)
    cotangents = tuple(draw.normal(*result.shape) for result in results)
    total = sum((result * d).sum() for result, d in zip(results, cotangents))
    expected = dict(zip(x, torch.autograd.grad(total, leaves.values())))
    actual = gradient_walk.gradient(walk, x, cotangents, draw.pick(1, 3, 8, 16, 40), scans)
    compare(actual, expected, walk)


@pytest.mark.parametrize("scans", [False, True], ids=["one_walk", "four_scans"])
@pytest.mark.parametrize("seed", range(FORMS // 4))
def test_the_gradient_of_both_directions_with_a_gate_is_that_of_their_loops(seed, scans):
    draw = Draw(1000 + seed)
    tokens = draw.number(1, 30)
    walk = draw.walk(tokens, reads=draw.number(1, 3))
    x, gate = draw.operands(walk, tokens), draw.uniform(tokens, 1, 1)
    leaves = {name: value.clone().requires_grad_() for name, value in x.items()}
    gate_leaf = gate.clone().requires_grad_()
    results = gradient_walk.forward_both(walk, leaves, gate_leaf)
    cotangents = tuple(draw.normal(*result.shape) for result in results)
    total = sum((result * d).sum() for result, d in zip(results, cotangents))
    *expected, expected_gate = torch.autograd.grad(total, [*leaves.values(), gate_leaf])
    actual, d_gate = gradient_walk.gradient_both(walk, x, gate, cotangents, draw.pick(3, 8, 40), scans)
    compare(actual, dict(zip(x, expected)), walk)
    torch.testing.assert_close(d_gate, expected_gate, rtol=1e-10, atol=1e-10)
