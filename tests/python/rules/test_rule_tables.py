"""The tables of a rule: a check that can fail, a bench, and what they are asked for."""

import threading

import numpy as np
import pytest

import linmu
from linmu import Index, Param, State, Tail, Tokens, exp, lag, outer, scan, softplus, zeros
from linmu.rules.check import error_of


@linmu.pattern
def cell(q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], g: Tokens["H"]):
    @scan(S=zeros("H", "K", "V"))
    def step(S, q, k, v, g):
        S = exp(-softplus(g)) * S + outer(k, v)
        return S, q @ S

    return step(q, k, v, g), step.S


def test_a_check_compares_each_result_and_shows_it():
    table = cell.check(H=3, K=8, V=24, tokens=33, batch=1)
    assert table
    assert [(row.what, row.result) for row in table.rows] == [
        ("forward", "out"), ("forward", "S"), ("decode", "out"), ("decode", "S"),
    ]  # fmt: skip
    text = str(table)
    assert "rule cell: 1 x 33 tokens, H = 3, K = 8, V = 24, f32, seed 0" in text
    assert text.count("  ok") == 4 and text.endswith("gradient  not checked")


def test_a_check_fails_where_an_error_is_larger_than_its_bound():
    table = cell.check(tolerance=1e-12)
    assert not table
    assert "WRONG" in str(table) and all(0 < row.error < 1e-4 for row in table.rows)


@pytest.mark.parametrize(
    ("actual", "expected", "error"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 3.0], [1.0, 2.0], 0.5),
        ([0.1, 10.0], [0.0, 10.0], 0.1 / 50**0.5),
        ([np.nan], [1.0], np.inf),
        ([1.0], [np.nan], np.inf),
        ([np.inf, 1.0], [np.inf, 1.0], 0.0),
        ([-np.inf], [np.inf], np.inf),
        ([np.nan], [np.nan], 0.0),
        ([1.0], [1.0, 1.0], np.inf),
        ([0.5], [0.0], 0.5),
        ([], [], 0.0),
    ],
)
def test_the_error_of_a_check(actual, expected, error):
    assert error_of(np.array(actual), np.array(expected)) == pytest.approx(error)


def test_a_check_says_what_a_promise_breaks_and_what_has_no_decoder():
    @linmu.pattern
    def promised(x: Tokens["H", "D"], a: Tokens["H"]):
        @scan(S=zeros("H", "D"), reverse=True)
        def step(S, x, a):
            S = linmu.assume(a, 0, 1) * S + x
            return S, S

        return step(x, a)

    with pytest.raises(
        linmu.PatternError, match=r"test_rule_tables.py:\d+:17: error: .*pattern\.assume.*\[0.*1"
    ):
        promised.check()
    table = promised.check(a=lambda x: 1 / (1 + x * x))
    assert table and "decode    not checked: a decoder extends forward" in str(table)


def test_a_bench_has_a_row_for_each_number_of_tokens():
    table = cell.bench(tokens=(1, 64), H=2, K=16, V=16, seconds=0.01)
    assert [row.tokens for row in table.rows] == [1, 64]
    assert all(row.seconds > 0 for row in table.rows)
    assert table.rows[0].algorithm == cell.kernel(H=2, K=16, V=16).algorithm(1)
    assert "tokens / s" in str(table)


def test_text_and_explanation_are_of_sizes_of_tensors_or_of_the_last_call():
    @linmu.pattern
    def rule(x: Tokens["H", "D"], s0: State["H", "D"], t0: Tail[1, "H", "D"], ids: Index, w: Param[1, "D"]):
        @scan(S=s0, segments=ids)
        def step(S, x):
            S = 0.5 * S + w * lag(x, 1)
            return S, S

        return step(x.after(t0)), step.S, step.x

    with pytest.raises(
        linmu.PatternError,
        match=r"expected tensors, all sizes \(H=..., D=...\), or a call before it; got no H, D",
    ):
        rule.text()
    with pytest.raises(linmu.PatternError, match="got no D"):
        rule.explain(H=2)
    by_sizes = rule.text(H=3, D=5, dtype="bf16")
    assert "tensor<?x?x3x5xbf16>" in by_sizes and "tail %t0" in by_sizes and "segments(%ids" in by_sizes
    assert "forward -> chunked" in rule.explain(H=3, D=5)
    x = np.ones((1, 4, 3, 5), np.float32)
    given = x, x[:, 0], x[:, :1], np.zeros((1, 4), np.int32), np.ones((1, 5), np.float32)
    assert rule.text(*given) == rule.text(H=3, D=5)
    rule(*given)
    assert rule.text() == rule.text(H=3, D=5)
    assert linmu.compile(rule.text()).key == rule.kernel().key


def test_threads_may_call_one_rule_at_once():
    @linmu.pattern
    def rule(x: Tokens["H", "D"]):
        @scan(S=zeros("H", "D"))
        def step(S, x):
            S = 0.5 * S + x
            return S, S

        return step(x)

    failures = []

    def work(heads):
        x = np.ones((1, 3, heads, 4), np.float32)
        for _ in range(20):
            out = rule(x)
            if out.shape != x.shape or not np.array_equal(out[0, :, 0, 0], [1, 1.5, 1.75]):
                failures.append(heads)

    threads = [threading.Thread(target=work, args=(1 + i % 4,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
