"""linmuc --run: tensors of a file in, tensors of a file out, on both targets."""

import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

LINMUC = Path(__file__).resolve().parents[2] / "build" / "bin" / "linmuc"

RECALL = """
!rows = tensor<?x?xHEADSxDIMxf32>
!state = tensor<?xHEADSxDIMxDIMxf32>
func.func @recall(%q: !rows, %k: !rows, %v: !rows, %g: tensor<?x?xHEADSxf32>, %s0: !state) -> (!rows, !state) {
  %o, %s = pattern.scan tokens(%qt = %q : !rows, %kt = %k : !rows, %vt = %v : !rows, %gt = %g : tensor<?x?xHEADSxf32>)
      states(%S = %s0 : !state) -> (!rows) {
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to tensor<DIMxDIMxf32>
    %D = arith.mulf %A, %S : tensor<DIMxDIMxf32>
    %W = pattern.outer %kt, %vt : tensor<DIMxf32>, tensor<DIMxf32>
    %S1 = arith.addf %D, %W : tensor<DIMxDIMxf32>
    %y = pattern.read %S1, %qt : tensor<DIMxDIMxf32>, tensor<DIMxf32>
    pattern.yield outputs(%y : tensor<DIMxf32>) states(%S1 : tensor<DIMxDIMxf32>)
  }
  return %o, %s : !rows, !state
}
"""

