"""Ragged batches in rules: a table of sequences cuts every walk of a rule, and each gives what it gives alone."""

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

import linmu
from linmu import Index, Param, Sequences, State, Tail, Tokens, lag, outer, scan, sigmoid, zeros

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "patterns.md").read_text()


@linmu.pattern
def cell(q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], g: Tokens["H"], s0: State["H", "K", "V"],
         w: Param["H", "V"], scale=1.0):  # fmt: skip
    v = v + w * lag(v, 1)  # a map of its own

    @scan(S=s0)
    def step(S, q, k, v, g):
        S = sigmoid(g) * S + outer(k, v)
        return S, scale * (q @ S)

    return step(q, k, v, g), step.S


def operands(lengths, seed=0):
    random = np.random.default_rng(seed)
    tokens, count = sum(lengths), len(lengths)
    shapes = [(1, tokens, 2, 8)] * 3 + [(1, tokens, 2), (count, 2, 8, 8), (2, 8)]
    given = [random.standard_normal(shape, np.float32) for shape in shapes]
    return given, np.cumsum([0, *lengths]).astype(np.int32)


def alone(rule, given, cu, **constants):
    """One call for each sequence."""
    q, k, v, g, s0, w = given
    calls = [rule(q[:, a:b], k[:, a:b], v[:, a:b], g[:, a:b], s0[s : s + 1], w, **constants)
             for s, (a, b) in enumerate(pairwise(cu))]  # fmt: skip
    return np.concatenate([out for out, _ in calls], axis=1), np.concatenate([end for _, end in calls])


@pytest.mark.parametrize("lengths", [[5], [3, 0, 70, 1], [0, 0, 2], [1] * 20])
def test_a_table_in_a_call_gives_what_a_call_for_each_sequence_gives(lengths):
    given, cu = operands(lengths)
    expected = alone(cell, given, cu)
    for _ in range(2):  # the first call and the short way of later ones
        for actual, wanted in zip(cell(*given, sequences=cu), expected, strict=True):
            np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-4)
    tensors = [torch.from_numpy(x) for x in given]
    for _ in range(2):
        for actual, wanted in zip(cell(*tensors, sequences=torch.from_numpy(cu)), expected, strict=True):
            np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-4)


def test_a_table_beside_names_constants_and_memory():
    given, cu = operands([4, 9])
    expected = alone(cell, given, cu, scale=0.5)
    names = ("q", "k", "v", "g", "s0", "w")
    memory = [np.empty_like(x) for x in expected]
    calls = [
        cell(*given, sequences=cu, scale=0.5),
        cell(*given, 0.5, sequences=cu),
        cell(sequences=cu, scale=0.5, **dict(zip(names, given))),
        cell(*given, sequences=cu, scale=0.5, out=memory),
    ]
    assert calls[-1][0] is memory[0]
    for results in calls:
        for actual, wanted in zip(results, expected, strict=True):
            np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-4)


