"""Fused maps and folded permutes give what the launches apart give, and what numpy gives."""

import subprocess

import numpy as np
import pytest

import linmu

HEADS, SIZE = 4, 16

TYPES = """
!t = tensor<?x?x4x16xf32>
!g = tensor<?x?x4xf32>
!i = tensor<?x?xi32>
!mask = tensor<?x?xi1>
!v = tensor<16xf32>
!m = tensor<16x16xf32>
!s = tensor<?x4x16x16xf32>
!tail = tensor<?x3x4x16xf32>
"""

NORMALISED = """
func.func @gated(%q: !t, %k: !t, %v: !t, %x: !g, %gate: !t, %w: tensor<4x16xf32>) -> !t {
  %kn, %a = pattern.map tokens(%kt = %k : !t, %xt = %x : !g) -> (!t, !g) {
    %p = pattern.dot %kt, %kt : !v
    %r = math.rsqrt %p : f32
    %rs = pattern.broadcast %r : f32 to !v
    %n = arith.mulf %rs, %kt : !v
    %decay = pattern.sigmoid %xt : f32
    pattern.yield outputs(%n, %decay : !v, f32)
  }
  %o, %s = pattern.scan tokens(%qt = %q : !t, %kt = %kn : !t, %vt = %v : !t, %at = %a : !g)
      states(%S = zero : !s) -> (!t) {
    %A = pattern.broadcast %at : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  %z = pattern.map params(%wt = %w : tensor<4x16xf32>) tokens(%y = %o : !t, %gt = %gate : !t) -> (!t) {
    %p = pattern.dot %y, %y : !v
    %r = math.rsqrt %p : f32
    %rs = pattern.broadcast %r : f32 to !v
    %n = arith.mulf %rs, %y : !v
    %nw = arith.mulf %n, %wt : !v
    %sg = pattern.sigmoid %gt : !v
    %silu = arith.mulf %gt, %sg : !v
    %out = arith.mulf %nw, %silu : !v
    pattern.yield outputs(%out : !v)
  }
  return %z : !t
}
"""

CONVOLVED = """
func.func @convolved(%x: !t, %y: !t, %tail: !tail, %i: !i) -> (!t, !t, !tail) {
  %c, %last = pattern.map tokens(%xt = %x tail %tail : !t, !tail) order(%i : !i) -> (!t) {
    %l = pattern.lag %xt by 3 : !v
    %r = arith.subf %xt, %l : !v
    pattern.yield outputs(%r : !v)
  }
  %o, %s = pattern.scan tokens(%ct = %c : !t, %xt = %x : !t) states(%S = zero : tensor<?x4x16xf32>)
      order(%i : !i) -> (!t) {
    %half = arith.constant dense<0.5> : !v
    %D = arith.mulf %half, %S : !v
    %S1 = arith.addf %D, %ct : !v
    %r = arith.addf %S1, %xt : !v
    pattern.yield outputs(%r : !v) states(%S1 : !v)
  }
  %z = pattern.map tokens(%ot = %o : !t, %yt = %y : !t, %ct = %c : !t) -> (!t) {
    %p = arith.mulf %ot, %yt : !v
    %r = arith.addf %p, %ct : !v
    pattern.yield outputs(%r : !v)
  }
  return %z, %o, %last : !t, !t, !tail
}
"""

PERMUTED = """
func.func @permuted(%x: !t, %q: !t, %live: !mask, %i: !i, %j: !i) -> !t {
  %xp = pattern.permute %x order(%i : !i) : !t
  %qp = pattern.permute %q order(%i : !i) : !t
  %lp = pattern.permute %live order(%i : !i) : !mask
  %o, %s = pattern.scan reverse tokens(%xt = %xp : !t, %qt = %qp : !t) states(%S = zero : !s)
      order(%j : !i) source_mask(%lp : !mask) zeroes(%xt) -> (!t) {
    %half = arith.constant dense<0.5> : !m
    %D = arith.mulf %half, %S : !m
    %W = pattern.outer %xt, %xt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  %once = pattern.permute inverse %o order(%i : !i) : !t
  %twice = pattern.permute inverse %once order(%j : !i) : !t
  %z = pattern.permute inverse %twice order(%i : !i) : !t
  return %z : !t
}
"""


