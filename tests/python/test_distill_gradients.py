"""Losses of a distillation and their gradients to every parameter that a stage trains, through the compiled kernels,
against autograd of the fp64 transcription."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from decoder_support import ROOT, run
from distill_oracle import losses
from mmate_support import PRESETS

PROBE = ROOT / "build" / "bin" / "distill_probe"
SHAPE = {"heads": 2, "groups": 1, "features": 8, "layers": 2, "theta": 1e4, "adapter_scale": 2.0}
WIDTH, INNER, VOCABULARY = 16, 24, 40
# f32 sums; of the entry that is worst, relative to the root mean square of its gradient.
LOSS, GRADIENT = 1e-5, 1e-4
# A rate's logarithm sums terms of all tokens that cancel (tests/python/test_mmate_gradients.py).
WHERE_TERMS_CANCEL = 1e-3


def write_teacher(folder):
    random = torch.Generator().manual_seed(3)

    def normal(*shape, scale=0.3, offset=0.0):
        return offset + scale * torch.randn(shape, generator=random)

    query, key = SHAPE["heads"] * SHAPE["features"], SHAPE["groups"] * SHAPE["features"]
    weights = {
        "model.embed_tokens.weight": normal(VOCABULARY, WIDTH, scale=1.0),
        "model.norm.weight": normal(WIDTH, offset=1.0),
        "lm_head.weight": normal(VOCABULARY, WIDTH),
    }
    for layer in range(SHAPE["layers"]):
        p = f"model.layers.{layer}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{p}{norm}.weight"] = normal(WIDTH, offset=1.0)
        for name, rows in (("q", query), ("k", key), ("v", key)):
            weights[f"{p}self_attn.{name}_proj.weight"] = normal(rows, WIDTH)
            weights[f"{p}self_attn.{name}_proj.bias"] = normal(rows)
        weights[f"{p}self_attn.o_proj.weight"] = normal(WIDTH, query)
        weights[f"{p}mlp.gate_proj.weight"] = normal(INNER, WIDTH)
        weights[f"{p}mlp.up_proj.weight"] = normal(INNER, WIDTH)
        weights[f"{p}mlp.down_proj.weight"] = normal(WIDTH, INNER)
    save_file(weights, folder / "model.safetensors")
    config = {
        "architectures": ["Qwen2ForCausalLM"], "vocab_size": VOCABULARY, "hidden_size": WIDTH,
        "intermediate_size": INNER, "num_hidden_layers": SHAPE["layers"], "num_attention_heads": SHAPE["heads"],
        "num_key_value_heads": SHAPE["groups"], "rope_theta": SHAPE["theta"]}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return {name: x.double() for name, x in weights.items()}


def batch_of(tokens, media):
    """Two rows that end at different places; two answers in the first."""
    random = torch.Generator().manual_seed(4)
    ids = torch.randint(VOCABULARY, (2, tokens), generator=random)
    labels = torch.full((2, tokens), -100)
    for row, first, end in (
        (0, tokens - 6, tokens - 5),
        (0, tokens - 3, tokens),
        (1, tokens - 5, tokens - 1),
    ):
        labels[row, first:end] = ids[row, first:end]
    return {"ids": ids, "labels": labels, "media": torch.tensor(media, dtype=torch.int64).reshape(-1, 4)}


TEXT = batch_of(19, [])
# Text, an image, text, a video, text.
MEDIA = batch_of(2 + 12 + 1 + 12 + 7, [(2, 1, 3, 4), (15, 2, 2, 3)])
FLEX_ALONE = PRESETS["safe"] | {"branches": "flex"}

CASES = {
    "stage_1": (MEDIA, {"mixer": FLEX_ALONE, "train": ["flex", "fusion"], "weights": [0.5, 0.5, 0], "patch_strength": 2.0}),
    "stage_1_paper": (MEDIA, {"mixer": PRESETS["paper"] | {"branches": "flex"}, "train": ["flex", "fusion"], "weights": [1, 0, 0]}),
    "student_stream": (MEDIA, {"mixer": FLEX_ALONE, "train": ["flex"], "weights": [0.5, 0.3, 0], "hidden_input": "student"}),
    "stage_3_text": (TEXT, {"mixer": PRESETS["safe"], "train": ["flex", "swin", "fusion", "adapters"], "weights": [0, 0.5, 0.7]}),
    "recomputed": (MEDIA, {"mixer": FLEX_ALONE, "train": ["flex", "adapters"], "weights": [0.5, 0.5, 0.5], "hidden_input": "student", "recompute": True}),
}  # fmt: skip
DEFAULTS = {"hidden_input": "teacher", "temperature": 2.0, "patch_strength": 0.0, "recompute": False}


@pytest.mark.parametrize("case", CASES)
def test_losses_and_gradients_equal_the_transcription(tmp_path, case):
    batch, config = CASES[case]
    config = DEFAULTS | config
    teacher = write_teacher(tmp_path)
    save_file(batch, tmp_path / "in")
    (tmp_path / "probe.json").write_text(json.dumps(config))
    run([PROBE, tmp_path, tmp_path / "probe.json", tmp_path / "in", tmp_path / "out"], check=True)
    actual = load_file(tmp_path / "out")

    names = [name for name in actual if name != "terms" and not name.startswith("d_")]
    student = {name: actual[name].double().requires_grad_() for name in names}
    media = [tuple(item) for item in batch["media"].tolist()]
    hidden, token, supervised = losses(batch["ids"], batch["labels"], media, teacher, student, config, SHAPE)
    weights = config["weights"]
    (weights[0] * hidden + weights[1] * token + weights[2] * supervised).backward()

    for value, expected, weight in zip(actual["terms"][[0, 1, 3]], (hidden, token, supervised), weights):
        assert float(value) == pytest.approx(float(expected.detach()) if weight else 0, rel=LOSS)
    trained = [name for name in names if "d_" + name in actual]
    parts = {"flex": ".mmate.flex", "adapters": ".lora_"}
    for part, mark in parts.items():
        assert any(mark in name for name in trained) == (part in config["train"])
    assert not any(
        "mlp" in name or "norm.weight" in name
        for name in trained
        if ".lora_" not in name and ".mmate." not in name
    )
    wrong = {}
    for name in trained:
        exact = student[name].grad
        if exact is None or not exact.any():
            assert not actual["d_" + name].any(), name
            continue
        error = float((actual["d_" + name].double() - exact).abs().max() / exact.square().mean().sqrt())
        if error > (WHERE_TERMS_CANCEL if "a_log" in name else GRADIENT):
            wrong[name] = error
    assert not wrong
    # What the stage trains and the losses depend on has a gradient.
    for name in names:
        if (
            name in student
            and student[name].grad is not None
            and student[name].grad.any()
            and name not in trained
        ):
            assert not any(mark in name for part, mark in parts.items() if part in config["train"]), name
