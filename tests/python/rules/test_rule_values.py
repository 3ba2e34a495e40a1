"""What a step's expression means: the same expression evaluated by numpy in fp64, token by token."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import linmu
from linmu import Index, Mask, Param, Tokens, lag, outer, permute, scan, zeros

H, K, V = 2, 6, 4
NUMPY = SimpleNamespace(
    **{name: getattr(np, name) for name in ("exp", "exp2", "expm1", "log", "log1p", "log2", "sqrt", "tanh", "sin", "cos")},
    maximum=np.maximum, minimum=np.minimum, maxnum=np.fmax, minnum=np.fmin, where=np.where, outer=np.outer, dot=np.dot,
    rsqrt=lambda x: 1 / np.sqrt(x), erf=np.vectorize(math.erf), sigmoid=lambda x: 1 / (1 + np.exp(-x)),
    softplus=lambda x: np.log1p(np.exp(x)), fma=lambda x, y, z: x * y + z, assume=lambda x, low, high: x,
    quotient=lambda x, y: np.int64(np.trunc(x / y)), remainder=np.fmod, to_float=np.float64,
    to_int=lambda x: np.int64(np.trunc(x)),
)  # fmt: skip
# Each of k (6), v (4), M (6 x 4), g (a number), i (an integer), c (a condition), p (a parameter of 6) and L, linmu.
EXPRESSIONS = [
    "k + g", "g + k", "k - 1", "1 - k", "2 * k", "k / (1 + g * g)", "1 / (1 + k * k)", "-k", "+k", "abs(k)", "k * k * k",
    "k**2", "(1 + k * k) ** 0.5", "(1 + k * k) ** -0.5", "(1 + k * k) ** -1", "2**k", "(1 + k * k) ** 1.5", "k**1",
    "(1 + g * g) ** k", "0.5 ** abs(k)",
    "M * v @ v", "k @ M", "M @ v", "k @ k", "v @ M.T", "M.T @ k", "M @ v @ M", "L.dot(v, v)", "L.outer(k, v) @ v",
    "(k[:, None] * M) @ v", "(M * k[:, None]) @ v", "(v[None, :] * M) @ v", "k @ (k[:, None] * v)", "k @ (v * k[:, None])",
    "(v[None, :] + k[:, None]) @ v", "(k[:, None] - M) @ v", "(v - M) @ v", "(g + M) @ v", "(2 * k[:, None] + 1) * M @ v",
    "(M / (1 + v * v)) @ v", "L.exp(k[:, None] * 0.5) * M @ v", "(k[:, None] * k[:, None] + M) @ v",
    "M.sum(0)", "M.sum(1)", "M.sum(axis=-1)", "M.sum()", "k.sum()", "k.mean()", "M.mean(0)", "M.mean()",
    "(M / M.sum(0, keepdims=True)).sum(1)", "(M - M.mean(1, keepdims=True)) @ v", "M.sum(1)[:, None] * v @ v",
    "L.exp(k)", "L.exp2(k)", "L.expm1(k)", "L.log(1 + k * k)", "L.log1p(k * k)", "L.log2(1 + k * k)", "L.sqrt(k * k)",
    "L.rsqrt(1 + k * k)", "L.tanh(k)", "L.erf(k)", "L.sin(k)", "L.cos(k)", "L.sigmoid(k)", "L.softplus(k)",
    "L.maximum(k, 0)", "L.minimum(0.5, k)", "L.maximum(k, g)", "L.maxnum(k, g)", "L.minnum(k, g)", "L.fma(k, g, 1)",
    "L.where(k > 0, k, 2)", "L.where(g < 0, k, -k)", "L.where(c, k, 0)", "L.where(k > 0, 1.0, 0.0)",
    "L.where((M > 0) & (k[:, None] > 0), M, 0) @ v", "L.where(k[:, None] > 0, M, v) @ v", "L.where(~c | (g > 0), k, -k)",
    "L.where((k > 0) ^ c, k, 0)", "L.where(k[:, None] <= v, 1.0, M) @ v", "L.where((k >= 0) & (k != g), k, g)",
    "L.where(k == k, k, 0)", "k * c", "k + (k > 0)", "k * i", "i + 1 + k", "k * (2 * i - 3)", "k * abs(-i)", "k * (i & 3)",
    "k * (i | 4)", "k * (i ^ 1)", "k * ~i", "k * L.quotient(i, 3)", "k * L.remainder(-i, 3)", "i / 2 * k",
    "k * L.maximum(i, 2)", "k * L.minimum(2, i)", "L.where(i > 2, k, -k)", "L.where((i == 1) | (i <= 0), k, 0)",
    "k * L.to_int(3 * g)", "k * L.to_float(i)", "k + L.to_float(c)", "L.assume(k, -100, 100)", "p * k", "k @ p", "len(k) * k",
    "k * L.exp(-0.5)", "k * L.where(i > 2, 1, i)",
]  # fmt: skip


@pytest.fixture(scope="module")
def operands():
    random = np.random.default_rng(0)
    k, v, g = (random.standard_normal((1, 5, H, *shape), np.float32) for shape in ((K,), (V,), ()))
    i = np.array([[0, 1, 2, 5, -3]], np.int32)
    c = np.array([[True, False, True, True, False]])
    p, m = random.standard_normal((H, K), np.float32), random.standard_normal((H, K, V), np.float32)
    return k, v, g, i, c, p, m


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_means_what_numpy_makes_of_it(expression, operands):
    def value(k, v, M, g, i, c, p, L):
        return eval(expression, {"k": k, "v": v, "M": M, "g": g, "i": i, "c": c, "p": p, "L": L})

    @linmu.pattern
    def rule(k: Tokens["H", "K"], v: Tokens["H", "V"], g: Tokens["H"], i: Index, c: Mask, p: Param["H", "K"],
             m: Param["H", "K", "V"]):  # fmt: skip
        @scan(S=zeros("H", "K", "V"))
        def step(S, k, v, g, i, c):
            return S, value(k, v, m + outer(k, v), g, i, c, p, linmu)

        return step(k, v, g, i, c)

    actual = rule(*operands)
    exact = [x.astype(np.float64) if x.dtype == np.float32 else x for x in operands]
    k, v, g, i, c, p, m = exact
    for t in range(k.shape[1]):
        for h in range(H):
            integer = np.int64(i[0, t])
            M = m[h] + np.outer(k[0, t, h], v[0, t, h])
            expected = value(k[0, t, h], v[0, t, h], M, g[0, t, h], integer, c[0, t], p[h], NUMPY)
            assert actual[0, t, h].shape == np.shape(expected)
            np.testing.assert_allclose(actual[0, t, h], expected, rtol=2e-5, atol=2e-5)


def walk(x, order=None, reverse=False, segments=None, source=None, output=None, decay=0.5):
    """S = decay S + x, in fp64; the outputs at their tokens, and the end."""
    out, S = np.zeros(x.shape), np.zeros(x.shape[2:])
    positions = range(x.shape[1])
    before = None
    for p in reversed(positions) if reverse else positions:
        t = order[p] if order is not None else p
        if segments is not None:
            if before is not None and segments[t] != before:
                S = np.zeros_like(S)
            before = segments[t]
        S = decay * S + (x[0, t] if source is None or source[t] else 0)
        out[0, t] = S if output is None or output[t] else 0
    return out, S


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("clause", ["none", "order", "segments", "source_mask", "output_mask"])
def test_a_clause_of_a_scan_means_what_the_page_says(clause, reverse):
    random = np.random.default_rng(2)
    x = random.standard_normal((1, 20, 2, 3), np.float32)
    index = random.permutation(20) if clause == "order" else np.cumsum(random.random(20) < 0.3)
    mask = random.random(20) < 0.6

    @linmu.pattern
    def rule(x: Tokens["H", "D"], index: Index, mask: Mask):
        options = {"order": {"order": index}, "segments": {"segments": index}, "none": {},
                   "source_mask": {"source_mask": mask, "zeroes": "x"}, "output_mask": {"output_mask": mask}}  # fmt: skip

        @scan(S=zeros("H", "D"), reverse=reverse, **options[clause])
        def step(S, x):
            S = 0.5 * S + x
            return S, S

        return step(x), step.S

    if clause in ("source_mask", "output_mask", "none"):
        given = (x, np.zeros((1, 20), np.int32), mask[None])
    else:
        given = (x, index[None].astype(np.int32), mask[None])
    names = {"order": {"order": index}, "segments": {"segments": index}, "source_mask": {"source": mask},
             "output_mask": {"output": mask}, "none": {}}  # fmt: skip
    expected, end = walk(x, reverse=reverse, **names[clause])
    out, state = rule(*given)
    np.testing.assert_allclose(out, expected, atol=1e-5)
    np.testing.assert_allclose(state[0], end, atol=1e-5)


def test_arithmetic_outside_steps_is_maps_of_the_heads_that_it_reads():
    @linmu.pattern
    def rule(q: Tokens["H", "D"], k: Tokens["G", "D"], w: Param["H"]):
        rate = 2 * w
        k2 = k * k
        both = q + rate * k2
        return both, k2, lag(both, 1) + q

    random = np.random.default_rng(3)
    q, k = random.standard_normal((1, 7, 4, 3), np.float32), random.standard_normal((1, 7, 2, 3), np.float32)
    w = random.standard_normal(4, np.float32)
    both, k2, lagged = rule(q, k, w)
    np.testing.assert_allclose(k2, k * k, rtol=1e-6)
    expected = q + 2 * w[:, None] * np.repeat(k * k, 2, axis=2)
    np.testing.assert_allclose(both, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(lagged[:, 1:], expected[:, :-1] + q[:, 1:], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(lagged[:, :1], q[:, :1], rtol=1e-6)


def test_permute_and_its_inverse():
    @linmu.pattern
    def rule(x: Tokens["H", "D"], i: Index):
        y = permute(x, i)
        return y, permute(2 * y, i, inverse=True)

    random = np.random.default_rng(4)
    x, i = random.standard_normal((1, 9, 2, 3), np.float32), random.permutation(9).astype(np.int32)
    y, z = rule(x, i[None])
    np.testing.assert_array_equal(y, x[:, i])
    np.testing.assert_array_equal(z, 2 * x)


def test_lag_before_the_first_token_is_otherwise():
    @linmu.pattern
    def rule(x: Tokens["H", "D"]):
        return lag(x, 2, otherwise=3) + lag(x, 1)

    x = np.arange(1, 9, dtype=np.float32).reshape(1, 4, 1, 2)
    np.testing.assert_array_equal(rule(x)[0, :, 0, 0], [3, 4, 4, 8])
