"""What an edit of a pattern changes, and what it does not: form, key, machine code and results."""

import json
import re
import subprocess

import numpy as np
import pytest

import linmu
from recurrence_support import path_of

DECAYED = """
!t = tensor<?x?x2x16xf32>
!g = tensor<?x?x2xf32>
!s = tensor<?x2x16x16xf32>
!v = tensor<16xf32>
!m = tensor<16x16xf32>
func.func @decayed(%q: !t, %k: !t, %v: !t, %g: !g, %s0: !s) -> (!t, !s) {
  %o, %s = pattern.scan
      tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t, %gt = %g : !g) states(%S = %s0 : !s) -> (!t) {
    %half = arith.constant 0.5 : f32
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o, %s : !t, !s
}
"""
HALVED = DECAYED.replace("broadcast %a ", "broadcast %b ").replace(
    "    %A =", "    %b = arith.mulf %half, %a : f32\n    %A ="
)
# The hyperbolic tangent of the next state, and that of what was read from it.
ON_THE_PATH = DECAYED.replace(
    "    %y = pattern.read %S1,", "    %T = math.tanh %S1 : !m\n    %y = pattern.read %T,"
).replace("states(%S1", "states(%T")
ON_THE_READ = DECAYED.replace(
    "    pattern.yield outputs(%y", "    %z = math.tanh %y : !v\n    pattern.yield outputs(%z"
)

TOKENS = 77


def operands():
    random = np.random.default_rng(5)
    shapes = [(2, TOKENS, 2, 16)] * 3 + [(2, TOKENS, 2), (2, 2, 16, 16)]
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


def loop(q, k, v, g, s, decay=1.0, path=lambda x: x, read=lambda x: x):
    q, k, v, g, s = (x.astype(np.float64) for x in (q, k, v, g, s))
    outputs = np.zeros(v.shape)
    for t in range(q.shape[1]):
        a = decay / (1 + np.exp(-g[:, t]))
        s = path(a[..., None, None] * s + k[:, t][..., None] * v[:, t][..., None, :])
        outputs[:, t] = read(np.einsum("bhk,bhkv->bhv", q[:, t], s))
    return outputs, s


def assert_close(results, expected):
    for actual, exact in zip(results, expected, strict=True):
        assert np.abs(actual - exact).max() < 2e-5 * np.sqrt(np.mean(exact**2))


def explained(text):
    (op,) = json.loads(linmu.explain(text, json=True))["ops"]
    return op


def tile(text, tmp_path):
    path = tmp_path / "edited.mlir"
    path.write_text(text)
    return subprocess.run(
        ["linmuc", str(path), "--emit=tile"], capture_output=True, text=True, check=True
    ).stdout


def test_a_tanh_on_the_path_of_the_state_is_opaque_at_its_place_and_right():
    op = explained(ON_THE_PATH)
    rows = ON_THE_PATH.split("\n")
    (line,) = (number for number, row in enumerate(rows, 1) if "math.tanh" in row)
    place = f"<pattern>:{line}:{rows[line - 1].index('math.tanh') + 1}"
    reason = "'math.tanh' is on the path from the state to itself and is not linear in it"
    assert op["algorithm"] == "recurrent" and not op["normal_form"]
    assert op["opaque"] == {"location": place, "reason": reason}
    assert f"opaque at {place}: {reason}\n" in linmu.explain(ON_THE_PATH)
    assert_close(linmu.compile(ON_THE_PATH)(*operands()), loop(*operands(), path=np.tanh))


def test_a_tanh_on_what_was_read_stays_chunked_and_right():
    assert explained(ON_THE_READ)["algorithm"] == "chunked(chunk=16)"
    kernel = linmu.compile(ON_THE_READ)
    assert kernel.algorithm(TOKENS) == "chunked(chunk=16)"
    assert_close(kernel(*operands()), loop(*operands(), read=np.tanh))


@pytest.mark.parametrize(
    ("name", "difference", "value"),
    [("deltanet", "%Beta, %difference", "%Beta, %vt"), ("comba", "outer %difference", "outer %given")],
)
def test_the_solve_goes_with_the_difference(name, difference, value, tmp_path):
    text = path_of(name).read_text()
    assert "feedback (a triangular solve)" in linmu.explain(text)
    assert "tile.solve" in tile(text, tmp_path)
    # b (v - u) becomes b v.
    edited = text.replace(difference, value)
    assert edited != text
    assert "no feedback" in linmu.explain(edited) and "opaque" not in linmu.explain(edited)
    assert "tile.solve" not in tile(edited, tmp_path)


def test_half_the_decay_is_another_kernel_with_other_results():
    whole, half = linmu.compile(DECAYED), linmu.compile(HALVED)
    assert whole.key != half.key and whole.code != half.code
    assert_close(whole(*operands()), loop(*operands()))
    assert_close(half(*operands()), loop(*operands(), decay=0.5))


def test_names_are_no_part_of_a_kernel():
    renamed = re.sub(r"%(half|a|A|D|W|S1|y|qt|kt|vt|gt|S)\b", r"%new_\1", DECAYED).replace("!m", "!matrix")
    first = linmu.compile(DECAYED)
    before = linmu.statistics()
    second = linmu.compile(renamed)
    after = linmu.statistics()
    assert renamed != DECAYED
    assert first.key == second.key and first.code == second.code
    assert after["compiled"] == before["compiled"]
    for a, b in zip(first(*operands()), second(*operands()), strict=True):
        np.testing.assert_array_equal(a, b)


def test_operands_keep_the_names_of_their_own_text():
    renamed = re.sub(r"%(q|g)\b", r"%new_\1", DECAYED)
    first, second = linmu.compile(DECAYED), linmu.compile(renamed)
    assert first.code == second.code
    assert [name for name, _, _ in first.inputs] == ["q", "k", "v", "g", "s0"]
    assert [name for name, _, _ in second.inputs] == ["new_q", "k", "v", "new_g", "s0"]
