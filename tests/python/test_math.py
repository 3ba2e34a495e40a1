"""The CPU target's own exponential, accuracy and where it ends, and minima and maxima with constants."""

import numpy as np
import pytest

import linmu

TEXT = """
!t = tensor<?x?x1x16xf32>
func.func @exp(%x: !t) -> !t {{
  %y = pattern.map tokens(%a = %x : !t) -> (!t) {{
    {bound}
    %e = math.exp %b : tensor<16xf32>
    pattern.yield outputs(%e : tensor<16xf32>)
  }}
  return %y : !t
}}
"""
PLAIN = "%z = arith.constant dense<0.0> : tensor<16xf32>\n%b = arith.addf %a, %z : tensor<16xf32>"
BOUNDED = "%z = arith.constant dense<0.0> : tensor<16xf32>\n%b = arith.minimumf %a, %z : tensor<16xf32>"


def exponential(values, bound=PLAIN):
    kernel = linmu.compile(TEXT.format(bound=bound))
    padded = np.zeros(-(-values.size // 16) * 16, np.float32)
    padded[: values.size] = values
    return np.asarray(kernel(padded.reshape(1, -1, 1, 16))).reshape(-1)[: values.size]


@pytest.mark.parametrize("bound", [PLAIN, BOUNDED])
def test_is_within_two_units_in_the_last_place(bound):
    values = np.concatenate([np.linspace(-87.3, 0, 200001), -np.logspace(-30, 1, 1000)]).astype(np.float32)
    if bound == PLAIN:
        values = np.concatenate([values, np.linspace(0, 88.3, 200001).astype(np.float32)])
    expected = np.exp(values.astype(np.float64))
    error = np.abs(exponential(values, bound).astype(np.float64) - expected)
    assert (error / np.spacing(expected.astype(np.float32))).max() < 2


def test_ends_where_f32_does():
    values = np.array(
        [-np.inf, -1e30, -200, -87.7, -87.6, 88.7, 88.73, 200, 1e30, np.inf, np.nan], np.float32
    )
    actual = exponential(values)
    assert (actual[:5] == 0).all()  # subnormal results are zero
    assert actual[5] == pytest.approx(np.exp(np.float64(values[5])), rel=1e-4)
    assert (actual[6:10] == np.inf).all()
    assert np.isnan(actual[10])


def test_bounded_arguments_keep_zero_and_nan():
    values = np.array([-np.inf, -200, -87.7, 0, 200, np.inf, np.nan], np.float32)
    actual = exponential(values, BOUNDED)
    assert (actual[:3] == 0).all()
    assert (actual[3:6] == 1).all()
    assert np.isnan(actual[6])


@pytest.mark.parametrize("bound", [0.0, -0.0, 1.5])
@pytest.mark.parametrize("op, extreme", [("minimumf", np.minimum), ("maximumf", np.maximum)])
def test_bounds_keep_nan_and_the_sign_of_zero(op, extreme, bound):
    values = np.array([-np.inf, -2, -0.0, 0.0, 1, 2, np.inf, np.nan], np.float32)
    text = TEXT.format(
        bound=f"%z = arith.constant dense<{bound}> : tensor<16xf32>\n%e = arith.{op} %a, %z : tensor<16xf32>"
    )
    text = text.replace("%e = math.exp %b : tensor<16xf32>", "")
    actual = linmu.compile(text)(np.resize(values, 16).reshape(1, 1, 1, 16)).reshape(-1)[:8]
    expected = extreme(values, np.float32(bound))
    zeros = (values == 0) & (bound == 0)
    # IEEE 754-2019: -0 is below 0.
    negative = (
        np.signbit(values) | np.signbit(bound) if op == "minimumf" else np.signbit(values) & np.signbit(bound)
    )
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(np.signbit(actual[zeros]), negative[zeros])
