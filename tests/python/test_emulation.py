"""Kernels for GPUs run without one: `linmuc --target=emulate` gives what the fp64 definition gives, with every access in order."""

import subprocess

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

import linmu
from recurrence_oracles import RECURRENCES
from recurrence_support import loop, operands_of, path_of, worst_of

HEADS, TOKENS = 2, 70


def scan(
    size: int,
    decay: str = "scalar",
    feedback: bool = False,
    dtype: str = "f32",
    direction: str = "",
    clauses: str = "",
    signed: bool = False,
) -> str:
    """`decay`: scalar, by row, by value or of both axes, the values' by sigmoid(v) then; `signed`: in [-1, 1]."""
    token, vector = f"tensor<?x?x{HEADS}x{size}x{dtype}>", f"tensor<{size}xf32>"
    gate, gate_slice = (f"tensor<?x?x{HEADS}xf32>", "f32") if decay == "scalar" else (token, vector)
    along = {"scalar": "", "row": "along 0 ", "value": "along 1 ", "both": "along 0 "}[decay]
    gates = "math.tanh" if signed else "pattern.sigmoid"
    matrix, state = f"tensor<{size}x{size}xf32>", f"tensor<?x{HEADS}x{size}x{size}xf32>"
    read = (
        f"%u = pattern.read %D, %kt : {matrix}, {vector}\n    %w = arith.subf %vt, %u : {vector}"
        if feedback
        else f"%w = arith.addf %vt, %vt : {vector}"
    )
    decayed = f"%D = arith.mulf %A, %S : {matrix}"
    if decay == "both":
        decayed = f"""%b = {gates} %vt : {vector}
    %B = pattern.broadcast %b along 1 : {vector} to {matrix}
    %C = arith.mulf %A, %S : {matrix}
    %D = arith.mulf %B, %C : {matrix}"""
    return f"""
func.func @f(%q: {token}, %k: {token}, %v: {token}, %g: {gate}, %s0: {state},
             %order: tensor<?x?xi32>, %id: tensor<?x?xi32>) -> ({token}, {state}) {{
  %o, %s = pattern.scan {direction}
      tokens(%qt = %q : {token}, %kt = %k : {token}, %vt = %v : {token}, %gt = %g : {gate})
      states(%S = %s0 : {state}) {clauses} -> ({token}) {{
    %a = {gates} %gt : {gate_slice}
    %A = pattern.broadcast %a {along}: {gate_slice} to {matrix}
    {decayed}
    {read}
    %W = pattern.outer %kt, %w : {vector}, {vector}
    %S1 = arith.addf %D, %W : {matrix}
    %y = pattern.read %S1, %qt : {matrix}, {vector}
    pattern.yield outputs(%y : {vector}) states(%S1 : {matrix})
  }}
  return %o, %s : {token}, {state}
}}
"""


def run(tmp_path, text: str, inputs: dict, target: str, schedule: str = "") -> dict:
    (tmp_path / "f.mlir").write_text(text)
    save_file(inputs, tmp_path / "in.safetensors")
    out = tmp_path / f"{target}.safetensors"
    command = [
        "linmuc",
        tmp_path / "f.mlir",
        "--run",
        tmp_path / "in.safetensors",
        "--out",
        out,
        f"--target={target}",
    ]
    if schedule and target != "interpreter":
        command.append(f"--schedule={schedule}")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return load_file(out)


def operands(size: int, decay: str) -> dict:
    random = np.random.default_rng(5)
    shape = (1, TOKENS, HEADS, size)
    k = random.standard_normal(shape)
    return {
        "q": random.standard_normal(shape).astype(np.float32),
        "k": (k / np.linalg.norm(k, axis=-1, keepdims=True)).astype(np.float32),
        "v": random.standard_normal(shape).astype(np.float32),
        "g": (random.standard_normal(shape[:3] if decay == "scalar" else shape) + 2).astype(np.float32),
        "s0": random.standard_normal((1, HEADS, size, size)).astype(np.float32),
        "order": random.permutation(TOKENS).astype(np.int32)[None],
        "id": np.repeat([0, 1, 2], [21, 30, TOKENS - 51])[None].astype(np.int32),
    }


