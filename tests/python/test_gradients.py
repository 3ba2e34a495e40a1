"""Gradients of published recurrences: those of their equations, by differences in fp64."""

import functools

import numpy as np
import pytest

from gradient_support import gradients, refusal, worst_slope
from recurrence_oracles import RECURRENCES
from recurrence_support import kernel_of, loop, operands_of, path_of

TOKENS = 37
TAILS = ["mamba2"]
AFFINE = [
    name for name, recurrence in sorted(RECURRENCES.items()) if recurrence.chunked and name not in TAILS
]
OPAQUE = [name for name, recurrence in sorted(RECURRENCES.items()) if not recurrence.chunked]


@functools.cache
def case(name: str):
    """Inputs in f32 and cotangents by the results' names."""
    operands, random = operands_of(name, TOKENS), np.random.default_rng(5)
    output, trajectory = loop(name, operands)
    results = [output, *trajectory[-1]]
    cotangents = {}
    for (result, _, _), value in zip(kernel_of(name).results, results, strict=True):
        cotangents[f"d_{result}"] = random.normal(size=value.shape).astype(np.float32)
    return operands, cotangents


def total_of(name: str, cotangents):
    """The results' inner product with their cotangents, of operands in fp64."""

    def total(operands):
        output, trajectory = loop(name, operands)
        return sum(
            float((x * d).sum()) for x, d in zip([output, *trajectory[-1]], cotangents.values(), strict=True)
        )

    return total


# Results of the interpreter are stored in f32; kernels round every sum.
@pytest.mark.parametrize("target,tolerance", [("interpreter", 2e-6), ("cpu", 2e-4)])
@pytest.mark.parametrize("name", AFFINE)
def test_the_gradient_of_a_recurrence_is_that_of_its_equations(name, target, tolerance, tmp_path):
    operands, cotangents = case(name)
    actual = gradients(path_of(name), tmp_path, operands | cotangents, f"--target={target}")
    assert sorted(actual) == sorted(f"d_{key}" for key in operands)
    exact = {key: value.astype(np.float64) for key, value in operands.items()}
    errors = worst_slope(total_of(name, cotangents), exact, actual, np.random.default_rng(7))
    assert max(errors.values()) < tolerance, errors


@pytest.mark.parametrize("target,tolerance", [("interpreter", 2e-6), ("cpu", 2e-4)])
@pytest.mark.parametrize("name", TAILS)
def test_beside_tails_the_results_and_inputs_that_are_none_have_gradients(name, target, tolerance, tmp_path):
    operands, cotangents = case(name)
    given = {key: value for key, value in cotangents.items() if "_tail" not in key}
    of = "--of=" + ",".join(key.removeprefix("d_") for key in given)
    wrt = [key for key in operands if "_tail" not in key]
    arguments = (f"--target={target}", of, "--wrt=" + ",".join(wrt))
    actual = gradients(path_of(name), tmp_path, operands | given, *arguments)
    assert sorted(actual) == sorted(f"d_{key}" for key in wrt)
    weights = {key: value if key in given else np.zeros_like(value) for key, value in cotangents.items()}
    exact = {key: value.astype(np.float64) for key, value in operands.items()}
    errors = worst_slope(total_of(name, weights), exact, actual, np.random.default_rng(7))
    assert max(errors.values()) < tolerance, errors


@pytest.mark.parametrize("name", OPAQUE)
def test_a_recurrence_that_is_not_affine_is_refused_at_the_op_that_stands_in_the_way(name):
    message = refusal(path_of(name))
    assert "has no gradient yet, since its states are not affine in themselves" in message
    assert RECURRENCES[name].opaque[1] in message


@pytest.mark.parametrize("name", TAILS)
def test_a_gradient_through_tails_is_refused(name):
    assert "has no gradient yet through its final tails" in refusal(path_of(name))
