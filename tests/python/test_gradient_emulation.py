"""Gradients as kernels for GPUs, without one: by emulation, with every access in order, against the fp64 definition.

Some by day; with TEST_NIGHTLY those of every published recurrence, and of both directions.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import linmu
from gradient_support import gradients
from recurrence_oracles import RECURRENCES
from recurrence_support import path_of
from test_gradients import AFFINE, case

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
from patterns import both, scan  # noqa: E402

HEADS, SIZE, TOKENS = 2, 16, 40
NIGHTLY = bool(os.environ.get("TEST_NIGHTLY"))

# Text by name and type, and a schedule: three chunks, the last one cut, in two segments or two slices of columns.
CASES = {
    "scalar": (lambda dtype: scan(HEADS, SIZE, dtype=dtype), "chunk=16,segments=2"),
    "row": (lambda dtype: scan(HEADS, SIZE, decay="row", dtype=dtype), "chunk=16,segments=2"),
    "delta": (lambda dtype: scan(HEADS, SIZE, feedback=True, dtype=dtype), "chunk=16,columns=8"),
    "both": (lambda dtype: both(HEADS, SIZE, dtype), "chunk=16"),
}
BY_DAY = [("scalar", "bf16"), ("row", "f32"), ("delta", "f32")]
AT_NIGHT = [(name, dtype) for name in CASES for dtype in ("f32", "bf16") if (name, dtype) not in BY_DAY]


def operands_of(name: str, kernel, dtype: str) -> dict[str, torch.Tensor]:
    """Decays are logarithms; keys have length 1."""
    draw = torch.Generator().manual_seed(3)
    types = {"f32": torch.float32, "bf16": torch.bfloat16}
    operands = {}
    for operand, kind, shape in kernel.inputs:
        extents = [{"B": 1, "N": TOKENS}.get(extent, extent) for extent in shape]
        x = torch.randn(extents, generator=draw)
        if operand == "k":
            x = torch.nn.functional.normalize(x, dim=-1)
        elif operand in ("g", "h"):
            x = -0.3 * x.abs()
        elif operand in ("b", "c"):
            x = x.sigmoid()
        operands[operand] = x.to(types[kind])
    return operands


def errors_of(actual: np.ndarray, exact: np.ndarray) -> tuple[float, float]:
    """Of the worst token and head, relative to the head's root mean square; and of all of it."""
    difference = (actual - exact).reshape(*exact.shape[:3], -1)
    scale = np.sqrt(np.mean(exact.reshape(*exact.shape[:3], -1) ** 2, axis=(0, 1, 3)))
    worst = (np.sqrt(np.mean(difference**2, axis=-1)) / scale).max()
    return float(worst), float(np.linalg.norm(difference) / np.linalg.norm(exact))


@pytest.mark.parametrize(("name", "dtype"), BY_DAY + AT_NIGHT * NIGHTLY)
def test_kernels_for_gpus_give_the_gradients_of_the_definition(name, dtype, tmp_path):
    text, schedule = CASES[name]
    chosen = dict(setting.split("=") for setting in schedule.split(","))
    kernel = linmu.compile(text(dtype), target="emulate", schedule=chosen, cache=False).gradient()
    operands = operands_of(name, kernel, dtype)
    source = tmp_path / "pattern.mlir"
    source.write_text(text("f32"))
    exact = gradients(
        source, tmp_path, {key: x.float().numpy() for key, x in operands.items()}, "--target=interpreter"
    )
    for (result, _, _), gradient in zip(kernel.results, kernel(**operands), strict=True):
        worst, whole = errors_of(gradient.double().numpy(), exact[result])
        # Sums of f32, which feedback multiplies; of bf16 operands, what products round.
        if dtype == "f32":
            assert worst < (2e-4 if name == "delta" else 5e-5), f"{name}, {result}: {worst:.1e}"
        else:
            limit = 1e-2 if result in ("d_g", "d_h") else 5e-3
            assert worst < 2e-2 and whole < limit, f"{name}, {result}: {worst:.1e}, {whole:.1e}"


@pytest.mark.skipif(not NIGHTLY, reason="minutes for the host's compiler: at night")
@pytest.mark.parametrize("name", AFFINE)
def test_kernels_for_gpus_give_the_gradients_of_published_recurrences(name, tmp_path):
    operands, cotangents = case(name)
    both_of = operands | cotangents
    exact = gradients(path_of(name), tmp_path, both_of, "--target=interpreter")
    actual = gradients(path_of(name), tmp_path, both_of, "--target=emulate", "--schedule=chunk=16")
    assert sorted(actual) == sorted(exact)
    limit = 2e-4 if RECURRENCES[name].feedback else 5e-5
    for result, gradient in exact.items():
        scale = np.sqrt(np.mean(gradient.astype(np.float64) ** 2)) or 1.0
        error = np.abs(actual[result].astype(np.float64) - gradient).max() / scale
        # The largest element, where a token's root mean square is meant: no more than four of these.
        assert error < 4 * limit, f"{name}, {result}: {error:.1e}"


def test_a_gradient_is_compiled_for_the_device_of_its_kernel():
    """By NVRTC: under autograd, operands on a GPU have a gradient that runs there."""
    pytest.importorskip("nvidia.cu13", reason="this machine's torch brings no NVRTC")
    kernel = linmu.compile(scan(HEADS, SIZE), target="cuda:sm_80", schedule={"chunk": 16}, cache=False)
    assert kernel.runs_on == "cuda"
    assert kernel.gradient(["q"]).runs_on == "cuda"