CASES = {
    "scalar": (32, {}, "chunk=32"),
    "columns": (32, {}, "chunk=32,columns=16"),
    "row": (32, {"decay": "row"}, "chunk=32"),
    "value": (16, {"decay": "value"}, "chunk=16"),
    "both": (16, {"decay": "both"}, "chunk=16"),
    "signed": (16, {"signed": True, "feedback": True}, "chunk=16"),
    "feedback": (16, {"feedback": True}, "chunk=16"),
    "recurrent": (32, {}, "algorithm=recurrent"),
    "two_kernels": (16, {}, "algorithm=two_kernels,chunk=16"),
    "odd": (24, {}, "chunk=16"),
    "ordered": (
        16,
        {
            "direction": "reverse",
            "clauses": "order(%order : tensor<?x?xi32>) segments(%id : tensor<?x?xi32>)",
        },
        "chunk=16",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_kernels_for_gpus_compute_what_the_definition_says(tmp_path, name):
    size, form, schedule = CASES[name]
    text, inputs = scan(size, **form), operands(size, form.get("decay", "scalar"))
    expected = run(tmp_path, text, inputs, "interpreter")
    actual = run(tmp_path, text, inputs, "emulate", schedule)
    for result, exact in expected.items():
        error = np.sqrt(np.mean((actual[result] - exact) ** 2, axis=-1)).max() / np.sqrt(np.mean(exact**2))
        assert error < (1e-4 if form.get("feedback") else 2e-5), f"{name}, {result}: {error:.1e}"


@pytest.mark.parametrize("name", sorted(RECURRENCES))
def test_published_recurrences_equal_their_equations(name):
    """Three chunks, the last one cut."""
    tokens = 40
    operands = operands_of(name, tokens)
    schedule = {"chunk": 16} if RECURRENCES[name].chunked else {}
    output, *states = linmu.compile(path_of(name), target="emulate", schedule=schedule)(**operands)
    expected, trajectory = loop(name, operands)
    tolerance = 1e-4 if RECURRENCES[name].feedback else 2e-5
    assert worst_of(name, output, states, expected, trajectory[tokens]) < tolerance


def test_a_kernel_is_emulated_again_without_compiling_it_again(monkeypatch):
    """By a call of another length, with no compiler to be found any more."""
    kernel = linmu.compile(scan(16), target="emulate", schedule={"chunk": 16}, cache=False)
    assert kernel.runs_on == "cpu"
    inputs = operands(16, "scalar")
    first, _ = kernel(**inputs)
    monkeypatch.setenv("TMPDIR", "/dev/null")
    half = {name: x[:, :40] if x.shape[1:2] == (TOKENS,) else x for name, x in inputs.items()}
    again, _ = kernel(**half)
    np.testing.assert_array_equal(again, first[:, :40])
    fresh = linmu.compile(scan(16, "row"), target="emulate", schedule={"chunk": 16}, cache=False)
    with pytest.raises(NotImplementedError, match="incomplete: chunked.*: cannot create a folder"):
        fresh(**operands(16, "row"))


def test_operands_may_be_views_of_one_tensor_and_of_no_token():
    """Keys and values as a projection makes them side by side; sequences without a token have no memory."""
    kernel = linmu.compile(scan(16), target="emulate", schedule={"chunk": 16}, cache=False)
    inputs = operands(16, "scalar")
    expected, state = kernel(**inputs)
    fused = np.full((1, TOKENS, 2 * HEADS * 16 + 4), np.nan, np.float32)
    for name, place in (("k", 0), ("v", HEADS * 16 + 4)):
        view = fused[:, :, place : place + HEADS * 16].reshape(1, TOKENS, HEADS, 16)
        view[:] = inputs[name]
        assert np.shares_memory(view, fused)
        inputs[name] = view
    actual, _ = kernel(**inputs)
    np.testing.assert_array_equal(actual, expected)
    none = {name: x[:, :0] if x.shape[1:2] == (TOKENS,) else x for name, x in inputs.items()}
    output, state = kernel(**none)
    assert output.shape == (1, 0, HEADS, 16)
    np.testing.assert_array_equal(state, inputs["s0"])


@pytest.mark.parametrize(("size", "schedule"), [(5, {}), (16, {"columns": 3}), (24, {"columns": 10})])
@pytest.mark.parametrize("dtype", ["bf16", "f16"])
def test_rows_whose_parts_are_no_whole_words(size, schedule, dtype):
    """Such rows of 16 bits cannot be copied by 4 bytes, the least that a copy ahead moves."""
    text = scan(size, dtype=dtype)
    torch_type = {"bf16": torch.bfloat16, "f16": torch.float16}[dtype]
    inputs = {name: torch.from_numpy(x) for name, x in operands(size, "scalar").items()}
    inputs |= {name: inputs[name].to(torch_type) for name in "qkv"}
    schedule = {"chunk": 16, **schedule}
    output, state = linmu.compile(text, target="emulate", schedule=schedule, cache=False)(**inputs)
    expected, exact = linmu.compile(text, cache=False)(**inputs)
    for actual, right in ((output, expected), (state, exact)):
        error = (actual.double() - right.double()).square().mean(
            -1
        ).sqrt().max() / right.double().square().mean().sqrt()
        assert error < 2e-2


def test_emulation_checks_tables_as_a_launch_does():
    ordered = "order(%order : tensor<?x?xi32>) segments(%id : tensor<?x?xi32>)"
    kernel = linmu.compile(scan(16, clauses=ordered), target="emulate", schedule={"chunk": 16})
    inputs = operands(16, "scalar")
    inputs["order"][0, 3] = TOKENS
    with pytest.raises(ValueError, match="operand 'order'.*got 70"):
        kernel(**inputs)


def test_emulation_runs_patterns_only(tmp_path):
    (tmp_path / "f.mlir").write_text(scan(16))
    result = subprocess.run(
        ["linmuc", tmp_path / "f.mlir", "--target=emulate", "--emit=tile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.strip() == "linmuc: error: --target=emulate requires --run; see linmuc --help"