PATTERN = (
    RECALL.replace("HEADS", "2").replace("DIM", "8")
    + """
func.func @double(%x: tensor<?x?x1xbf16>, %live: tensor<?x?x1xi1>, %n: tensor<?x?x1xi32>) -> tensor<?x?x1xf16> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x1xbf16>, %l = %live : tensor<?x?x1xi1>, %i = %n : tensor<?x?x1xi32>)
      -> (tensor<?x?x1xf16>) {
    %f = arith.sitofp %i : i32 to f32
    %b = arith.addf %a, %f : f32
    %c = arith.select %l, %b, %a : f32
    pattern.yield outputs(%c : f32)
  }
  return %y : tensor<?x?x1xf16>
}
"""
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pattern.mlir").write_text(PATTERN)
    return tmp_path


def linmuc(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "LINMU_CACHE_DIR": str(folder / "cache")}
    return subprocess.run(
        [LINMUC, "pattern.mlir", *arguments],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def run(folder: Path, function: str, target: str, tensors: dict) -> dict:
    save_file(tensors, folder / "in.safetensors")
    done = linmuc(
        folder,
        f"--function={function}",
        "--run",
        "in.safetensors",
        "--out",
        "out.safetensors",
        f"--target={target}",
    )
    assert (done.returncode, done.stderr) == (0, "")
    return load_file(folder / "out.safetensors")


def recall_operands(tokens: int) -> dict:
    random = torch.Generator().manual_seed(tokens)
    rows = {name: torch.randn(2, tokens, 2, 8, generator=random) for name in "qkv"}
    return {
        **rows,
        "g": torch.randn(2, tokens, 2, generator=random),
        "s0": torch.randn(2, 2, 8, 8, generator=random),
    }


@pytest.mark.parametrize("target", ["interpreter", "cpu"])
@pytest.mark.parametrize("tokens", [0, 1, 70])
def test_a_run_gives_what_the_recurrence_gives_in_torch(folder, target, tokens):
    x = recall_operands(tokens)
    out = run(folder, "recall", target, x)
    q, k, v, g, state = (x[name].double() for name in ("q", "k", "v", "g", "s0"))
    o = torch.zeros(2, tokens, 2, 8, dtype=torch.float64)
    for t in range(tokens):
        state = g[:, t].sigmoid()[..., None, None] * state + k[:, t, :, :, None] * v[:, t, :, None, :]
        o[:, t] = torch.einsum("bhk,bhkv->bhv", q[:, t], state)
    assert out.keys() == {"o", "s"}
    # f32 sums of some tens of terms of size one.
    torch.testing.assert_close(out["o"].double(), o, rtol=2e-5, atol=2e-5)
    torch.testing.assert_close(out["s"].double(), state, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("target", ["interpreter", "cpu"])
def test_every_element_type_is_read_and_rounded_as_torch_rounds_it(folder, target):
    # Halves of f16's last place at several exponents, subnormals, the largest value, overflow, infinity and NaN.
    x = torch.tensor(
        [1.0, -2.5, 1 + 2**-7, 2.0**-20, 65504.0, 1e38, float("inf"), float("nan")], dtype=torch.bfloat16
    )
    n = torch.tensor([0, 3, 2049, 0, 2051, -1, 7, 5], dtype=torch.int32)
    live = torch.tensor([1, 1, 1, 0, 1, 1, 0, 1], dtype=torch.bool)
    out = run(
        folder, "double", target, {"x": x[None, :, None], "live": live[None, :, None], "n": n[None, :, None]}
    )
    expected = torch.where(live, x.float() + n.float(), x.float()).half()
    torch.testing.assert_close(out["y"].flatten(), expected, rtol=0, atol=0, equal_nan=True)


def test_both_targets_agree_with_an_override_of_the_types(folder):
    x = recall_operands(33)
    results = {}
    for target in ("interpreter", "cpu"):
        save_file({**x, **{name: x[name].bfloat16() for name in "qkv"}}, folder / "in.safetensors")
        done = linmuc(
            folder,
            "--function=recall",
            "--define=rows=tensor<?x?x2x8xbf16>",
            *("--run", "in.safetensors", "--out", "out.safetensors", f"--target={target}"),
        )
        assert done.returncode == 0, done.stderr
        results[target] = load_file(folder / "out.safetensors")["o"]
    assert results["cpu"].dtype == torch.bfloat16
    # One last place of bf16.
    torch.testing.assert_close(results["cpu"].float(), results["interpreter"].float(), rtol=2**-7, atol=1e-3)


def wrong(**changes):
    tensors = recall_operands(5)
    for name, tensor in changes.items():
        if tensor is None:
            del tensors[name]
        else:
            tensors[name] = tensor
    return tensors


@pytest.mark.parametrize(
    "tensors, message",
    [
        (wrong(v=None), "in.safetensors: requires a tensor 'v', F32 [batch, tokens, 2, 8], for pattern 'recall'; has g, k, q, s0"),
        (wrong(v=None, g=None, s0=None, w=torch.zeros(1)), "in.safetensors: requires tensors 'v', F32 [batch, tokens, 2, 8], and 'g', F32 [batch, tokens, 2], and 's0', F32 [batch, 2, 8, 8], for pattern 'recall'; has k, q, w"),
        (wrong(q=None, k=None, v=None, g=None, s0=None), "in.safetensors: requires tensors 'q', F32 [batch, tokens, 2, 8], and 'k', F32 [batch, tokens, 2, 8], and 'v', F32 [batch, tokens, 2, 8], and 'g', F32 [batch, tokens, 2], and 's0', F32 [batch, 2, 8, 8], for pattern 'recall'; has none"),
        (wrong(k=torch.zeros(2, 5, 2, 8).half()), "in.safetensors: requires tensor 'k' to be F32 [batch, tokens, 2, 8], got F16 [2, 5, 2, 8]"),
        (wrong(k=torch.zeros(2, 4, 2, 8)), "in.safetensors: operand 'k' of pattern 'recall': expected shape [B=2, N=5, 2, 8], got [2, 4, 2, 8]"),
        (wrong(k=torch.zeros(2, 5, 1, 8)), "in.safetensors: operand 'k' of pattern 'recall': expected shape [B=2, N=5, 2, 8], got [2, 5, 1, 8]"),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_give_one_message_and_leave_the_output_alone(folder, tensors, message):
    save_file(tensors, folder / "in.safetensors")
    (folder / "out.safetensors").write_bytes(b"before")
    for target in ("interpreter", "cpu"):
        done = linmuc(
            folder,
            "--function=recall",
            "--run",
            "in.safetensors",
            "--out",
            "out.safetensors",
            f"--target={target}",
        )
        assert done.returncode == 1
        assert done.stderr == f"linmuc: error: {message}\n"
        assert (folder / "out.safetensors").read_bytes() == b"before"


@pytest.mark.parametrize("target", ["interpreter", "cpu"])
def test_tensors_that_are_no_operand_are_named_in_one_warning(folder, target):
    tensors = wrong(w=torch.zeros(1), a=torch.zeros(2, dtype=torch.float64))
    save_file(tensors, folder / "in.safetensors")
    done = linmuc(
        folder,
        "--function=recall",
        *("--run", "in.safetensors", "--out", "out.safetensors", f"--target={target}"),
    )
    assert done.returncode == 0
    assert done.stderr == (
        "linmuc: warning: in.safetensors: pattern 'recall' has no operand 'a', 'w', which the file holds\n"
    )
    assert load_file(folder / "out.safetensors").keys() == {"o", "s"}


def test_a_schedule_that_is_none_is_refused_by_both_targets(folder):
    save_file(recall_operands(3), folder / "in.safetensors")
    arguments = ("--function=recall", "--run", "in.safetensors", "--out", "out.safetensors")
    for target in ("interpreter", "cpu"):
        done = linmuc(folder, *arguments, f"--target={target}", "--schedule=chunks=8")
        assert done.returncode == 1
        assert done.stderr == (
            "pattern.mlir:1:1: error: schedule: requires a key out of algorithm, blocks, chunk, columns, cores, fuse, key_block, map_block, "
            "prepare, query_block, recurrent_below, score_growth, segments, warps, whole_blocks and window_share, got 'chunks'\n"
        )


def test_help_says_how_run_names_tensors(folder):
    help_text = subprocess.run([LINMUC, "--help"], check=True, capture_output=True, text=True).stdout
    for words in (
        "--run matches tensors to operands by name",
        'save_file({"x": x, "decay": decay}',
        "y_0 or y_1",
    ):
        assert words in help_text
    (
        folder / "pattern.mlir"
    ).write_text("""func.func @f(%x: tensor<?x?x1xf32>) -> (tensor<?x?x1xf32>, tensor<?x?x1xf32>) {
  %y:2 = pattern.map tokens(%a = %x : tensor<?x?x1xf32>) -> (tensor<?x?x1xf32>, tensor<?x?x1xf32>) {
    %b = arith.negf %a : f32
    pattern.yield outputs(%a, %b : f32, f32)
  }
  return %y#0, %y#1 : tensor<?x?x1xf32>, tensor<?x?x1xf32>
}
""")
    save_file({"x": torch.tensor([[[0.5], [2.0]]])}, folder / "in.safetensors")
    done = linmuc(folder, "--run", "in.safetensors", "--out", "out.safetensors")
    assert (done.returncode, done.stderr) == (0, "")
    assert load_file(folder / "out.safetensors").keys() == {"y_0", "y_1"}


def test_files_that_are_no_tensors_give_one_message(folder):
    arguments = ("--function=recall", "--run", "in.safetensors", "--out", "out.safetensors")
    for content in (
        b"",
        b"\x01",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        os.urandom(64),
    ):
        (folder / "in.safetensors").write_bytes(content)
        done = linmuc(folder, *arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("linmuc: error: in.safetensors: ") and done.stderr.count("\n") == 1
    done = linmuc(folder, "--function=recall", "--run", "nowhere", "--out", "out.safetensors")
    assert done.returncode == 1 and done.stderr.startswith("linmuc: error: ") and "nowhere" in done.stderr
    assert sorted(path.name for path in folder.iterdir() if "out" in path.name) == []


def test_an_assume_that_does_not_hold_is_reported_at_its_line(folder):
    (folder / "pattern.mlir").write_text("""func.func @f(%x: tensor<?x?x1xf32>) -> tensor<?x?x1xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x1xf32>) -> (tensor<?x?x1xf32>) {
    %b = pattern.assume %a in [0.0, 1.0] : f32
    pattern.yield outputs(%b : f32)
  }
  return %y : tensor<?x?x1xf32>
}
""")
    save_file({"x": torch.tensor([[[0.5], [2.0]]])}, folder / "in.safetensors")
    done = linmuc(folder, "--run", "in.safetensors", "--out", "out.safetensors", "--target=interpreter")
    assert done.returncode == 1
    assert done.stderr.startswith("pattern.mlir:3:10: error: 'pattern.assume' op requires a value in [")
    assert not (folder / "out.safetensors").exists()


def test_a_package_is_the_same_for_the_same_pattern_and_starts_with_its_magic(folder):
    for name in ("a.lmk", "b.lmk"):
        done = linmuc(folder, "--function=recall", "--package", name)
        assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "a.lmk").read_bytes() == (folder / "b.lmk").read_bytes()


def test_the_interpreter_handles_1025_tokens_of_12_heads_of_64_by_64_in_seconds(folder):
    (folder / "pattern.mlir").write_text(RECALL.replace("HEADS", "12").replace("DIM", "64"))
    tensors = {name: torch.randn(1, 1025, 12, 64) for name in "qkv"}
    tensors |= {"g": torch.randn(1, 1025, 12), "s0": torch.zeros(1, 12, 64, 64)}
    out = run(folder, "recall", "interpreter", tensors)
    assert np.isfinite(out["o"].numpy()).all()
