"""Heads that one thread walks together give to the bit what each gives alone."""

import numpy as np
import pytest

import linmu

HEADS, SIZE = 5, 16

# Two states: a matrix, and a scalar that also leaves the loop as a value.
TEXT = """
!t = tensor<?x?x{heads}x{size}xf32>
!g = tensor<?x?x{heads}xf32>
!s = tensor<?x{heads}x{size}x{size}xf32>
!n = tensor<?x{heads}xf32>
!v = tensor<{size}xf32>
!m = tensor<{size}x{size}xf32>
func.func @cell(%q: !t, %k: !t, %v: !t, %g: !g, %i: tensor<?x?xi32>, %s0: !s, %n0: !n) -> (!t, !g, !s, !n) {{
  %o, %z, %s, %n = pattern.scan
      tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t, %gt = %g : !g)
      states(%S = %s0 : !s, %N = %n0 : !n)
      order(%i : tensor<?x?xi32>) -> (!t, !g) {{
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %n = arith.mulf %a, %N : f32
    %p = pattern.dot %kt, %kt : !v
    %N1 = arith.addf %n, %p : f32
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y, %N1 : !v, f32) states(%S1, %N1 : !m, f32)
  }}
  return %o, %z, %s, %n : !t, !g, !s, !n
}}
"""


@pytest.mark.parametrize("algorithm", ["recurrent", "chunked"])
@pytest.mark.parametrize("tokens", [0, 1, 63, 64, 65, 200])
def test_heads_together_give_what_each_gives_alone(algorithm, tokens):
    together, alone = (
        linmu.compile(TEXT.format(heads=heads, size=SIZE), schedule={"algorithm": algorithm})
        for heads in (HEADS, 1)
    )
    random = np.random.default_rng(tokens)
    q, k, v = (random.standard_normal((2, tokens, HEADS, SIZE), np.float32) for _ in range(3))
    g = random.standard_normal((2, tokens, HEADS), np.float32)
    order = np.stack([random.permutation(tokens) for _ in range(2)]).astype(np.int32)
    states = random.standard_normal((2, HEADS, SIZE, SIZE), np.float32)
    norms = random.standard_normal((2, HEADS), np.float32)
    results = together(q, k, v, g, order, states, norms, threads=1)
    for head in range(HEADS):
        one = slice(head, head + 1)
        tokens_of = (x[:, :, one].copy() for x in (q, k, v, g))
        expected = alone(*tokens_of, order, states[:, one].copy(), norms[:, one].copy(), threads=1)
        for axis, (actual, wanted) in zip((2, 2, 1, 1), zip(results, expected, strict=True), strict=True):
            np.testing.assert_array_equal(np.take(np.asarray(actual), [head], axis), np.asarray(wanted))


def test_states_that_are_replaced_in_place_are_read_once():
    """The first stretch of a block reads its state, the last one writes it: never the other way round."""
    kernel = linmu.compile(TEXT.format(heads=HEADS, size=SIZE))
    random = np.random.default_rng(0)
    inputs = [random.standard_normal((1, 300, HEADS, SIZE), np.float32) for _ in range(3)]
    inputs.append(random.standard_normal((1, 300, HEADS), np.float32))
    order = np.arange(300, dtype=np.int32)[None]
    states = random.standard_normal((1, HEADS, SIZE, SIZE), np.float32)
    norms = random.standard_normal((1, HEADS), np.float32)
    expected = [np.asarray(x).copy() for x in kernel(*inputs, order, states, norms, threads=1)]
    outputs = [np.empty_like(inputs[0]), np.empty_like(inputs[3])]
    kernel(*inputs, order, states, norms, out=[*outputs, states, norms], threads=1)
    for actual, wanted in zip((*outputs, states, norms), expected, strict=True):
        np.testing.assert_array_equal(actual, wanted)
