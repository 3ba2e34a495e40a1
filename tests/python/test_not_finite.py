"""What is infinite or no number stays where causality and segments keep it: in no earlier token and no later segment."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import linmu

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fuzz"))

from guarded import Guarded  # noqa: E402

HEADS, SIZE, TOKENS = 2, 16, 70
SEGMENTS = np.repeat([0, 1, 2], [21, 30, 19])[None].astype(np.int32)


def scan(decay: str, feedback: bool, segments: bool, state: str = "%S1", size: int = SIZE) -> str:
    """S' = a S + k (x) w, o = q^T S', or of `state`: %S is S, %D a S; w is v, or v - k^T (a S)."""
    token, scalar = f"tensor<?x?x{HEADS}x{size}xf32>", f"tensor<?x?x{HEADS}xf32>"
    vector, matrix = f"tensor<{size}xf32>", f"tensor<{size}x{size}xf32>"
    gate, slice_type = (scalar, "f32") if decay == "scalar" else (token, vector)
    along = {"scalar": "", "value": "along 1 "}.get(decay, "along 0 ")
    decayed = (
        f"%b = pattern.sigmoid %vt : {vector}\n    %B = pattern.broadcast %b along 1 : {vector} to {matrix}\n"
        f"    %C = arith.mulf %A, %S : {matrix}\n    %D = arith.mulf %B, %C : {matrix}"
        if decay == "both"
        else f"%D = arith.mulf %A, %S : {matrix}"
    )
    read = (
        f"%u = pattern.read %D, %kt : {matrix}, {vector}\n    %w = arith.subf %vt, %u : {vector}"
        if feedback
        else f"%w = arith.addf %vt, %vt : {vector}"
    )
    ids = ", %id: tensor<?x?xi32>" if segments else ""
    clause = "segments(%id : tensor<?x?xi32>)" if segments else ""
    return f"""
