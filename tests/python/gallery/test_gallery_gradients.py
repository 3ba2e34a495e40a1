"""The functions of the gallery under torch's autograd, against that of the loop in fp64."""

import shutil
import subprocess

import gallery_walk as walk
import pytest
import torch
from gallery_cases import CASES

import linmu

# Rules whose states are not affine in themselves, as the analysis sees them.
REFUSED = {"chunk_gated_oja_rule", "slstm"}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_has_no_gradient_says_so_when_it_is_asked_for(name):
    case = CASES[name]
    tensors = {of: x.requires_grad_() for of, x in walk.tensors_of(case, 1, 20).items()}
    out, _ = walk.call(case, tensors, walk.states_of(case, 1))
    with pytest.raises(linmu.PatternError, match="has no gradient yet, since its states are not affine"):
        out.sum().backward()


@pytest.mark.parametrize("name", sorted(set(CASES) - REFUSED))
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
        assert float((one.double() - other).abs().max() / scale) < (2e-4 if case.feedback else 5e-5), of


def test_the_gradient_is_the_same_text_in_every_process(tmp_path):
    case = CASES["rwkv7"]
    walk.call(case, walk.tensors_of(case, 1, 4), walk.states_of(case, 1))
    rule = linmu.gallery.rwkv7
    file = tmp_path / "rwkv7.mlir"
    file.write_text(rule.traced(*rule._last).located)
    command = [shutil.which("linmuc"), str(file), "--gradient"]
    texts = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(12)}
    assert len(texts) == 1
