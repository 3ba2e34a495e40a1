"""Gradients by `linmuc --gradient`, and what they are held against: differences of a loop in fp64 along directions."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

LINMUC = shutil.which("linmuc") or str(Path(__file__).resolve().parents[2] / "build" / "bin" / "linmuc")

Tensors = dict[str, np.ndarray]


def gradients(source: Path, folder: Path, inputs: Tensors, *options: str) -> Tensors:
    """d_INPUT for each input of floats, on the CPU unless the options say otherwise."""
    save_file({name: np.ascontiguousarray(x) for name, x in inputs.items()}, folder / "in.safetensors")
    command = [LINMUC, str(source), "--gradient", "--run", str(folder / "in.safetensors")]
    command += ["--out", str(folder / "out.safetensors"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return load_file(folder / "out.safetensors")


def refusal(source: Path, *options: str) -> str:
    """The message of a pattern that has no gradient."""
    command = [LINMUC, str(source), "--gradient", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and not done.stdout
    return done.stderr


def slope(total: Callable[[Tensors], float], inputs: Tensors, name: str, direction: np.ndarray) -> float:
    """The derivative of `total` along a direction of one input: central differences of the fourth order."""

    def at(step: float) -> float:
        return total({**inputs, name: inputs[name] + step * direction})

    step = 1e-5
    return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)


def worst_slope(
    total: Callable[[Tensors], float], inputs: Tensors, actual: Tensors, random
) -> dict[str, float]:
    """By input: the difference along a random direction, relative to the gradient's norm, at least 1."""
    errors = {}
    for name, gradient in actual.items():
        key = name.removeprefix("d_")
        scale = max(1.0, float(np.linalg.norm(gradient)))
        direction = random.normal(size=inputs[key].shape)
        expected = slope(total, inputs, key, direction)
        errors[key] = abs(float((gradient * direction).sum()) - expected) / scale
    return errors
