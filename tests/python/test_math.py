"""Functions of f32 in kernels: accuracy over all numbers, ends, and minima and maxima with constants."""

import numpy as np
import pytest
import torch

from step_support import by_kernel, every_exponent, ulps

POINTS = 2**20
EXP = "\n%r = math.exp %x : !r"
PLAIN = "%x = arith.addf %a, %zero : !r"
BOUNDED = "%x = arith.minimumf %a, %zero : !r"
ZERO = "%zero = arith.constant dense<0.0> : !r\n"


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x):
    decayed = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, decayed) / (1 + decayed)


def erf(x):
    return torch.erf(torch.from_numpy(x)).numpy()


FUNCTIONS = {
    "math.exp": np.exp,
    "math.exp2": np.exp2,
    "math.expm1": np.expm1,
    "math.log": np.log,
    "math.log1p": np.log1p,
    "math.log2": np.log2,
    "math.sqrt": np.sqrt,
    "math.rsqrt": lambda x: 1 / np.sqrt(x),
    "math.tanh": np.tanh,
    "math.erf": erf,
    "math.sin": np.sin,
    "math.cos": np.cos,
    "math.absf": np.abs,
    "arith.negf": np.negative,
    "pattern.sigmoid": sigmoid,
    "pattern.softplus": softplus,
}
# Where most of the function happens, beside all exponents.
DENSE = {
    "math.exp": (-88, 89),
    "math.exp2": (-127, 128.5),
    "math.expm1": (-20, 89),
    "math.log": (0, 4),
    "math.log1p": (-1, 4),
    "math.log2": (0, 4),
    "math.tanh": (-10, 10),
    "math.erf": (-4, 4),
    "math.sin": (-1e6, 1e6),
    "math.cos": (-1e6, 1e6),
    "pattern.sigmoid": (-88, 20),
    "pattern.softplus": (-88, 20),
}


def worst(actual, expected, values):
    errors = ulps(actual, expected)
    at = int(np.argmax(errors))
    return errors[at], values[at], actual[at], expected[at]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_is_within_two_units_in_the_last_place_of_every_number(function):
    values = every_exponent(POINTS)
    if function in DENSE:
        values = np.concatenate([values, np.linspace(*DENSE[function], POINTS).astype(np.float32)])
    with np.errstate(all="ignore"):
        expected = FUNCTIONS[function](values.astype(np.float64))
    error, *where = worst(by_kernel(f"%r = {function} %a : !r", {"a": values}), expected, values)
    assert error < 2, where


@pytest.mark.parametrize("function", ["sin", "cos"])
def test_is_within_two_units_beside_multiples_of_a_quarter_turn(function):
    # Where the reduction of the argument cancels most.
    turns = np.random.default_rng(1).integers(-(2**40), 2**40, 2**18)
    values = np.concatenate([turns, np.arange(-(2**17), 2**17)]) * (np.pi / 2)
    values = values.astype(np.float32)
    expected = getattr(np, function)(values.astype(np.float64))
    error, *where = worst(by_kernel(f"%r = math.{function} %a : !r", {"a": values}), expected, values)
    assert error < 2, where


@pytest.mark.parametrize("function", ["exp", "log1p", "sin", "cos", "tanh"])
def test_scalars_are_as_good_as_vectors(function):
    values = every_exponent(2**14)
    with np.errstate(all="ignore"):
        expected = FUNCTIONS[f"math.{function}"](values.astype(np.float64))
    actual = by_kernel(f"%r = math.{function} %a : !r", {"a": values}, width=None)
    error, *where = worst(actual, expected, values)
    assert error < 2, where


def test_logarithms_of_what_is_an_exponential_are_as_good():
    # The argument is known not to be negative, which saves the cases for what is.
    values = np.concatenate([every_exponent(2**16), np.linspace(-90, 90, 2**18).astype(np.float32)])
    actual = by_kernel("%e = math.exp %a : !r\n%r = math.log1p %e : !r", {"a": values})
    with np.errstate(all="ignore"):
        inner = np.exp(values.astype(np.float64)).astype(np.float32)
        expected = np.log1p(inner.astype(np.float64))
    expected[np.abs(expected) < np.finfo(np.float32).tiny] = 0
    # Two units of the exponential beside those of the logarithm.
    error, *where = worst(actual, expected, values)
    assert error < 4, where


