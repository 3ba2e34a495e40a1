"""Layers of linmu.nn against plain torch in fp64: prompts, tokens one at a time, ragged batches, caches in files."""

import copy
import subprocess
import sys
from itertools import pairwise

import layer_references as references
import pytest
import torch

import linmu.nn
from linmu.nn import Cache, GatedDeltaNet, GatedLinearAttention, Mamba2, MultiScaleRetention

HIDDEN = 32
LAYERS = {
    "gated_deltanet": lambda: GatedDeltaNet(HIDDEN, head_dim=8, num_heads=4),
    "gated_deltanet_grouped": lambda: GatedDeltaNet(HIDDEN, expand_v=1, head_dim=16, num_heads=2, num_v_heads=4, use_gate=False,
                                                    allow_neg_eigval=True, conv_size=2, conv_bias=True),
    "gla": lambda: GatedLinearAttention(HIDDEN, num_heads=2),
    "gla_convolved": lambda: GatedLinearAttention(HIDDEN, expand_k=1, num_heads=4, num_kv_heads=2, use_short_conv=True),
    "retention": lambda: MultiScaleRetention(HIDDEN, num_heads=4, num_kv_heads=2),
    "mamba2": lambda: Mamba2(HIDDEN, head_dim=16, state_size=8, n_groups=2),
}  # fmt: skip
REFERENCES = {name: getattr(references, name.split("_grouped")[0].split("_convolved")[0]) for name in LAYERS}
NAMES = list(LAYERS)
TOKENS = 40


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def made(name):
    torch.manual_seed(3)
    layer = LAYERS[name]()
    for parameter in layer.parameters():  # weights that matter, none of ones or zeros
        parameter.add_(0.1 * torch.randn_like(parameter))
    return layer


def expected(name, layer, x):
    exact = copy.deepcopy(layer).double()
    return torch.cat([REFERENCES[name](exact, row[None]) for row in x.double()])


def assert_near(actual, wanted, bound=2e-5):
    error = (actual.double() - wanted).abs().max() / wanted.square().mean().sqrt()
    assert actual.shape == wanted.shape and error < bound


