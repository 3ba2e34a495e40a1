"""Value columns split over blocks beside an output that needs all of them: what reads them becomes a kernel of its own."""

import json

import numpy as np
import pytest

import linmu

HEADS, KEYS, VALUES, TOKENS = 2, 16, 24, 53


def pattern(extra: str = "") -> str:
    """o = y / sqrt(y.y + 1) * z + c of y = S'^T q, and n, y.y of each head; S' = sigmoid(g) S + k (x) v."""
    key, value = (f"tensor<?x?x{HEADS}x{n}xf32>" for n in (KEYS, VALUES))
    scalar = f"tensor<?x?x{HEADS}xf32>"
    vk, vv, m = f"tensor<{KEYS}xf32>", f"tensor<{VALUES}xf32>", f"tensor<{KEYS}x{VALUES}xf32>"
    state, ids = (
        f"tensor<?x{HEADS}x{KEYS}x{VALUES}xf32>",
        ", %id: tensor<?x?xi32>" if "segments" in extra else "",
    )
    return f"""
func.func @f(%q: {key}, %k: {key}, %v: {value}, %z: {value}, %g: {scalar}, %c: tensor<{HEADS}x{VALUES}xf32>,
             %s0: {state}{ids}) -> ({value}, {scalar}, {state}) {{
  %o, %n, %s = pattern.scan params(%ct = %c : tensor<{HEADS}x{VALUES}xf32>)
      tokens(%qt = %q : {key}, %kt = %k : {key}, %vt = %v : {value}, %zt = %z : {value}, %gt = %g : {scalar})
      states(%S = %s0 : {state}) {extra} -> ({value}, {scalar}) {{
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to {m}
    %D = arith.mulf %A, %S : {m}
    %W = pattern.outer %kt, %vt : {vk}, {vv}
    %S1 = arith.addf %D, %W : {m}
    %y = pattern.read %S1, %qt : {m}, {vk}
    %yy = pattern.dot %y, %y : {vv}
    %one = arith.constant 1.0 : f32
    %size = arith.addf %yy, %one : f32
    %r = math.rsqrt %size : f32
    %R = pattern.broadcast %r : f32 to {vv}
    %x = arith.mulf %y, %R : {vv}
    %xz = arith.mulf %x, %zt : {vv}
    %e = arith.addf %xz, %ct : {vv}
    pattern.yield outputs(%e, %yy : {vv}, f32) states(%S1 : {m})
  }}
  return %o, %n, %s : {value}, {scalar}, {state}
}}
"""


def operands(tokens: int = TOKENS, batch: int = 2) -> list[np.ndarray]:
    random = np.random.default_rng(5)
    q, k = (random.standard_normal((batch, tokens, HEADS, KEYS), np.float32) / 4 for _ in range(2))
    v, z = (random.standard_normal((batch, tokens, HEADS, VALUES), np.float32) for _ in range(2))
    g = random.standard_normal((batch, tokens, HEADS), np.float32) + 2
    c = random.standard_normal((HEADS, VALUES), np.float32)
    return [q, k, v, z, g, c, random.standard_normal((batch, HEADS, KEYS, VALUES), np.float32)]


def loop(q, k, v, z, g, c, s0) -> tuple[np.ndarray, ...]:
    state = s0.astype(np.float64)
    a = 1 / (1 + np.exp(-g.astype(np.float64)))
    outputs, sizes = [], []
    for t in range(q.shape[1]):
        state = a[:, t, :, None, None] * state + k[:, t, :, :, None] * v[:, t, :, None, :].astype(np.float64)
        y = np.einsum("bhkv,bhk->bhv", state, q[:, t])
        size = (y * y).sum(-1)
        outputs.append(y / np.sqrt(size[..., None] + 1) * z[:, t] + c)
        sizes.append(size)
    return np.stack(outputs, 1), np.stack(sizes, 1), state


SPLITS = [{"columns": "8"}, {"columns": "16", "chunk": "8"}, {"columns": "7", "algorithm": "chunked"}]


@pytest.mark.parametrize("schedule", SPLITS, ids=lambda s: "-".join(s.values()))
def test_a_norm_beside_split_columns_equals_the_loop(schedule):
    kernel = linmu.compile(pattern(), schedule=schedule, cache=False)
    inputs = operands()
    for actual, expected in zip(kernel(*inputs), loop(*inputs), strict=True):
        # f32 sums over tens of tokens of size one.
        np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-5 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("clause", ["reverse", "segments(%id : tensor<?x?xi32>)"])
def test_clauses_of_the_scan_hold_in_the_epilogue(clause):
    text = pattern(clause)
    split, fused = (linmu.compile(text, schedule=s, cache=False) for s in ({"columns": "8"}, {}))
    inputs = operands() + (
        [np.repeat([0, 1], [20, 33])[None].repeat(2, 0).astype(np.int32)] if "seg" in clause else []
    )
    for actual, expected in zip(split(*inputs), fused(*inputs), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-5 * max(1, np.abs(expected).max()))


def test_what_is_no_number_stays_in_its_segment():
    text = pattern("segments(%id : tensor<?x?xi32>)")
    kernel = linmu.compile(text, schedule={"columns": "8"}, cache=False)
    ids = np.repeat([0, 1, 2], [21, 20, 12])[None].repeat(2, 0).astype(np.int32)
    clean = operands()
    expected = kernel(*clean, ids)
    for operand in range(3):
        inputs = [x.copy() for x in clean]
        inputs[operand][0, 25, 1] = np.nan
        actual = kernel(*inputs, ids)
        assert np.isnan(actual[0][0, 25, 1]).all()
        for result in (0, 1):
            for part in (slice(0, 25), slice(41, None)):
                np.testing.assert_allclose(actual[result][:, part], expected[result][:, part], atol=2e-5)


def test_the_epilogue_is_fused_unless_columns_are_split():
    def launches(schedule: dict) -> list[str]:
        variant = json.loads(linmu.explain(pattern(), schedule=schedule, json=True))["variants"][-1]
        return [launch["kernel"] for launch in variant["launches"]]

    assert launches({}) == ["chunked"]
    assert launches({"columns": "8"}) == ["chunked_columns", "epilogue"]
