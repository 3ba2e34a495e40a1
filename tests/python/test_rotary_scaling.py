"""Scalings of the rotary embedding, of config.json and GGUF files, against `transformers`; buffers that files carry."""

import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, Qwen2Config

from decoder_support import PROBE, probe_logits, run
from test_decoder_families import SIZES, random_model, random_model_of
from test_decoder_gguf import assert_same_logits, close, gguf_writer

LENGTH = 32  # of the model; sequences are twice as long and more
SCALINGS = {
    "default": {"rope_type": "default"},
    "linear": {"rope_type": "linear", "factor": 4.0},
    "linear, older key": {"type": "linear", "factor": 2.5},
    "dynamic": {"rope_type": "dynamic", "factor": 2.0},
    "dynamic, original length": {
        "rope_type": "dynamic",
        "factor": 3.0,
        "original_max_position_embeddings": 16,
    },
    "llama3": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 24,
    },
    "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
    "yarn, no original length": {"rope_type": "yarn", "factor": 4.0},
    "yarn, attention factor": {"rope_type": "yarn", "factor": 4.0, "attention_factor": 1.7},
    "yarn, betas": {"rope_type": "yarn", "factor": 8.0, "beta_fast": 3.0, "beta_slow": 0.5},
    "yarn, not truncated": {"rope_type": "yarn", "factor": 8.0, "beta_fast": 3.0, "truncate": False},
    "yarn, mscale": {"rope_type": "yarn", "factor": 4.0, "mscale": 2.0, "mscale_all_dim": 0.7},
    "yarn, one mscale": {"rope_type": "yarn", "factor": 4.0, "mscale": 2.0},
}


def model_with(scaling, family="llama"):
    config = (LlamaConfig if family == "llama" else Qwen2Config)(
        **(SIZES | {"max_position_embeddings": LENGTH}),
        num_attention_heads=3,
        num_key_value_heads=1,
        rope_theta=500.0,
        rope_scaling=scaling,
    )
    return random_model_of(config)


def logits(model, ids, pieces=None):
    """Of a sequence in pieces, each with the cache of those before."""
    cache, parts, begin = None, [], 0
    with torch.inference_mode():
        for length in pieces or [ids.shape[1]]:
            out = model(ids[:, begin : begin + length], past_key_values=cache, use_cache=True)
            cache, begin = out.past_key_values, begin + length
            parts.append(out.logits)
    return torch.cat(parts, 1)


@pytest.mark.parametrize("family", ["llama", "qwen2"])
@pytest.mark.parametrize("name", SCALINGS)
def test_scalings_of_a_config_equal_transformers(name, family, tmp_path):
    model = model_with(SCALINGS[name], family)
    model.save_pretrained(tmp_path)
    ids = torch.randint(0, SIZES["vocab_size"], (2, 75), generator=torch.Generator().manual_seed(4))
    plain = logits(model_with(None, family), ids)
    for pieces in ([75], [20, 30] + [1] * 25):
        ours, _ = probe_logits(tmp_path, ids, tmp_path, pieces)
        theirs = logits(model_with(SCALINGS[name], family), ids, pieces)
        # f32 sums in another order.
        assert (ours - theirs).abs().max().item() < 1e-4 * theirs.abs().max().item()
        if name != "default":
            assert (theirs - plain).abs().max().item() > 1e-2 * plain.abs().max().item(), "it changes nothing"


def test_the_newer_key_carries_theta_as_well(tmp_path):
    model = model_with(SCALINGS["linear"])
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    theta = config.pop("rope_theta")
    config["rope_parameters"] = config.pop("rope_scaling") | {"rope_theta": theta}
    (tmp_path / "config.json").write_text(json.dumps(config))
    ids = torch.randint(0, SIZES["vocab_size"], (1, 50), generator=torch.Generator().manual_seed(4))
    ours, _ = probe_logits(tmp_path, ids, tmp_path)
    theirs = logits(model, ids)
    assert (ours - theirs).abs().max().item() < 1e-4 * theirs.abs().max().item()


def add_linear(writer):
    writer.add_string("llama.rope.scaling.type", "linear")
    writer.add_rope_scaling_factor(4.0)


def add_yarn(writer):
    writer.add_string("llama.rope.scaling.type", "yarn")
    writer.add_rope_scaling_factor(4.0)
    writer.add_rope_scaling_orig_ctx_len(16)


def add_llama3(writer):
    """As convert_hf_to_gguf.py does: the frequencies' divisors as a tensor."""
    scaling = SCALINGS["llama3"]
    length, low, high = (
        scaling[key] for key in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor")
    )
    divisors = []
    for i in range(SIZES["hidden_size"] // 3 // 2):
        turns = length / (2 * math.pi * 500.0 ** (2 * i / (SIZES["hidden_size"] // 3)))
        smooth = min(max((turns - low) / (high - low), 0), 1)
        divisors.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    writer.add_tensor("rope_freqs.weight", np.array(divisors, dtype=np.float32))


@pytest.mark.parametrize(
    "name, add",
    [
        ("linear", add_linear),
        ("linear", lambda writer: writer.add_rope_scaling_factor(4.0)),
        ("linear", lambda writer: writer.add_float32("llama.rope.scale_linear", 4.0)),
        ("yarn", add_yarn),
        ("llama3", add_llama3),
        ("default", lambda writer: writer.add_string("llama.rope.scaling.type", "none")),
    ],
)
def test_scalings_of_a_gguf_file_equal_transformers(name, add, tmp_path):
    model = model_with(SCALINGS[name])
    writer = gguf_writer(model, tmp_path / "x.gguf")
    add(writer)
    close(writer)
    assert_same_logits(model, tmp_path / "x.gguf", tmp_path, tokens=75)


BUFFERS = {
    "model.layers.0.self_attn.rotary_emb.inv_freq": torch.rand(6),
    "layers.1.self_attn.rotary_emb.inv_freq": torch.rand(6),
    "model.rotary_emb.inv_freq": torch.rand(6),
    "rotary_emb.inv_freq": torch.rand(6),
    "model.causal_mask": torch.ones(4, 4, dtype=torch.bool),
    "model.layers.0.self_attn.masked_bias": torch.tensor(-1e4),
}


def test_buffers_that_models_do_not_need_are_left_out(tmp_path):
    model = random_model("llama")
    model.save_pretrained(tmp_path)
    ids = torch.randint(0, SIZES["vocab_size"], (1, 20), generator=torch.Generator().manual_seed(4))
    before, _ = probe_logits(tmp_path, ids, tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    save_file(weights | BUFFERS, tmp_path / "model.safetensors")
    after, _ = probe_logits(tmp_path, ids, tmp_path)
    assert torch.equal(before, after)


@pytest.mark.parametrize(
    "name", ["model.layers.0.self_attn.q_norm.weight", "inv_freq", "my_rotary_emb.inv_freq"]
)
def test_other_tensors_are_refused_by_name(name, tmp_path):
    random_model("llama").save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    save_file(weights | {name: torch.rand(6)}, tmp_path / "model.safetensors")
    save_file({"ids": torch.zeros(1, 2, dtype=torch.int64)}, tmp_path / "in.safetensors")
    command = [PROBE, "logits", tmp_path, tmp_path / "in.safetensors", tmp_path / "out.safetensors", "2"]
    result = run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert f"holds 1 tensors that the model does not have: '{name}'" in result.stderr
