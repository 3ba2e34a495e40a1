"""GGUF files of every supported tensor type, and of both architectures, against `gguf` and `transformers`."""

import numpy as np
import pytest
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter
from gguf.quants import dequantize
from safetensors.numpy import load_file

from decoder_support import PROBE, probe_logits, run
from test_decoder_families import SIZES, random_model

TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q8_0", "Q6_K"]
# Where the blocks of a type keep their f16 scales: random bits there would be infinite or not a number.
SCALES = {"F16": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q8_0": [0], "Q6_K": [208]}
NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


@pytest.mark.parametrize("name", TYPES)
def test_dequantised_values_equal_the_gguf_package_bit_for_bit(name, tmp_path):
    random = np.random.default_rng(0)
    kind = GGMLQuantizationType[name]
    elements, size = GGML_QUANT_SIZES[kind]
    rows, blocks = 5, 512 // elements
    data = random.integers(0, 256, (rows, blocks, size), dtype=np.uint8)
    for at in SCALES.get(name, []):
        data[..., at : at + 2] = random.standard_normal((rows, blocks, 1)).astype(np.float16).view(np.uint8)
    if name in ("F32", "BF16"):
        data[..., -1] &= 0xBF  # exponents that are neither infinite nor not a number
    data = data.reshape(rows, -1)
    writer = GGUFWriter(tmp_path / "x.gguf", "llama")
    writer.add_tensor("x", data if name != "F32" else data.view(np.float32), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    run([PROBE, "tensors", tmp_path / "x.gguf", tmp_path / "x.safetensors"], check=True)
    ours = load_file(tmp_path / "x.safetensors")["x"]
    theirs = data.view(np.float32) if name == "F32" else dequantize(data, kind)
    assert ours.shape == (rows, 512) and np.isfinite(theirs).all()
    np.testing.assert_array_equal(ours, theirs.reshape(rows, 512))


def in_pairs(weight, heads):
    """As llama.cpp's converter stores rows of query and key: rows i and i + D/2 of a head side by side."""
    return weight.unflatten(0, (heads, 2, -1)).transpose(1, 2).flatten(0, 2)


def gguf_writer(model, path, **options):
    """`model` as llama.cpp's converter writes it, but for the scaling of its rotary embedding and the end."""
    config = model.config
    writer = GGUFWriter(path, config.model_type, **options)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    for name, weight in model.named_parameters():
        for projection, heads in (
            ("q_proj", config.num_attention_heads),
            ("k_proj", config.num_key_value_heads),
        ):
            if config.model_type == "llama" and projection in name:
                weight = in_pairs(weight, heads)
        name = name.replace("model.embed_tokens", "token_embd").replace("model.norm", "output_norm")
        name = name.replace("lm_head", "output").replace("model.layers", "blk")
        for theirs, ours in NAMES.items():
            name = name.replace(theirs, ours)
        writer.add_tensor(name, weight.detach().contiguous().numpy())
    return writer


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def assert_same_logits(model, path, folder, tokens=30):
    ids = torch.randint(0, SIZES["vocab_size"], (2, tokens), generator=torch.Generator().manual_seed(8))
    ours, _ = probe_logits(path, ids, folder)
    with torch.inference_mode():
        theirs = model(ids).logits
    # f32 sums in another order.
    assert (ours - theirs).abs().max().item() < 1e-4 * theirs.abs().max().item()


@pytest.mark.parametrize("case", ["llama", "llama_tied_biased", "qwen2", "qwen2_tied"])
def test_logits_of_a_gguf_file_equal_transformers(case, tmp_path):
    model = random_model(case)
    close(gguf_writer(model, tmp_path / "x.gguf"))
    assert_same_logits(model, tmp_path / "x.gguf", tmp_path)


def test_a_model_split_over_files_is_opened_by_the_first(tmp_path):
    model = random_model("llama")
    close(gguf_writer(model, tmp_path / "x.gguf", split_max_tensors=9))
    parts = sorted(path.name for path in tmp_path.glob("x-*.gguf"))
    assert len(parts) > 2
    assert_same_logits(model, tmp_path / parts[0], tmp_path)

    def said(path):
        (tmp_path / "out").unlink(missing_ok=True)
        result = run([PROBE, "tensors", path, tmp_path / "out"], capture_output=True, text=True)
        assert result.returncode == 1
        return result.stderr

    assert f"{parts[1]} is file 2 of {len(parts)} of a model" in said(tmp_path / parts[1])
    (tmp_path / parts[0]).rename(tmp_path / "y.gguf")
    assert f"the name of the first of {len(parts)} files must end with -00001-of-" in said(
        tmp_path / "y.gguf"
    )
    (tmp_path / "y.gguf").rename(tmp_path / parts[0])
    (tmp_path / parts[1]).rename(tmp_path / parts[2])
    assert parts[1] in said(tmp_path / parts[0])
    (tmp_path / parts[2]).rename(tmp_path / parts[1])
    assert parts[2] in said(tmp_path / parts[0])
    (tmp_path / parts[2]).write_bytes((tmp_path / parts[1]).read_bytes())
    assert "says that it is file 2 of" in said(tmp_path / parts[0])
