"""What a kernel says of a call that names, counts or lends its tensors wrongly."""

import re

import numpy as np
import pytest

import linmu

PATTERN = """
!t = tensor<?x?x2x4xf32>
func.func @gate(%x: !t, %g: !t) -> !t {
  %y = pattern.map tokens(%xt = %x : !t, %gt = %g : !t) -> (!t) {
    %s = pattern.sigmoid %gt : tensor<4xf32>
    %p = arith.mulf %xt, %s : tensor<4xf32>
    pattern.yield outputs(%p : tensor<4xf32>)
  }
  return %y : !t
}
"""
X = np.ones((1, 3, 2, 4), np.float32)


@pytest.fixture(scope="module")
def gate():
    return linmu.compile(PATTERN)


@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [
        ((X, X, X), {}, "pattern 'gate' takes 2 inputs, got 3"),
        ((X,), {"x": X}, "pattern 'gate' got input 'x' twice"),
        ((X,), {}, "pattern 'gate' lacks input g"),
        ((X, X), {"h": X}, "pattern 'gate' has no input 'h'; it has x, g"),
        ((X, X), {"out": 3}, "out of pattern 'gate': expected a tensor or a list of them, got int"),
        ((X, X), {"threads": "two"}, "threads: expected an integer, got str"),
    ],
)
def test_a_call_that_does_not_fit_the_pattern_is_a_type_error(gate, arguments, named, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        gate(*arguments, **named)


def test_an_order_of_int64_is_told_what_was_expected():
    kernel = linmu.compile(PATTERN.replace("%g: !t)", "%g: !t, %i: tensor<?x?xi32>)").replace(
        "-> (!t) {", "order(%i : tensor<?x?xi32>) -> (!t) {"))  # fmt: skip
    with pytest.raises(
        ValueError, match="operand 'i' of pattern 'gate': expected elements of type i32, got int64"
    ):
        kernel(X, X, np.arange(3)[None])


def test_numpy_has_no_bf16_results():
    kernel = linmu.compile(PATTERN.replace("-> !t {", "-> tensor<?x?x2x4xbf16> {").replace(
        "-> (!t)", "-> (tensor<?x?x2x4xbf16>)").replace("return %y : !t", "return %y : tensor<?x?x2x4xbf16>"))  # fmt: skip
    with pytest.raises(
        TypeError, match="numpy has no elements of type bf16; call with torch tensors or give out="
    ):
        kernel(X, X)


def test_a_pattern_file_that_is_no_text_is_refused_at_its_byte(tmp_path):
    path = tmp_path / "pattern.mlir"
    path.write_bytes(b"func\xff\n")
    with pytest.raises(ValueError, match="expected a pattern's text in UTF-8, got byte 0xff at 4"):
        linmu.compile(path)