def inputs(batch=2, tokens=TOKENS):
    return torch.randn(batch, tokens, HIDDEN, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_equals_plain_torch(name):
    layer, x = made(name), inputs()
    assert_near(layer(x), expected(name, layer, x))
    assert_near(layer(x, Cache()), expected(name, layer, x))


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_of_n_tokens_equals_n_steps(name):
    layer, x, cache = made(name), inputs(), Cache()
    steps = torch.cat([layer(x[:, t : t + 1], cache) for t in range(TOKENS)], dim=1)
    whole = Cache()
    assert_near(steps, expected(name, layer, x))
    assert_near(layer(x, whole), steps.double())
    assert cache.positions().tolist() == [TOKENS] * 2
    for key, state in whole.layers[0].items():
        torch.testing.assert_close(cache.layers[0][key], state, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_cache_goes_on_in_another_layer_of_the_same_weights(name, tmp_path):
    layer, x, cache = made(name), inputs(), Cache()
    layer(x[:, :25], cache)
    cache.save(tmp_path / "cache")
    after = layer(x[:, 25:], cache)
    again, other = made(name), Cache.load(tmp_path / "cache")
    again.load_state_dict(layer.state_dict())
    torch.testing.assert_close(again(x[:, 25:], other), after, rtol=0, atol=0)
    assert_near(after, expected(name, layer, x)[:, 25:])


@pytest.mark.parametrize("name", NAMES)
def test_sequences_of_any_length_and_then_a_token_of_each(name):
    layer, lengths, more = made(name), [17, 1, 30], 3
    cu = torch.tensor([0, *lengths]).cumsum(0)
    rows = inputs(3, 40)
    prompts = torch.cat([row[None, :n] for row, n in zip(rows, lengths)], dim=1)
    cache = Cache()
    out = layer(prompts, cache, cu_seqlens=cu)
    wanted = [expected(name, layer, row[None, : n + more]) for row, n in zip(rows, lengths)]
    for s, (begin, end) in enumerate(pairwise(cu.tolist())):
        assert_near(out[:, begin:end], wanted[s][:, : lengths[s]])
    for step in range(more):
        tokens = torch.stack([row[n + step : n + step + 1] for row, n in zip(rows, lengths)])
        out = layer(tokens, cache)
        assert_near(out, torch.cat([w[:, n + step : n + step + 1] for w, n in zip(wanted, lengths)]))
    assert cache.positions().tolist() == [n + more for n in lengths]


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_is_gone_back_to(name):
    layer, x, cache = made(name), inputs(), Cache()
    layer(x[:, :10], cache)
    here = cache.snapshot()
    for _ in range(2):
        layer(x[:, :4].flip(1), cache)
        cache.roll_back(here)
        assert_near(layer(x[:, 10:14], cache), expected(name, layer, x)[:, 10:14])
        cache.roll_back(here)


@pytest.mark.parametrize("name", ["gated_deltanet", "gla_convolved", "mamba2"])
def test_a_layer_of_bf16_equals_plain_torch_of_its_weights(name):
    layer, x = made(name).to(torch.bfloat16), inputs().to(torch.bfloat16)
    out = layer(x)
    assert out.dtype == torch.bfloat16
    wanted = expected(name, layer, x)
    assert (out.double() - wanted).square().mean().sqrt() < 0.02 * wanted.square().mean().sqrt()


NAMES_OF_PARAMETERS = {
    "gated_deltanet": "A_log dt_bias q_proj.weight k_proj.weight v_proj.weight a_proj.weight b_proj.weight q_conv1d.weight "
                      "k_conv1d.weight v_conv1d.weight g_proj.weight o_norm.weight o_proj.weight",
    "gla": "q_proj.weight k_proj.weight v_proj.weight g_proj.weight gk_proj.0.weight gk_proj.1.weight gk_proj.1.bias "
           "o_proj.weight g_norm_swish_gate.weight",
    "retention": "q_proj.weight k_proj.weight v_proj.weight g_proj.weight o_proj.weight g_norm_swish_gate.weight",
    "mamba2": "dt_bias A_log D in_proj.weight conv1d.weight conv1d.bias norm.weight out_proj.weight",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES_OF_PARAMETERS)
def test_parameters_have_the_names_of_flash_linear_attention(name):
    assert sorted(made(name).state_dict()) == sorted(NAMES_OF_PARAMETERS[name].split())


def test_weights_that_change_in_place_count_from_the_next_call_on():
    layer, x = made("gated_deltanet"), inputs()
    before = layer(x)
    layer.q_conv1d.weight.mul_(2)
    assert not torch.allclose(layer(x), before)
    assert_near(layer(x), expected("gated_deltanet", layer, x))


def test_layers_of_a_model_share_a_cache_by_their_numbers(tmp_path):
    torch.manual_seed(0)
    layers = [
        GatedDeltaNet(HIDDEN, head_dim=8, num_heads=2, layer_idx=0),
        Mamba2(HIDDEN, head_dim=16, state_size=8, layer_idx=1),
    ]

    def model(x, cache):
        for layer in layers:
            x = x + layer(x, cache)
        return x

    x, cache = inputs(), Cache()
    whole = model(x, Cache())
    model(x[:, :20], cache)
    cache.save(tmp_path / "cache")
    torch.testing.assert_close(
        model(x[:, 20:], Cache.load(tmp_path / "cache")), whole[:, 20:], rtol=1e-4, atol=1e-5
    )
    other, layers[1].layer_idx = Cache(), 0
    MultiScaleRetention(HIDDEN, num_heads=2)(x, other)
    with pytest.raises(
        ValueError, match="Mamba2: expected a cache of its states recurrent_state, conv_state_x"
    ):
        layers[1](x, other)


def test_what_a_layer_does_not_take_is_said():
    layer, x = made("gla"), inputs()
    with pytest.raises(
        ValueError, match=r"GatedLinearAttention: expected x of \[batch, tokens, 32\], got \[2, 40, 31\]"
    ):
        layer(x[..., 1:])
    with pytest.raises(ValueError, match="expected a batch of 1 beside cu_seqlens, got 2"):
        layer(x, cu_seqlens=torch.tensor([0, 80]))
    cache = Cache()
    layer(x, cache)
    with pytest.raises(
        ValueError, match=r"expected a cache with recurrent_state of torch.float32 \[1, 2, 8, 16\], got"
    ):
        layer(x[:1], cache)
    with torch.enable_grad():
        with pytest.raises(
            NotImplementedError,
            match="GatedLinearAttention has no gradients yet: call it under torch.no_grad",
        ):
            layer(x)
        layer.requires_grad_(False)
        layer(x)
        with pytest.raises(NotImplementedError, match="has no gradients yet"):
            layer(x.clone().requires_grad_())
    with pytest.raises(ValueError, match="expected a kernel_size of 1 to 4, got 5"):
        linmu.nn.ShortConvolution(8, 5)
    with pytest.raises(ValueError, match="expected num_v_heads to be a multiple of 4, got 6"):
        GatedDeltaNet(HIDDEN, num_heads=4, num_v_heads=6)


def test_files_that_are_no_caches_are_refused(tmp_path):
    path = tmp_path / "cache"
    with pytest.raises(linmu.PatternError, match="expected a cache that a layer has walked with"):
        Cache().save(path)

    @linmu.pattern
    def rule(x: linmu.Tokens["H", "D"]):
        return x + linmu.lag(x, 1)

    decoder = rule.decode()
    decoder.extend(torch.ones(1, 2, 1, 4))
    decoder.save(path)
    with pytest.raises(linmu.PatternError, match="expected the cache of layers, got a walk of rule rule"):
        Cache.load(path)


def test_importing_linmu_takes_no_layers():
    script = "import sys, linmu; assert not {'torch', 'linmu.nn', 'linmu.gallery'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_layer_made_under_inference_mode_runs():
    x = inputs()
    with torch.inference_mode():
        layer = made("mamba2")
        before = layer(x)
        layer.conv1d.weight.mul_(2)
        assert not torch.allclose(layer(x), before)
