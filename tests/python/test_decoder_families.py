"""Tiny random checkpoints of the Llama and Qwen2 family, against `transformers` in f32."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from decoder_support import probe_logits

SIZES = {
    "vocab_size": 97,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "max_position_embeddings": 256,
}
CASES = {
    "llama": LlamaConfig(**SIZES, num_attention_heads=4, num_key_value_heads=2, rms_norm_eps=1e-5),
    "llama_tied_biased": LlamaConfig(
        **SIZES, num_attention_heads=3, num_key_value_heads=1, attention_bias=True, tie_word_embeddings=True
    ),
    "llama_head_dim_not_width_over_heads": LlamaConfig(
        **SIZES, num_attention_heads=4, num_key_value_heads=4, head_dim=20, rope_theta=5e5
    ),
    "qwen2": Qwen2Config(**SIZES, num_attention_heads=6, num_key_value_heads=2, rope_theta=1e6),
    "qwen2_tied": Qwen2Config(
        **SIZES, num_attention_heads=4, num_key_value_heads=1, tie_word_embeddings=True
    ),
}


def random_model(case):
    return random_model_of(CASES[case])


def random_model_of(config):
    """Biases and norm weights are random too: their defaults of 0 and 1 hide mistakes."""
    model = (Qwen2ForCausalLM if isinstance(config, Qwen2Config) else LlamaForCausalLM)(config).eval()
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            offset = 1.0 if "norm" in name else 0.0
            parameter.copy_(offset + 0.3 * torch.randn(parameter.shape, generator=random))
    return model


@pytest.fixture(params=CASES)
def checkpoint(request, tmp_path):
    return random_model(request.param), tmp_path


@pytest.mark.parametrize("shards", ["5GB", "30KB"])
def test_logits_equal_transformers(checkpoint, shards):
    model, folder = checkpoint
    model.save_pretrained(folder, max_shard_size=shards)
    assert (folder / "model.safetensors.index.json").exists() == (shards == "30KB")
    ids = torch.randint(0, 97, (2, 40), generator=torch.Generator().manual_seed(4))
    ours, _ = probe_logits(folder, ids, folder)
    with torch.inference_mode():
        theirs = model(ids).logits
    # f32 sums in another order.
    assert (ours - theirs).abs().max().item() < 1e-4 * theirs.abs().max().item()


def test_prefill_in_pieces_equals_one_prefill(checkpoint):
    model, folder = checkpoint
    model.save_pretrained(folder)
    ids = torch.randint(0, 97, (2, 40), generator=torch.Generator().manual_seed(5))
    whole, _ = probe_logits(folder, ids, folder)
    for pieces in ([1] * 40, [20, 20], [3, 30, 7]):
        parts, _ = probe_logits(folder, ids, folder, pieces)
        assert (parts - whole).abs().max().item() < 1e-4 * whole.abs().max().item()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_weights_are_widened_exactly(dtype, tmp_path):
    random_model("qwen2").to(dtype).save_pretrained(tmp_path)
    ids = torch.randint(0, 97, (1, 20), generator=torch.Generator().manual_seed(6))
    ours, _ = probe_logits(tmp_path, ids, tmp_path)
    with torch.inference_mode():
        theirs = Qwen2ForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)(ids).logits
    assert (ours - theirs).abs().max().item() < 1e-4 * theirs.abs().max().item()
