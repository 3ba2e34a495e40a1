"""Gradients of random recurrences of the fuzzer, by differences of its loop in fp64.

A few by default; LINMU_GRADIENT_RECURRENCES sets how many are drawn.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import linmu
from gradient_support import gradients, worst_slope

sys.path.insert(0, str(Path(__file__).parent.parent / "fuzz"))
from function_text import function_text  # noqa: E402
from generator import random_recurrence  # noqa: E402
from loop import Loop  # noqa: E402
from operands import random_operands  # noqa: E402

RECURRENCES = int(os.environ.get("LINMU_GRADIENT_RECURRENCES", "10"))
TOKENS = 19


def drawn(seed: int):
    """Tails have no gradient yet, and rounding to 16 bits has none by differences."""
    form = random_recurrence(seed)
    tokens = {name: replace(token, tail=0, dtype=as_f32(token.dtype)) for name, token in form.tokens.items()}
    params = {name: replace(param, dtype=as_f32(param.dtype)) for name, param in form.params.items()}
    return replace(form, tokens=tokens, params=params, storage="f32")


def as_f32(dtype: str) -> str:
    return "f32" if dtype in ("bf16", "f16") else dtype


SEEDS = [seed for seed in range(10 * RECURRENCES) if not random_recurrence(seed).opaque][:RECURRENCES]


class Case:
    """A recurrence as a file, its operands and cotangents, and the cotangents by the results of its loop."""

    def __init__(self, seed: int, tokens: int, folder: Path):
        self.form, self.random = drawn(seed), np.random.default_rng([seed, 2])
        text, _ = function_text(self.form, np.random.default_rng([seed, 1]))
        operands = random_operands(self.form, tokens, self.random)
        results = linmu.compile(text, cache=False).results
        values = list(Loop(self.form, operands).run().items())
        self.cotangents, self.weights = {}, {}
        for (name, dtype, _), (key, value) in zip(results, values, strict=True):
            if dtype != "i32":
                self.cotangents[f"d_{name}"] = self.random.normal(size=value.shape).astype(np.float32)
                self.weights[key] = self.cotangents[f"d_{name}"]
        self.source = folder / "pattern.mlir"
        self.source.write_text(text)
        self.arrays = {name: tensor.numpy() for name, tensor in operands.items()}

    def gradients(self, *options: str):
        return gradients(self.source, self.source.parent, self.arrays | self.cotangents, *options)


# Results of the interpreter are stored in f32; differences in fp64 lose what is left.
@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_of_a_random_recurrence_is_that_of_its_loop(seed, tmp_path):
    case = Case(seed, TOKENS, tmp_path)
    form, arrays, weights, random = case.form, case.arrays, case.weights, case.random
    actual = case.gradients("--target=interpreter")

    def total(changed):
        tensors = {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in changed.items()}
        found = Loop(form, tensors).run()
        return sum(float((found[key] * weight).sum()) for key, weight in weights.items())

    # An operand of batch 1 that serves every batch has a gradient for each.
    for name, gradient in actual.items():
        if len(gradient) != len(arrays[name.removeprefix("d_")]):
            actual[name] = gradient.sum(0, keepdims=True)
    floats = {name: x.astype(np.float64) if x.dtype == np.float32 else x for name, x in arrays.items()}
    errors = worst_slope(total, floats, actual, random)
    assert max(errors.values()) < 2e-5, errors


# Kernels round every sum to f32; a recurrence that is fed back may multiply that.
@pytest.mark.parametrize("schedule", ["algorithm=auto", "algorithm=recurrent"])
@pytest.mark.parametrize("seed", SEEDS)
def test_kernels_give_the_gradients_of_the_interpreter(seed, schedule, tmp_path):
    case = Case(seed, 37, tmp_path)
    expected = case.gradients("--target=interpreter")
    actual = case.gradients(f"--schedule={schedule}")
    assert sorted(actual) == sorted(expected)
    for name, gradient in expected.items():
        scale = max(1.0, float(np.sqrt((gradient**2).mean())))
        assert float(np.abs(actual[name] - gradient).max()) < 2e-4 * scale, name