def test_a_rule_with_an_operand_of_sequences_is_the_pattern_of_the_documentation():
    @linmu.pattern
    def ragged(q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], cu: Sequences, s0: State["H", "K", "V"],
               v0: Tail[1, "H", "V"]):  # fmt: skip
        @scan(S=s0, sequences=cu)
        def step(S, q, k, v):
            S = S + outer(k, v + lag(v, 1))
            return S, q @ S

        return step(q, k, v.after(v0)), step.S, step.v

    (text,) = (text for text in re.findall(r"```mlir\n(.*?)```", DOCS, flags=re.DOTALL) if "@ragged" in text)
    assert ragged.kernel(H=2, K=16, V=16).key == linmu.compile(text).key
    assert ragged.ragged is ragged and ragged.table == "cu"
    random, (given, cu) = np.random.default_rng(0), operands([6, 2])
    q, k, v = given[:3]
    states, tails = (
        random.standard_normal((2, 2, 8, 8), np.float32),
        random.standard_normal((2, 1, 2, 8), np.float32),
    )
    for one, other in zip(
        ragged(q, k, v, cu, states, tails), ragged(q, k, v, s0=states, v0=tails, sequences=cu)
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("tokens", [1, 90])
def test_a_check_of_a_ragged_rule_compares_forward_and_decode(tokens):
    table = cell.ragged.check(tokens=tokens, batch=4)
    assert table, str(table)
    assert f"{tokens} tokens of 4 sequences" in str(table)
    assert [row.what for row in table.rows] == ["forward", "forward", "decode", "decode"]


def test_a_rule_inside_another_one_is_cut_with_it():
    @linmu.pattern
    def twice(q: Tokens["H", "D"], k: Tokens["H", "D"], v: Tokens["H", "D"], g: Tokens["H"], s0: State["H", "D", "D"],
              w: Param["H", "D"]):  # fmt: skip
        out, end = cell(q, k, v, g, s0, w)
        return lag(out, 1) + out, end

    given, cu = operands([4, 1, 30])
    for actual, wanted in zip(twice(*given, sequences=cu), alone(twice, given, cu), strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-4)


@linmu.pattern
def counted(x: Tokens["H", "D"], ids: Index, s0: State["H", "D"]):
    @scan(S=s0, segments=ids)
    def step(S, x):
        S = 0.5 * S + x + lag(x, 2)
        return S, S

    return step(x), step.S


def test_a_decoder_takes_prompts_of_any_length_and_then_a_token_of_each():
    random = np.random.default_rng(3)
    lengths, more = [7, 1, 20], 5
    x = [random.standard_normal((1, n + more, 2, 4), np.float32) for n in lengths]
    ids = [np.cumsum(random.random((1, n + more)) < 0.3, axis=1).astype(np.int32) for n in lengths]
    s0 = random.standard_normal((3, 2, 4), np.float32)
    expected = [counted(a, i, s0[s : s + 1]) for s, (a, i) in enumerate(zip(x, ids))]
    decoder = counted.decode(s0=s0)
    cu = np.cumsum([0, *lengths]).astype(np.int32)
    prompts = [np.concatenate([a[:, :n] for a, n in zip(part, lengths)], axis=1) for part in (x, ids)]
    out = decoder.extend(*prompts, sequences=cu)
    for s, (begin, end) in enumerate(pairwise(cu)):
        np.testing.assert_allclose(out[:, begin:end], expected[s][0][:, : lengths[s]], rtol=1e-5, atol=1e-5)
    here = decoder.snapshot()
    for _ in range(2):
        for step in range(more):
            tokens = [
                np.concatenate([a[:, n + step : n + step + 1] for a, n in zip(part, lengths)])
                for part in (x, ids)
            ]
            out = decoder.extend(*tokens)
            wanted = [e[0][:, n + step : n + step + 1] for e, n in zip(expected, lengths)]
            np.testing.assert_allclose(out, np.concatenate(wanted), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(
            decoder.states["s0"], np.concatenate([end for _, end in expected]), rtol=1e-5, atol=1e-5
        )
        decoder.roll_back(here)
    with pytest.raises(linmu.PatternError, match="expected a first token of each sequence"):
        counted.decode(s0=s0).extend(*prompts, sequences=np.array([0, 0, 5, 28], np.int32))


def test_a_table_that_is_none_is_refused_by_each_call():
    given, cu = operands([3, 4])
    for _ in range(2):
        cell(*given, sequences=cu)
        with pytest.raises(ValueError, match="operand 'sequences' of pattern 'cell': .*the 7 tokens, got 6"):
            cell(*given, sequences=np.array([0, 3, 6], np.int32))
        with pytest.raises(
            linmu.PatternError, match="rule cell: sequences, Sequences: expected elements of type i32"
        ):
            cell(*given, sequences=cu.astype(np.float32))


def test_what_is_wrong_with_tables_in_a_rule_is_said_at_its_line():
    with pytest.raises(linmu.PatternError, match=r"expected one parameter annotated Sequences, got a, b"):

        @linmu.pattern
        def two(x: Tokens["H", "D"], a: Sequences, b: Sequences):
            return 2 * x

    @linmu.pattern
    def read(x: Tokens["H", "D"], cu: Sequences):
        return x + cu

    x, cu = np.ones((1, 2, 1, 4), np.float32), np.array([0, 2], np.int32)
    with pytest.raises(linmu.PatternError, match="'cu' is a table of sequences, which a step does not read"):
        read(x, cu)

    @linmu.pattern
    def taken(x: Tokens["H", "D"], sequences: Tokens["H", "D"]):
        return x + sequences

    with pytest.raises(
        linmu.PatternError, match="expected its parameter 'sequences' to be annotated Sequences"
    ):
        taken.ragged  # noqa: B018

    @linmu.pattern
    def wrong(x: Tokens["H", "D"], ids: Index):
        @scan(S=zeros("H", "D"), sequences=ids)
        def step(S, x):
            return S + x, S

        return step(x)

    with pytest.raises(
        linmu.PatternError, match="sequences of @scan: expected a tensor Sequences, got 'ids'"
    ):
        wrong(x, np.zeros((1, 2), np.int32))

    @linmu.pattern
    def named(x: Tokens["H", "D"], cu: Sequences):
        return x + lag(x, 1)

    with pytest.raises(linmu.PatternError, match="got its table of sequences twice, as sequences and as cu"):
        named(x, cu=cu, sequences=cu)
