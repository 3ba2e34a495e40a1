"""Results of a pattern from its kernel, with operands as callers may hold them, and from the interpreter."""

import subprocess
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import linmu
from comparison import Mismatch
from guarded import Guarded
from operands import TORCH


def call(
    kernel: linmu.Kernel,
    operands: dict[str, torch.Tensor],
    tokens: set[str],
    sizes: dict[str, int],
    rng,
    alignment: int = 1,
) -> list[torch.Tensor]:
    """`tokens` names the token operands, `sizes` the extents B, N and S of results."""
    guarded = Guarded(alignment)
    inputs = guarded.like_callers(operands, tokens, rng)
    results = []
    for _, dtype, shape in kernel.results:
        # An element that is not written stays NaN, or an id that no segment has.
        unwritten = -1 if dtype == "i32" else float("nan")
        empty = torch.full([sizes.get(e, e) for e in shape], unwritten, dtype=TORCH[dtype])
        results.append(guarded.copy(empty))
    kernel(**inputs, out=results)
    return [result.clone() for result in results]


def interpret(text: str, operands: dict[str, torch.Tensor], results: list[str]) -> list[torch.Tensor]:
    """`results` are their names in the text."""
    with tempfile.TemporaryDirectory() as folder:
        pattern, inputs, outputs = (Path(folder) / name for name in ("cell.mlir", "in", "out"))
        pattern.write_text(text)
        save_file({name: tensor.contiguous() for name, tensor in operands.items()}, inputs)
        command = ["linmuc", pattern, "--run", inputs, "--out", outputs, "--target=interpreter"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Mismatch(f"the interpreter: {done.stderr}")
        stored = load_file(outputs)
    return [stored[name] for name in results]
