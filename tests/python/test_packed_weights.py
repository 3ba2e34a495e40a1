"""Weights that stay as a GGUF file packs them, beside the same weights in f32."""

import json
import os
import subprocess

import pytest

from decoder_support import LINMU, smollm2_path

PROMPTS = [
    "What is the capital of France?",
    "Write a short poem about the sea.",
    "Explain how a bicycle stays upright.",
    "List three uses of copper.",
    "Tell me a story about a fox.",
]


def generate(prompt: str, weights: str, tokens: int = 32) -> tuple[dict, int]:
    """The answer, and the process's largest resident size in bytes."""
    command = [LINMU, "generate", smollm2_path(), prompt, "--max-tokens", str(tokens), "--json", f"--weights={weights}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"OMP_WAIT_POLICY": "passive"})
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return json.loads(text), usage.ru_maxrss * 1024


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_text_is_that_of_f32(prompt):
    packed, packed_memory = generate(prompt, "packed")
    exact, exact_memory = generate(prompt, "f32")
    assert packed["text"] == exact["text"]
    # 538 MB of f32 (one embedding, tied) against 101 MB, and the file's pages.
    assert packed_memory < exact_memory - 300e6
