"""Every rule of the gallery against a loop of its paper's equation in fp64: prompts, states, ragged batches, decoding."""

import importlib
import inspect

import gallery_walk as walk
import pytest
import torch
from gallery_cases import CASES, log_decay
from torch.nn.functional import softplus

import linmu.gallery as gallery

NAMES = sorted(CASES)
# Rules whose function is another name's, or that another case is the recurrence of.
RULE_OF = {"chunk_rwkv7": "dplr", "mamba_chunk_scan_combined": "ssd", "fused_recurrent_hgrn": "hgrn"}


def bound(case) -> float:
    """Sums in f32; a solve amplifies their rounding."""
    return 2e-4 if case.feedback else 5e-5


def assert_near(case, actual, expected):
    for one, other in zip([actual[0], *actual[1]], [expected[0], *expected[1]], strict=True):
        assert walk.error(one, other) < bound(case)


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_with_initial_and_final_states(name):
    case = CASES[name]
    tensors, states = walk.tensors_of(case, 2, 70), walk.states_of(case, 2)
    for _ in range(2):  # the first call and the short way of later ones
        assert_near(case, walk.call(case, tensors, states), walk.loop(case, tensors, states))


@pytest.mark.parametrize("name", NAMES)
def test_sequences_one_after_the_other(name):
    case = CASES[name]
    cu = [0, 33, 33, 34, 60]
    tensors, states = walk.tensors_of(case, 1, cu[-1]), walk.states_of(case, len(cu) - 1)
    for _ in range(2):
        actual = walk.call(case, tensors, states, torch.tensor(cu))  # int64, as fla takes them
        assert_near(case, actual, walk.loop_of_each(case, tensors, states, cu))


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_and_then_a_token_a_call(name):
    case = CASES[name]
    tensors, states = walk.tensors_of(case, 2, 40), walk.states_of(case, 2)
    cuts = [0, 33, 34, 35, 36, 40]
    outputs, carried = [], states
    for begin, end in zip(cuts, cuts[1:]):
        out, carried = walk.call(case, walk.part(case, tensors, begin, end), carried)
        outputs.append(out)
    assert_near(case, (torch.cat(outputs, dim=1), carried), walk.loop(case, tensors, states))


@pytest.mark.parametrize("name", [name for name in NAMES if name in gallery.FUNCTIONS])
def test_without_an_initial_state_it_starts_at_zero_and_states_are_given_on_demand(name):
    case = CASES[name]
    tensors = walk.tensors_of(case, 2, 20)
    zeros = [torch.zeros_like(x) for x in walk.states_of(case, 2)]
    assert_near(case, walk.call(case, tensors, None), walk.loop(case, tensors, zeros))
    extra = walk._EXTRA.get(name, {})
    out = getattr(gallery, name)(**tensors, **extra)
    if name == "mamba_chunk_scan_combined":
        assert isinstance(out, torch.Tensor)
    elif name == "chunk_linear_attn":
        assert out[1][0] is None
    else:
        assert out[1] is None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "name", ["chunk_gla", "chunk_gated_delta_rule", "mamba_chunk_scan_combined", "chunk_rwkv7"]
)
def test_outputs_are_of_the_type_of_the_queries_and_states_in_f32(name, dtype):
    case = CASES[name]
    stored = {
        key: x if walk.is_param(case.tensors[key]) else x.to(dtype)
        for key, x in walk.tensors_of(case, 1, 40).items()
    }
    states = walk.states_of(case, 1)
    out, (end,) = walk.call(case, stored, states)
    assert (out.dtype, end.dtype) == (dtype, torch.float32)
    expected, (expected_end,) = walk.loop(case, {key: x.float() for key, x in stored.items()}, states)
    assert walk.error(out, expected) < (2**-7 if dtype == torch.bfloat16 else 2**-10)
    assert walk.error(end, expected_end) < bound(case)


@pytest.mark.parametrize("name", gallery.RULES)
def test_a_rule_is_at_most_twenty_lines_and_its_file_says_where_it_is_from(name):
    rule = getattr(gallery, name)
    lines = inspect.getsource(rule.function).strip().splitlines()
    assert len([line for line in lines if line.strip()]) <= 20
    page = importlib.import_module(rule.function.__module__).__doc__
    assert "https://" in page and "\n    " in page


@pytest.mark.parametrize("name", gallery.RULES)
def test_a_rule_equals_its_definition_decoded_and_ragged(name):
    rule = getattr(gallery, name)
    example = importlib.import_module(rule.function.__module__).EXAMPLE
    for table in (rule.check(tokens=50, **example), rule.ragged.check(tokens=50, batch=3, **example)):
        assert table, str(table)
        assert {row.what for row in table.rows} == {"forward", "decode"}


def test_every_rule_has_a_case():
    covered = {RULE_OF.get(name, name.removeprefix("chunk_").removesuffix("_delta_rule") if name.startswith("chunk_") else name)
               for name in NAMES}  # fmt: skip
    covered |= {name.removeprefix("chunk_") for name in NAMES} | {"linear_attention", "dplr"}
    assert set(gallery.RULES) <= covered


