"""Calling a rule: one kernel for each combination of sizes, types and constants, on the caller's tensors."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import linmu
from linmu import Param, Tokens, outer, scan, sigmoid, zeros


def make_rule():
    @linmu.pattern
    def rule(q: Tokens["H", "K"], k: Tokens["G", "K"], v: Tokens["G", "V"], f: Tokens["H"], scale=1.0):
        """Says something."""

        @scan(S=zeros("H", "K", "V"))
        def step(S, q, k, v, f):
            S = sigmoid(f) * S + scale * outer(k, v)
            return S, q @ S

        return step(q, k, v, f), step.S

    return rule


def operands(H=4, G=2, K=8, V=8, batch=2, tokens=5):
    random = np.random.default_rng(H + 10 * K)
    shapes = (batch, tokens, H, K), (batch, tokens, G, K), (batch, tokens, G, V), (batch, tokens, H)
    return [random.standard_normal(shape, np.float32) for shape in shapes]


def definition(q, k, v, f, scale=1.0):
    S = np.zeros((q.shape[0], q.shape[2], k.shape[3], v.shape[3]))
    k, v = (np.repeat(x, q.shape[2] // x.shape[2], axis=2) for x in (k, v))
    out = []
    for t in range(q.shape[1]):
        S = S / (1 + np.exp(-f[:, t, :, None, None])) + scale * k[:, t, :, :, None] * v[:, t, :, None, :]
        out.append(np.einsum("bhk,bhkv->bhv", q[:, t], S))
    return np.stack(out, axis=1), S


def assert_is_defined(results, given, scale=1.0, tolerance=1e-5):
    for actual, expected in zip(results, definition(*given, scale=scale), strict=True):
        np.testing.assert_allclose(np.asarray(actual, np.float32), expected, rtol=tolerance, atol=tolerance)


def test_a_rule_is_compiled_once_for_all_batches_and_tokens():
    rule = make_rule()
    rule(*operands())
    before = linmu.statistics()
    for batch, tokens in ((2, 5), (1, 1), (3, 70)):
        given = operands(batch=batch, tokens=tokens)
        assert_is_defined(rule(*given), given, tolerance=1e-4)
    assert linmu.statistics() == before


@pytest.mark.parametrize("sizes", [{"H": 2, "G": 1}, {"K": 16, "V": 8}, {"V": 24}])
def test_other_sizes_are_another_kernel_and_the_first_stays(sizes):
    rule = make_rule()
    for given in (operands(), operands(**sizes), operands(), operands(**sizes)):
        assert_is_defined(rule(*given), given)
    assert len(rule._compiled) == 2


def test_results_are_of_the_callers_library_and_of_the_type_of_its_first_floats():
    rule, given = make_rule(), operands()
    assert isinstance(rule(*given)[0], np.ndarray)
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.bfloat16, 0.05), (torch.float16, 0.01)):
        tensors = [torch.from_numpy(x).to(dtype) for x in given]
        for _ in range(2):
            out, state = rule(*tensors)
            assert (out.dtype, state.dtype) == (dtype, torch.float32)
            assert_is_defined((out.float(), state), given, tolerance=tolerance)
            assert out.is_contiguous() and state.is_contiguous()


def test_operands_by_name_and_results_in_given_memory():
    rule, given = make_rule(), operands()
    names = ("q", "k", "v", "f")
    out, state = np.empty((2, 5, 4, 8), np.float32), np.empty((2, 4, 8, 8), np.float32)
    results = rule(*given[:1], **dict(zip(names[1:], given[1:])), out=[out, state], threads=1)
    assert results[0] is out and results[1] is state
    assert_is_defined((out, state), given)


def test_constants_are_part_of_the_kernel_and_not_of_the_call_beside_it():
    rule, given = make_rule(), operands()
    for scale in (1.0, 0.5, 1.0):
        assert_is_defined(rule(*given, scale=scale), given, scale)
        assert_is_defined(rule(*given, scale), given, scale)
    assert_is_defined(rule(*given), given)


def test_no_tokens_and_strided_views():
    rule, given = make_rule(), operands()
    rule(*given)
    out, state = rule(*(x[:, :0] for x in given))
    assert out.shape == (2, 0, 4, 8) and not state.any()
    views = [np.repeat(x, 2, axis=1)[:, ::2] for x in given]
    assert_is_defined(rule(*views), given)
    tensors = [torch.from_numpy(x).transpose(0, 1).contiguous().transpose(0, 1) for x in given]
    for _ in range(2):
        assert_is_defined(rule(*tensors), given)
    out, state = rule(*(x[:, :0] for x in tensors))
    assert out.shape == (2, 0, 4, 8) and not state.any()


def test_a_tensor_that_requires_a_gradient_gets_one_from_each_call_and_others_are_called_as_ever():
    rule, given = make_rule(), [torch.from_numpy(x) for x in operands()]
    for _ in range(2):
        v = given[2].clone().requires_grad_()
        results = rule(given[0], given[1], v, given[3])
        assert all(result.requires_grad for result in results)
        assert_is_defined([x.detach() for x in results], [x.numpy() for x in given])
        results = rule(*given)
        assert not any(result.requires_grad for result in results)
        assert_is_defined(results, [x.numpy() for x in given])


def test_operands_that_do_not_fit_are_named_by_a_later_call_as_by_the_first():
    rule, given = make_rule(), operands()
    for _ in range(2):
        rule(*given)
        with pytest.raises(ValueError, match=r"'f'.*expected.*5.*got.*4"):
            rule(*given[:3], given[3][:, :4])
        with pytest.raises(linmu.PatternError, match="k, Tokens.*K is 8 in q"):
            rule(given[0], operands(K=4)[1], *given[2:])


def test_the_function_says_what_it_is():
    rule = make_rule()
    assert rule.__name__ == "rule" and rule.__doc__ == "Says something."
    assert repr(rule) == (
        '<rule rule(q: Tokens["H", "K"], k: Tokens["G", "K"], v: Tokens["G", "V"], f: Tokens["H"])>'
    )


def test_a_rule_may_be_called_in_another_with_letters_of_its_own():
    inner = make_rule()

    @linmu.pattern
    def outer_rule(a: Tokens["P", "Q"], b: Tokens["R", "Q"], c: Tokens["R", "H"], f: Tokens["P"]):
        out, state = inner(2 * a, b, v=c, f=f, scale=0.5)
        return out * sigmoid(out), state

    given = operands(K=8, V=16)
    out, state = definition(2 * given[0], *given[1:], scale=0.5)
    for actual, expected in zip(outer_rule(*given), (out / (1 + np.exp(-out)), state)):
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(
        linmu.PatternError,
        match=r"rule rule: v, Tokens.*axes \[batch, tokens, G = 2, V\], got f32\[batch, tokens, 4\]",
    ):

        @linmu.pattern
        def wrong(a: Tokens["P", "Q"], b: Tokens["R", "Q"], f: Tokens["P"]):
            return inner(a, b, f, f)

        wrong(given[0], given[1], given[3])


def test_a_rule_of_parameters_alone_is_refused():
    with pytest.raises(linmu.PatternError, match="expected a parameter of tokens"):

        @linmu.pattern
        def rule(w: Param["H"]):
            return w


def test_annotations_may_be_text():
    source = "from __future__ import annotations\nimport linmu\nfrom linmu import Tokens\n" \
             "@linmu.pattern\ndef rule(x: Tokens['H', 'D']):\n    return x * 2\n"  # fmt: skip
    names = {}
    exec(source, names)
    x = np.ones((1, 2, 1, 4), np.float32)
    np.testing.assert_array_equal(names["rule"](x), 2 * x)


def assert_costs_little(call, kernel, given, results):
    """Less than twelve microseconds over the launch, of the fastest of many calls."""
    raw = whole = float("inf")
    for _ in range(3000):  # one after the other: a busy machine slows both
        start = time.perf_counter()
        kernel._native.launch(given, results, 1)
        middle = time.perf_counter()
        call()
        raw, whole = min(raw, middle - start), min(whole, time.perf_counter() - middle)
    assert whole - raw < 12e-6


@pytest.mark.alone
@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("kind", ["plain", "constants", "ragged"])
def test_a_call_costs_less_than_twelve_microseconds_over_the_launch(library, kind):
    rule = make_rule()
    given = operands(tokens=1, batch=1)
    table = np.array([0, 1], np.int32)
    if library == "torch":
        given, table = [torch.from_numpy(x) for x in given], torch.from_numpy(table)
    named = {"plain": {}, "constants": {"scale": 0.5}, "ragged": {"sequences": table}}[kind]
    results = list(rule(*given, **named))
    if kind == "ragged":
        inputs, kernel = [*given, table], rule.ragged.kernel(*given, table)
    else:
        inputs, kernel = given, rule.kernel(*given, **named)
    assert_costs_little(lambda: rule(*given, threads=1, **named), kernel, inputs, results)


@pytest.mark.alone
def test_a_step_of_a_decoder_costs_less_than_twelve_microseconds_over_the_launch():
    rule, given = make_rule(), [torch.from_numpy(x) for x in operands(tokens=1, batch=1)]
    decoder = rule.decode()
    decoder.extend(*given)
    (call,) = decoder._kernels.values()
    state = decoder.states["S0"]
    out = torch.empty(1, 1, 4, 8)
    assert_costs_little(
        lambda: decoder.extend(*given, threads=1), call.kernel, [*given, state], [out, state.clone()]
    )


def test_linmu_has_the_names_of_its_rules():
    assert sorted(linmu._RULES) == sorted(linmu.rules.__all__)
    for name in linmu.rules.__all__:
        assert getattr(linmu, name) is getattr(linmu.rules, name)
    names = {}
    exec("from linmu import *", names)
    assert set(linmu.__all__) <= names.keys() and set(linmu.__all__) <= set(dir(linmu))
    with pytest.raises(AttributeError, match="module 'linmu' has no attribute 'nonsense'"):
        linmu.nonsense  # noqa: B018


@pytest.mark.alone
def test_importing_linmu_takes_neither_torch_nor_numpy():
    script = (
        "import sys, time; start = time.perf_counter(); import linmu; took = time.perf_counter() - start; "
        "assert not {'torch', 'numpy', 'inspect', 'typing'} & sys.modules.keys(), sys.modules.keys(); print(took)"
    )
    took = [float(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout)
            for _ in range(3)]  # fmt: skip
    assert min(took) < 0.2
