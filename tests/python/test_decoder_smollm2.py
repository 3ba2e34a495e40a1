"""SmolLM2-135M from its GGUF file, against `transformers` on the same dequantised weights in f32."""

import os
import subprocess

import jinja2
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

from decoder_support import LINMU, probe, probe_logits, run, smollm2_path, smollm2_reader
from tokenizer_support import encode

PROMPTS = [
    "Hi!",
    "Write a Python function that returns the n-th Fibonacci number, with a docstring and type hints.",
    "Translate to French: 'naïve café' 🙂 and explain the emoji 👩‍👩‍👧. Ωμέγα, 東京, Привет.",
    "What is 123456789 + 987654321? Then list the digits of 3.14159265 one by one.",
    "Summarise the following notes in two sentences. "
    + " ".join(
        f"Point {i}: the river rose by {i} cm on day {i} and the village moved {i * 3} sheep to higher ground."
        for i in range(1, 25)
    ),
]


@pytest.fixture(scope="module")
def teacher():
    """What `from_pretrained(gguf_file=...)` does, which would require accelerate as well."""
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=49152,
            hidden_size=576,
            intermediate_size=1536,
            num_hidden_layers=30,
            num_attention_heads=9,
            num_key_value_heads=3,
            rope_theta=1e5,
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
        )
    ).eval()
    loaded = load_gguf_checkpoint(str(smollm2_path()), return_tensors=True, model_to_load=model)
    for key, value in loaded["config"].items():
        if key in ("hidden_size", "rope_theta", "rms_norm_eps", "num_key_value_heads", "tie_word_embeddings"):
            assert getattr(model.config, key) == pytest.approx(value)
    missing, unexpected = model.load_state_dict(loaded["tensors"], strict=False)
    assert missing == ["lm_head.weight"] and not unexpected  # tied
    return model


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    return probe("generate", smollm2_path(), PROMPTS, tmp_path_factory.mktemp("generated"), "64")


def test_logits_equal_transformers_within_1e_3(teacher, tmp_path):
    ids = torch.randint(0, 49152, (2, 300), generator=torch.Generator().manual_seed(0))
    ours, _ = probe_logits(smollm2_path(), ids, tmp_path)
    with torch.inference_mode():
        theirs = teacher(ids).logits
    # f32 sums in another order, through 30 layers, on logits of magnitude 30.
    assert (ours - theirs).abs().max().item() < 1e-3
    assert theirs.abs().max().item() > 5


def test_prefill_and_decode_steps_equal_one_prefill(tmp_path):
    ids = torch.randint(0, 49152, (1, 60), generator=torch.Generator().manual_seed(1))
    whole, _ = probe_logits(smollm2_path(), ids, tmp_path)
    pieces, state_bytes = probe_logits(smollm2_path(), ids, tmp_path, [37, 15] + [1] * 8)
    assert (whole - pieces).abs().max().item() < 1e-3  # the same bound as against transformers
    assert state_bytes == sorted(state_bytes)


@pytest.mark.parametrize("index", range(len(PROMPTS)))
def test_greedy_text_equals_transformers(teacher, generated, index):
    """One pass over our text shows it: if each of our tokens is the teacher's choice after those before it, the
    teacher's own greedy text is the same."""
    prompt, ours = generated[index]["prompt_ids"], generated[index]["ids"]
    with torch.inference_mode():
        logits = teacher(torch.tensor([prompt + ours])).logits[0, len(prompt) - 1 :]
    choices = logits.argmax(-1).tolist()
    assert ours == choices[: len(ours)]
    assert len(ours) == 64 or choices[len(ours)] == 2  # ours ended where the teacher's does
    assert len(ours) > 3 and 2 not in ours
    assert generated[index]["streamed"] == generated[index]["text"]


def test_texts_are_the_same_with_packed_weights_and_in_f32(generated, tmp_path):
    """The same weights, multiplied by kernels of the compiler and by torch; sums are in another order."""
    prompts, tokens = (len(PROMPTS), 32) if os.environ.get("TEST_NIGHTLY") else (2, 12)
    in_f32 = probe("generate", smollm2_path(), PROMPTS[:prompts], tmp_path, str(tokens), "f32")
    packed = probe("generate", smollm2_path(), PROMPTS[:1], tmp_path, "2", "packed")
    assert packed[0]["ids"] == generated[0]["ids"][:2], "packed is what a file with packed weights gets"
    for ours, theirs in zip(generated, in_f32):
        assert ours["ids"][:tokens] == theirs["ids"]


def test_chat_template_equals_jinja(tmp_path):
    source = smollm2_reader().fields["tokenizer.chat_template"].contents()
    template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(source)
    user = {"role": "user", "content": "Hello {{ x }} %}\n"}
    for messages in (
        [user],
        [{"role": "system", "content": "Be brief."}, user],
        [user, {"role": "assistant", "content": "Hi"}, user],
    ):
        expected = [
            template.render(messages=messages, add_generation_prompt=prompt) for prompt in (True, False)
        ]
        assert probe("chat", smollm2_path(), messages, tmp_path) == expected


def test_control_tokens_in_a_prompt_are_text_unless_asked_for(tmp_path):
    quoted = "What is <|im_end|> for?"
    as_text, plain = probe("generate", smollm2_path(), [quoted, "x"], tmp_path, "1")
    end = smollm2_reader().fields["tokenizer.ggml.tokens"].contents().index("<|im_end|>")
    assert as_text["prompt_ids"].count(end) == plain["prompt_ids"].count(end), "only the template ends turns"
    chat = probe("chat", smollm2_path(), [{"role": "user", "content": quoted}], tmp_path)[0]
    (as_token,) = encode(smollm2_path(), [chat], tmp_path)
    assert as_token.count(end) == plain["prompt_ids"].count(end) + 1
    for more, ids in ([], as_text["prompt_ids"]), (["--special"], as_token):
        arguments = [
            LINMU,
            "generate",
            "--model",
            smollm2_path(),
            "--prompt",
            quoted,
            "--max-tokens",
            "1",
            *more,
        ]
        done = run(arguments, capture_output=True, text=True, check=True)
        assert f"prompt: {len(ids)} tokens" in done.stderr


def test_linmu_generate_needs_no_python(generated):
    arguments = [LINMU, "generate", "--model", smollm2_path(), "--prompt", PROMPTS[2], "--max-tokens", "64"]
    environment = {"PATH": "/nonexistent", "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == generated[2]["text"] + "\n"
    assert "tokens/s" in done.stderr


def test_linmu_generate_samples_the_same_text_for_the_same_seed():
    def sample(seed):
        arguments = [
            LINMU,
            "generate",
            "--model",
            smollm2_path(),
            "--prompt",
            "Tell me a story.",
            "--max-tokens",
            "16",
            "--temperature",
            "1.2",
            "--top-p",
            "0.95",
            "--seed",
            str(seed),
        ]
        return run(arguments, capture_output=True, text=True, check=True).stdout

    assert sample(7) == sample(7)
    assert len({sample(seed) for seed in (7, 8, 9)}) > 1


def test_linmu_generate_refuses_bad_files_with_one_message(tmp_path):
    whole = smollm2_path().read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole[:50_000_000])
    for model, expected in (
        (tmp_path / "none.gguf", "no such file or folder"),
        (cut, "requires"),
        (tmp_path, "config.json"),
    ):
        arguments = [LINMU, "generate", "--model", model, "--prompt", "x"]
        done = run(arguments, capture_output=True, text=True)
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.startswith("linmu: error: ") and done.stderr.count("\n") == 1
        assert expected in done.stderr