# What functions take beside tensors and states.


def tensors(name, **sizes):
    return walk.tensors_of(CASES[name], 2, 30)


def of(name, given, states=None, **options):
    return walk.call(CASES[name], given, states, **options)


def test_keys_may_be_normalised_in_the_kernel():
    for name, unit in (("chunk_delta_rule", "qk"), ("chunk_gated_delta_rule", "qk"), ("chunk_kda", "qk"), ("chunk_gdn2", "qk"),
                       ("chunk_comba", "qkp"), ("chunk_gated_delta_product", "qk")):  # fmt: skip
        given = tensors(name)
        long = {key: 3 * x if key in unit else x for key, x in given.items()}
        short = {
            key: x / (x.square().sum(-1, keepdim=True) + 1e-6).sqrt() if key in unit else x
            for key, x in long.items()
        }
        out, _ = of(name, long, use_qk_l2norm_in_kernel=True)
        torch.testing.assert_close(out, of(name, short)[0], rtol=1e-4, atol=1e-5)


def test_gates_may_be_computed_of_logits():
    for name in ("chunk_gated_delta_rule", "chunk_kda"):
        given = tensors(name)
        generator = torch.Generator().manual_seed(5)
        g, beta = (torch.randn(given[key].shape, generator=generator) for key in ("g", "beta"))
        A_log, bias = (
            torch.randn(4, generator=generator),
            torch.randn(given["g"].shape[2:], generator=generator),
        )
        rate = A_log.exp() if g.dim() == 3 else A_log.exp()[:, None]
        computed = {**given, "g": -rate * softplus(g + bias), "beta": 2 * beta.sigmoid()}
        options = {"use_gate_in_kernel": True, "A_log": A_log, "dt_bias": bias.flatten(), "allow_neg_eigval": True,
                   "use_beta_sigmoid_in_kernel": True}  # fmt: skip
        out, _ = of(name, {**given, "g": g, "beta": beta}, **options)
        torch.testing.assert_close(out, of(name, computed)[0], rtol=1e-4, atol=1e-5)
        with pytest.raises(
            ValueError, match=f"{name}: expected A_log beside use_gate_in_kernel=True, got None"
        ):
            of(name, given, use_gate_in_kernel=True)
        with pytest.raises(
            ValueError, match="expected use_beta_sigmoid_in_kernel=True beside allow_neg_eigval=True"
        ):
            of(name, given, allow_neg_eigval=True)


@pytest.mark.parametrize(
    "name", ["chunk_simple_gla", "chunk_gla", "chunk_gated_delta_rule", "chunk_kda", "chunk_gdn2"]
)
def test_states_may_lie_with_the_values_first(name):
    given, states = tensors(name), walk.states_of(CASES[name], 2)
    out, (end,) = of(name, given, states)
    turned = [x.transpose(-1, -2).contiguous() for x in states]
    out_of_turned, (turned_end,) = of(name, given, turned, state_v_first=True)
    torch.testing.assert_close(out_of_turned, out, rtol=0, atol=0)
    torch.testing.assert_close(turned_end, end.transpose(-1, -2), rtol=0, atol=0)


def test_the_scale_is_that_given():
    given = tensors("chunk_gla")
    torch.testing.assert_close(
        of("chunk_gla", given, scale=1.0)[0], 8**0.5 * of("chunk_gla", given)[0], rtol=1e-5, atol=1e-6
    )


def test_decays_of_heads_stand_for_gates():
    given, g = tensors("chunk_simple_gla"), log_decay(torch.randn(4))
    by_head = of("chunk_simple_gla", {**given, "g": g.expand(2, 30, 4).contiguous()})[0]
    del given["g"]
    torch.testing.assert_close(of("chunk_simple_gla", given, g_gamma=g)[0], by_head, rtol=1e-4, atol=1e-5)
    plain = gallery.chunk_linear_attn(**given, normalize=False)[0]
    torch.testing.assert_close(gallery.chunk_simple_gla(**given)[0], plain, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="expected one of g and g_gamma, got both"):
        gallery.chunk_simple_gla(**given, g=log_decay(torch.randn(2, 30, 4)), g_gamma=g)


def test_the_selective_scan_takes_channels_before_tokens():
    case = CASES["selective_scan"]
    given = walk.tensors_of(case, 2, 30)
    out, (end,) = walk.loop(case, given, [torch.zeros(2, 6, 8)])
    turned = {key: x.transpose(1, 2) for key, x in given.items() if key in ("u", "delta", "z")}
    B, C = (given[key].permute(0, 2, 3, 1) for key in ("B", "C"))
    for groups in (B, C), (B[:, 0], C[:, 0]):
        actual, last = gallery.selective_scan_fn(turned["u"], turned["delta"], given["A"], *groups, given["D"], turned["z"],
                                                 return_last_state=True)  # fmt: skip
        assert walk.error(actual.transpose(1, 2), out) < 5e-5 and walk.error(last, end) < 5e-5
    logits, bias = torch.randn(2, 6, 30), torch.randn(6)
    computed = gallery.selective_scan_fn(turned["u"], softplus(logits + bias[:, None]), given["A"], B, C)
    raw = gallery.selective_scan_fn(
        turned["u"], logits, given["A"], B, C, delta_bias=bias, delta_softplus=True
    )
    torch.testing.assert_close(raw, computed, rtol=1e-5, atol=1e-6)


