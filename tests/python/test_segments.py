"""Segmented scans on the CPU whose states need each other, with states that lie in the memory of those before."""

import numpy as np
import pytest

import linmu

HEADS, SIZE, TOKENS = 2, 16, 75
TOKEN, STATE = f"tensor<?x?x{HEADS}x{SIZE}xf32>", f"tensor<?x{HEADS}x{SIZE}x{SIZE}xf32>"
V, M = f"tensor<{SIZE}xf32>", f"tensor<{SIZE}x{SIZE}xf32>"

# The second state's keys are what the first one reads.
STRATA = f"""
func.func @f(%q: {TOKEN}, %k: {TOKEN}, %v: {TOKEN}, %s0: {STATE}, %u0: {STATE}) -> ({TOKEN}, {STATE}, {STATE}) {{
  %o, %s, %u = pattern.scan tokens(%qt = %q : {TOKEN}, %kt = %k : {TOKEN}, %vt = %v : {TOKEN})
      states(%S = %s0 : {STATE}, %U = %u0 : {STATE}) -> ({TOKEN}) {{
    %W = pattern.outer %kt, %vt : {V}, {V}
    %half = arith.constant dense<0.5> : {M}
    %D = arith.mulf %half, %S : {M}
    %S1 = arith.addf %D, %W : {M}
    %y = pattern.read %S1, %qt : {M}, {V}
    %E = arith.mulf %half, %U : {M}
    %X = pattern.outer %y, %vt : {V}, {V}
    %U1 = arith.addf %E, %X : {M}
    %z = pattern.read %U1, %qt : {M}, {V}
    pattern.yield outputs(%z : {V}) states(%S1, %U1 : {M}, {M})
  }}
  return %o, %s, %u : {TOKEN}, {STATE}, {STATE}
}}
"""


@pytest.mark.parametrize("segments", [2, 3, 8])
def test_states_that_need_each_other_equal_the_walk_by_chunks(segments):
    random = np.random.default_rng(2)
    inputs = [random.standard_normal((1, TOKENS, HEADS, SIZE), np.float32) / 2 for _ in range(3)]
    inputs += [random.standard_normal((1, HEADS, SIZE, SIZE), np.float32) for _ in range(2)]

    def run(schedule: dict) -> tuple[np.ndarray, ...]:
        return linmu.compile(STRATA, schedule=schedule, cache=False)(*(x.copy() for x in inputs))

    expected = run({"algorithm": "chunked"})
    actual = run({"algorithm": "segmented", "segments": segments, "chunk": 8})
    for a, e in zip(actual, expected, strict=True):
        # f32 sums over tens of tokens.
        np.testing.assert_allclose(a, e, rtol=0, atol=2e-5 * max(1, np.abs(e).max()))
