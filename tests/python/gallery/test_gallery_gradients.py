"""The functions of the gallery under torch's autograd, against that of the loop in fp64."""

import gallery_walk as walk
import pytest
import torch
from gallery_cases import CASES

NAMES = sorted(CASES)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_the_loop(name):
    case = CASES[name]
    tensors, states = walk.tensors_of(case, 2, 40), walk.states_of(case, 2)
    ours = [x.clone().requires_grad_() for x in (*tensors.values(), *states)]
    exact = [x.double().requires_grad_() for x in (*tensors.values(), *states)]
    count = len(tensors)
    out, _ = walk.call(case, dict(zip(tensors, ours[:count])), ours[count:])
    expected, _ = walk.loop(case, dict(zip(tensors, exact[:count])), exact[count:])
    cotangent = torch.randn(expected.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    gradients = torch.autograd.grad(out, ours, cotangent.to(out.dtype), allow_unused=True)
    for of, one, other in zip(
        [*tensors, *case.states],
        gradients,
        torch.autograd.grad(expected, exact, cotangent, allow_unused=True),
        strict=True,
    ):
        other = torch.zeros_like(one, dtype=torch.float64) if other is None else other
        scale = other.square().mean().sqrt().clamp(min=1e-6)
        assert float((one.double() - other).abs().max() / scale) < (2e-4 if case.feedback else 5e-5) * 10, of