def test_one_key_a_token_is_the_gated_delta_rule():
    given = tensors("chunk_gated_delta_product")
    one = {key: x[:, :30] if key in ("k", "v", "beta") else x for key, x in given.items()}
    out, _ = gallery.chunk_gated_delta_product(**one, num_householder=1)
    torch.testing.assert_close(out, gallery.chunk_gated_delta_rule(**one)[0], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "positional"),
    [("fused_recurrent_gla", "q k v g"), ("fused_recurrent_simple_gla", "q k v g"), ("fused_recurrent_delta_rule", "q k v beta"),
     ("fused_recurrent_kda", "q k v g beta"), ("fused_recurrent_comba", "q k p v g beta"), ("fused_recurrent_gsa", "q k v s g"),
     ("fused_recurrent_rwkv6", "r k v w u"), ("fused_recurrent_rwkv7", "r w k v a b"), ("fused_recurrent_gdn2", "q k v g b w"),
     ("fused_recurrent_dplr_delta_rule", "q k v a b gk"), ("fused_recurrent_retention", "q k v"),
     ("fused_recurrent_gated_oja_rule", "q k v gv beta"), ("fused_recurrent_iplr_delta_rule", "q k v a b")],
)  # fmt: skip
def test_a_recurrent_function_takes_its_own_order_of_arguments(name, positional):
    chunked = name.replace("fused_recurrent", "chunk")
    given = tensors(chunked)
    options = {"scale": 1.0} if chunked == "chunk_rwkv7" else {}
    out, _ = getattr(gallery, name)(*[given[key] for key in positional.split()], **options)
    torch.testing.assert_close(out, of(chunked, given)[0], rtol=0, atol=0)


def test_a_recurrent_function_has_defaults_for_gates():
    given = tensors("chunk_gated_delta_rule")
    q, k, v = (given[key] for key in "qkv")
    ones, zeros = torch.ones(2, 30, 4), torch.zeros(2, 30, 4)
    out, _ = gallery.fused_recurrent_gated_delta_rule(q, k, v)
    torch.testing.assert_close(out, gallery.chunk_gated_delta_rule(q, k, v, zeros, ones)[0], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("chunk_gla", {"head_first": True}, "chunk_gla: expected head_first=False, tensors of [batch, tokens, heads, features]; "
                                            "got True: transpose(1, 2) them"),
        ("chunk_gla", {"fast": 1}, "chunk_gla does not support fast; leave it out, got fast=1"),
        ("chunk_kda", {"return_intermediate_states": True},
         "chunk_kda does not support return_intermediate_states; leave it out, got return_intermediate_states=True"),
        ("chunk_kda", {"use_gate_in_kernel": True, "lower_bound": -5.0, "A_log": torch.zeros(4)},
         "chunk_kda does not support lower_bound; leave it out, got lower_bound=-5.0"),
        ("chunk_gated_delta_product", {"num_householder": 3},
         "chunk_gated_delta_product supports num_householder of 1 and 2, got 3"),
        ("chunk_gla", {"initial_state": torch.zeros(2, 4, 8, 8)},
         "chunk_gla: expected initial_state of shape [2, 4, 8, 12], got [2, 4, 8, 8]"),
        ("chunk_gla", {"cu_seqlens": torch.tensor([0, 60])},
         "chunk_gla: expected a batch of 1 beside cu_seqlens, got 2; put the sequences one after the other"),
        ("chunk_gla", {"g": 1}, "chunk_gla: expected g to be a torch tensor, got int"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_one_error_that_names_the_argument(name, options, expected):
    given = {**tensors(name), **options}
    with pytest.raises((ValueError, TypeError, NotImplementedError)) as caught:
        getattr(gallery, name)(**given)
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    "name", ["fused_recurrent_gla", "fused_recurrent_rwkv6", "fused_recurrent_retention"]
)
def test_reversed_walks_are_refused(name):
    given = tensors(name.replace("fused_recurrent", "chunk"))
    given = {"gk" if name.endswith("gla") and key == "g" else key: x for key, x in given.items()}
    with pytest.raises(NotImplementedError, match=f"{name} does not support reverse"):
        getattr(gallery, name)(**given, reverse=True)


def test_hints_of_how_to_run_change_nothing():
    given = tensors("chunk_gla")
    out, _ = of("chunk_gla", given, head_first=False, chunk_size=64, cu_seqlens_cpu=None)
    torch.testing.assert_close(out, of("chunk_gla", given)[0], rtol=0, atol=0)


def test_parameters_that_require_gradients_serve_where_none_are_asked_for():
    given = tensors("chunk_rwkv6")
    given["u"].requires_grad_()
    with torch.no_grad():
        out, _ = of("chunk_rwkv6", given)
    assert not out.requires_grad
