"""The CPU target's own exponential and tanh, accuracy and ends; minima and maxima with constants."""

import numpy as np
import pytest

import linmu

TEXT = """
!t = tensor<?x?x1x16xf32>
func.func @f(%x: !t) -> !t {{
  %y = pattern.map tokens(%a = %x : !t) -> (!t) {{
    {step}
    pattern.yield outputs(%e : tensor<16xf32>)
  }}
  return %y : !t
}}
"""
EXP = "\n%e = math.exp %b : tensor<16xf32>"
PLAIN = "%z = arith.constant dense<0.0> : tensor<16xf32>\n%b = arith.addf %a, %z : tensor<16xf32>"
BOUNDED = "%z = arith.constant dense<0.0> : tensor<16xf32>\n%b = arith.minimumf %a, %z : tensor<16xf32>"


def apply(step, values):
    """What a step that makes %e of %a gives for each value."""
    kernel = linmu.compile(TEXT.format(step=step))
    padded = np.zeros(-(-values.size // 16) * 16, np.float32)
    padded[: values.size] = values
    return np.asarray(kernel(padded.reshape(1, -1, 1, 16))).reshape(-1)[: values.size]


def exponential(values, bound=PLAIN):
    return apply(bound + EXP, values)


def tanh(values):
    return apply("%e = math.tanh %a : tensor<16xf32>", values)


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


def test_tanh_is_within_two_units_in_the_last_place():
    values = np.concatenate([np.linspace(-10, 10, 400001), np.logspace(-30, 0, 1000)]).astype(np.float32)
    expected = np.tanh(values.astype(np.float64))
    error = np.abs(tanh(values).astype(np.float64) - expected)
    assert (error / np.spacing(np.abs(expected).astype(np.float32))).max() < 2


def test_tanh_ends_at_one_and_keeps_zero_and_nan():
    values = np.array([-np.inf, -1e30, -50, 50, 1e30, np.inf, 0.0, -0.0, np.nan], np.float32)
    actual = tanh(values)
    assert (actual[:3] == -1).all() and (actual[3:6] == 1).all()
    assert (actual[6:8] == 0).all() and (np.signbit(actual[6:8]) == [False, True]).all()
    assert np.isnan(actual[8])


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
    step = f"%z = arith.constant dense<{bound}> : tensor<16xf32>\n%e = arith.{op} %a, %z : tensor<16xf32>"
    actual = apply(step, values)
    expected = extreme(values, np.float32(bound))
    zeros = (values == 0) & (bound == 0)
    # IEEE 754-2019: -0 is below 0.
    negative = (
        np.signbit(values) | np.signbit(bound) if op == "minimumf" else np.signbit(values) & np.signbit(bound)
    )
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(np.signbit(actual[zeros]), negative[zeros])