func.func @f(%q: {token}, %k: {token}, %v: {token}, %g: {gate}{ids}) -> {token} {{
  %o, %s = pattern.scan
      tokens(%qt = %q : {token}, %kt = %k : {token}, %vt = %v : {token}, %gt = %g : {gate})
      states(%S = zero : tensor<?x{HEADS}x{size}x{size}xf32>) {clause} -> ({token}) {{
    %a = pattern.sigmoid %gt : {slice_type}
    %A = pattern.broadcast %a {along}: {slice_type} to {matrix}
    {decayed}
    {read}
    %W = pattern.outer %kt, %w : {vector}, {vector}
    %S1 = arith.addf %D, %W : {matrix}
    %y = pattern.read {state}, %qt : {matrix}, {vector}
    pattern.yield outputs(%y : {vector}) states(%S1 : {matrix})
  }}
  return %o : {token}
}}
"""


def operands(decay: str, size: int = SIZE) -> list[np.ndarray]:
    random = np.random.default_rng(3)
    q, k, v = (random.standard_normal((1, TOKENS, HEADS, size), np.float32) for _ in range(3))
    k /= np.linalg.norm(k, axis=-1, keepdims=True)
    shape = (1, TOKENS, HEADS) + (() if decay == "scalar" else (size,))
    return [q, k, v, random.standard_normal(shape, np.float32) + 2]


ALGORITHMS = [
    {"algorithm": "recurrent"},
    {"algorithm": "chunked", "chunk": "16"},
    {"algorithm": "chunked", "chunk": "32"},
    {"algorithm": "chunked", "chunk": "16", "columns": "8"},
    {"algorithm": "two_kernels", "chunk": "16"},
    {"algorithm": "segmented", "chunk": "16", "segments": "3"},
    {"algorithm": "segmented", "chunk": "8", "segments": "9"},
]


@pytest.mark.parametrize("schedule", ALGORITHMS, ids=lambda s: "-".join(s.values()))
@pytest.mark.parametrize(
    ("decay", "feedback"),
    [("scalar", False), ("row", False), ("value", False), ("both", False), ("scalar", True), ("row", True)],
)
@pytest.mark.parametrize("segments", [False, True])
def test_it_stays_in_later_tokens_of_its_segment(decay, feedback, segments, schedule):
    assert_it_stays(scan(decay, feedback, segments), decay, segments, schedule)


@pytest.mark.parametrize("schedule", ALGORITHMS, ids=lambda s: "-".join(s.values()))
@pytest.mark.parametrize("decay", ["scalar", "row", "value"])
def test_it_stays_in_its_segment_where_the_decay_is_a_sum(decay, schedule):
    # (1 + tanh(g / 2)) / 2, of which a logarithm is taken by its number only.
    kind = "f32" if decay == "scalar" else f"tensor<{SIZE}xf32>"
    half, one = ("0.5", "1.0") if decay == "scalar" else ("dense<0.5>", "dense<1.0>")
    written = f"""%half = arith.constant {half} : {kind}
    %one = arith.constant {one} : {kind}
    %h = arith.mulf %gt, %half : {kind}
    %t = math.tanh %h : {kind}
    %more = arith.addf %t, %one : {kind}
    %a = arith.mulf %more, %half : {kind}"""
    text = scan(decay, False, True).replace(f"%a = pattern.sigmoid %gt : {kind}", written)
    assert "math.tanh" in text
    assert_it_stays(text, decay, True, schedule)


@pytest.mark.parametrize("schedule", ALGORITHMS, ids=lambda s: "-".join(s.values()))
@pytest.mark.parametrize("state", ["%S", "%D"], ids=["before", "decayed"])
@pytest.mark.parametrize(
    ("decay", "feedback"), [("scalar", False), ("row", False), ("value", False), ("scalar", True)]
)
def test_what_is_read_before_the_write_of_a_first_token_is_zero_however_the_last_segment_ended(
    decay, feedback, state, schedule
):
    assert_it_stays(scan(decay, feedback, True, state), decay, True, schedule)


@pytest.mark.parametrize("schedule", ALGORITHMS, ids=lambda s: "-".join(s.values()))
@pytest.mark.parametrize("state", ["%S", "%D", "%S1"], ids=["before", "decayed", "after"])
@pytest.mark.parametrize("decay", ["scalar", "row", "value"])
@pytest.mark.parametrize("feedback", [False, True])
def test_a_key_or_query_that_is_no_number_shows_at_the_first_token_of_a_segment(
    decay, feedback, state, schedule
):
    """Of a state that restarts, zeros are read, which times NaN are NaN."""
    if feedback and decay == "value" and schedule["algorithm"] != "recurrent":
        pytest.skip("decays by value column beside feedback run token by token")
    kernel = linmu.compile(scan(decay, feedback, True, state), schedule=schedule, cache=False)
    for at in (0, 21, 51):
        for operand in (0, 1):
            inputs = operands(decay)
            inputs[operand][0, at, 0, 3] = np.nan
            actual = kernel(*inputs, SEGMENTS)
            if operand == 0:
                assert np.isnan(actual[0, at, 0]).all(), (at, "query")
            elif feedback:
                # What the key reads is no number, and so is all that is written.
                assert np.isnan(actual[0, at + 1, 0]).all(), (at, "key")


@pytest.mark.parametrize("schedule", ALGORITHMS, ids=lambda s: "-".join(s.values()))
@pytest.mark.parametrize("size", [5, 8, 24])
@pytest.mark.parametrize(
    ("decay", "feedback"),
    [("scalar", False), ("row", False), ("value", False), ("scalar", True), ("row", True)],
)
def test_it_stays_in_its_head_and_call_where_features_fill_no_vectors(decay, feedback, size, schedule):
    """Lanes beside the features hold what the memory held before."""
    kernel = linmu.compile(scan(decay, feedback, False, size=size), schedule=schedule, cache=False)
    clean = operands(decay, size)
    expected = kernel(*clean, threads=1)
    for operand in range(4):
        inputs = [x.copy() for x in clean]
        inputs[operand][0, 5, 0] = np.nan
        # One thread: the second head, and the call after, work in the memory of the first.
        np.testing.assert_allclose(kernel(*inputs, threads=1)[:, :, 1], expected[:, :, 1], atol=2e-5)
        np.testing.assert_allclose(kernel(*clean, threads=1), expected, atol=2e-5)


def assert_it_stays(text, decay, segments, schedule):
    kernel = linmu.compile(text, schedule=schedule, cache=False)
    clean = operands(decay)
    more = [SEGMENTS] if segments else []
    expected = kernel(*clean, *more)
    for at in (0, 5, 7, 20, 21, 22, 37, 69):
        for bad in (np.nan, np.inf):
            for operand in range(4):
                inputs = [x.copy() for x in clean]
                inputs[operand][0, at, 0] = bad
                actual = kernel(*inputs, *more)
                end = np.flatnonzero(SEGMENTS[0] == SEGMENTS[0, at])[-1] + 1 if segments else TOKENS
                where = f"{bad} in operand {operand} at token {at}"
                np.testing.assert_allclose(actual[:, :at], expected[:, :at], atol=2e-5, err_msg=where)
                np.testing.assert_allclose(actual[:, end:], expected[:, end:], atol=2e-5, err_msg=where)
                np.testing.assert_allclose(actual[:, :, 1], expected[:, :, 1], atol=2e-5, err_msg=where)


@pytest.mark.parametrize("schedule", ALGORITHMS, ids=lambda s: "-".join(s.values()))
@pytest.mark.parametrize("reverse", [False, True])
def test_a_walk_that_is_repeated_reads_no_order_outside_its_operand(reverse, schedule):
    text = scan("scalar", True, True)
    text = text.replace("%id: tensor", "%order: tensor<?x?xi32>, %id: tensor")
    text = text.replace("segments(%id", "order(%order : tensor<?x?xi32>) segments(%id")
    text = text.replace("pattern.scan", "pattern.scan reverse") if reverse else text
    kernel = linmu.compile(text, schedule=schedule, cache=False)
    q, k, v, g = (torch.from_numpy(x) for x in operands("scalar"))
    order, segments = torch.arange(TOKENS, dtype=torch.int32)[None], torch.from_numpy(SEGMENTS)
    expected = kernel(q, k, v, g, order, segments)
    at = 50 if reverse else 21  # the first token of the second segment
    v[0, at, 0, 0] = float("nan")
    guarded = Guarded()
    for _ in range(2):  # against an unreadable page behind it, then before it
        actual = kernel(q, k, v, g, guarded.copy(order), guarded.copy(segments))
        apart = SEGMENTS[0] != SEGMENTS[0, at]
        assert torch.allclose(actual[:, apart], expected[:, apart], atol=2e-5)
        guarded.copy(order)