def power_operands():
    random = np.random.default_rng(5)
    bases, exponents = every_exponent(POINTS, 1), every_exponent(POINTS, 2)
    random.shuffle(exponents)
    # Results in range, of bases all over the numbers.
    logarithms = random.uniform(-128, 128, POINTS)
    sizes = np.abs(every_exponent(POINTS, 3))[:POINTS]
    with np.errstate(all="ignore"):
        fitting = (logarithms / np.log2(sizes.astype(np.float64))).astype(np.float32)
    whole = random.integers(-40, 41, POINTS).astype(np.float32)
    signed = random.uniform(-4, 4, POINTS).astype(np.float32)
    near = (1 + random.normal(0, 1e-4, POINTS)).astype(np.float32)
    large = random.uniform(-1e6, 1e6, POINTS).astype(np.float32)
    special = np.array(
        [0.0, -0.0, 0.5, -0.5, 1, -1, 2, -2, 3, -3, 2.5, -2.5, 1e30, -1e30, np.inf, -np.inf, np.nan]
        + [
            2.0**23 - 1,
            2.0**23 + 1,
            -(2.0**23) - 1,
            2.0**24 - 1,
            2.0**24,
            2.0**25,
            1 + 2.0**-23,
            1 - 2.0**-24,
        ],
        np.float32,
    )
    left, right = (side.reshape(-1) for side in np.meshgrid(special, special))
    return (
        np.concatenate([bases, sizes, signed, near, left]),
        np.concatenate([exponents, fitting, whole, large, right]),
    )


def test_powers_are_within_eight_units_in_the_last_place():
    bases, exponents = power_operands()
    with np.errstate(all="ignore"):
        expected = np.power(bases.astype(np.float64), exponents.astype(np.float64))
    actual = by_kernel("%r = math.powf %a, %b : !r", {"a": bases, "b": exponents})
    error, *where = worst(actual, expected, list(zip(bases, exponents, strict=True)))
    assert error < 8, where


@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0, 0.5, 0.0625, 1, 2, 3, 4, 7, 24.5])
def test_powers_by_constants_are_within_eight_units_in_the_last_place(exponent):
    bases = every_exponent(2**18)
    step = f"%e = arith.constant dense<{float(exponent)}> : !r\n%r = math.powf %a, %e : !r"
    with np.errstate(all="ignore"):
        expected = np.power(bases.astype(np.float64), exponent)
    error, *where = worst(by_kernel(step, {"a": bases}), expected, bases)
    assert error < 8, where


@pytest.mark.parametrize(
    "step", ["%x = arith.minimumf %a, %zero : !r", "%s = math.absf %a : !r\n%x = arith.negf %s : !r"]
)
def test_bounded_arguments_keep_accuracy_zero_and_nan(step):
    values = np.concatenate([every_exponent(2**16), np.linspace(-88, 1, 2**18).astype(np.float32)])
    actual = by_kernel(ZERO + step + EXP, {"a": values})
    wide = values.astype(np.float64)
    with np.errstate(all="ignore"):
        expected = np.exp(np.minimum(wide, 0) if "minimumf" in step else -np.abs(wide))
    error, *where = worst(actual, expected, values)
    assert error < 2, where


@pytest.mark.parametrize("bound", [0.0, -0.0, 1.5, float("nan"), float("inf")])
@pytest.mark.parametrize("op", ["minimumf", "maximumf", "minnumf", "maxnumf"])
def test_bounds_keep_nan_and_the_sign_of_zero(op, bound):
    values = np.array([-np.inf, -2, -0.0, 0.0, 1, 2, np.inf, np.nan], np.float32)
    text = {"nan": "0x7FC00000", "inf": "0x7F800000"}.get(str(bound), str(bound))
    step = f"%z = arith.constant dense<{text}> : !r\n%r = arith.{op} %a, %z : !r"
    actual = by_kernel(step, {"a": values})
    other = np.full_like(values, bound)
    extreme = {"minimumf": np.minimum, "maximumf": np.maximum, "minnumf": np.fmin, "maxnumf": np.fmax}[op]
    expected = extreme(values, other)
    # IEEE 754-2019: -0 is below 0.
    zeros = (values == 0) & (other == 0)
    signs = np.signbit(values), np.signbit(other)
    negative = signs[0] | signs[1] if op.startswith("min") else signs[0] & signs[1]
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(np.signbit(actual[zeros]), negative[zeros])