def random(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def tokens(count, seed, batch=2):
    return random((batch, count, HEADS, SIZE), seed)


def orders(count, seed, batch=2):
    generator = np.random.default_rng(seed)
    return np.stack([generator.permutation(count) for _ in range(batch)]).astype(np.int32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gated(q, k, v, x, gate, w):
    q, k, v, x, gate, w = (array.astype(np.float64) for array in (q, k, v, x, gate, w))
    k = k / np.sqrt((k * k).sum(-1, keepdims=True))
    state = np.zeros((q.shape[0], HEADS, SIZE, SIZE))
    outputs = np.zeros(q.shape)
    for t in range(q.shape[1]):
        state = sigmoid(x[:, t])[..., None, None] * state + k[:, t][..., None] * v[:, t][..., None, :]
        y = np.einsum("bhk,bhkv->bhv", q[:, t], state)
        y = y / np.sqrt((y * y).sum(-1, keepdims=True))
        outputs[:, t] = y * w * gate[:, t] * sigmoid(gate[:, t])
    return (outputs,)


def convolved(x, y, tail, order):
    x, y, tail = (array.astype(np.float64) for array in (x, y, tail))
    results = np.zeros(x.shape), np.zeros(x.shape), tail.copy()
    for b in range(x.shape[0]):
        line = np.concatenate([tail[b], x[b][order[b]]])
        state = np.zeros((HEADS, SIZE))
        for p, token in enumerate(order[b]):
            c = line[p + 3] - line[p]
            state = 0.5 * state + c
            results[1][b, token] = state + x[b, token]
            results[0][b, token] = results[1][b, token] * y[b, token] + c
        results[2][b] = line[len(line) - 3 :]
    return results


def permuted(x, q, live, i, j):
    x, q = x.astype(np.float64), q.astype(np.float64)
    result = np.zeros(x.shape)
    for b in range(x.shape[0]):
        xp, qp, lp = x[b][i[b]], q[b][i[b]], live[b][i[b]]
        out = np.zeros(xp.shape)
        state = np.zeros((HEADS, SIZE, SIZE))
        for token in j[b][::-1]:
            write = xp[token] * lp[token]
            state = 0.5 * state + write[..., None] * write[:, None, :]
            out[token] = np.einsum("hk,hkv->hv", qp[token], state)
        once, twice = np.zeros(xp.shape), np.zeros(xp.shape)
        once[i[b]] = out
        twice[j[b]] = once
        result[b][i[b]] = twice
    return (result,)


def operands(name, count):
    if name == "gated":
        small = random((2, count, HEADS), 4), tokens(count, 5), random((HEADS, SIZE), 6)
        return tokens(count, 1), tokens(count, 2), tokens(count, 3), *small
    if name == "convolved":
        return tokens(count, 1), tokens(count, 2), random((2, 3, HEADS, SIZE), 3), orders(count, 4)
    live = np.random.default_rng(3).random((2, count)) < 0.7
    return tokens(count, 1), tokens(count, 2), live, orders(count, 4), orders(count, 5)


CASES = {
    "gated": (NORMALISED, gated, 1),
    "convolved": (CONVOLVED, convolved, 1),
    # The scan with its order and the copy by the joined inverse orders, and two index gathers.
    "permuted": (PERMUTED, permuted, 4),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("count", [0, 1, 2, 17, 64, 131])
@pytest.mark.parametrize("fuse", ["true", "false"])
def test_fused_loops_compute_what_the_loops_apart_do(name, count, fuse):
    text, oracle, _ = CASES[name]
    inputs = operands(name, count)
    results = linmu.compile(TYPES + text, schedule={"fuse": fuse})(*inputs)
    results = results if isinstance(results, (tuple, list)) else (results,)
    for actual, expected in zip(results, oracle(*inputs), strict=True):
        scale = np.sqrt((expected**2).mean()) if expected.size else 1
        assert np.abs(actual - expected).max(initial=0) < 2e-5 * scale + 1e-12


@pytest.mark.parametrize("name", CASES)
def test_a_pattern_launches_what_does_not_fuse(name, tmp_path):
    text, _, launches = CASES[name]
    path = tmp_path / "pattern.mlir"
    path.write_text(TYPES + text)
    command = ["linmuc", str(path), "--emit=tile", "--schedule=algorithm=recurrent"]
    tile = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kernels = [line for line in tile.splitlines() if "tile.kernel" in line and "@tail" not in line]
    assert len(kernels) == launches, kernels


JOINED = """
func.func @joined(%x: !t, %i: !i, %j: !i) -> !t {
  %ij = pattern.permute %i order(%j : !i) : !i
  %y = pattern.permute %x order(%ij : !i) : !t
  return %y : !t
}
"""


def test_an_order_may_be_permuted_and_both_are_checked():
    x, i, j = tokens(9, 1), orders(9, 2), orders(9, 3)
    kernel = linmu.compile(TYPES + JOINED)
    expected = np.stack([x[b][i[b][j[b]]] for b in range(2)])
    np.testing.assert_array_equal(kernel(x, i, j), expected)
    for name, given in (("i", (x, i + 1, j)), ("j", (x, i, j + 1))):
        with pytest.raises(ValueError, match=rf"'{name}'.*9"):
            kernel(*given)
