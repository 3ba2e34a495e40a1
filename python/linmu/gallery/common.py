"""What the rules of the gallery share: functions of a step, and ranges of random operands for checks."""

from linmu.rules import assume, exp, rsqrt, sigmoid

__all__ = ["decay", "log_decays", "rates", "silu", "unit", "units"]


def decay(g):
    """exp(g) of the logarithm of a decay, which is at most 0."""
    return exp(assume(g, -1e30, 0))


def silu(x):
    return x * sigmoid(x)


def unit(x):
    """x of length one: x / sqrt(x . x + 1e-6)."""
    return x * rsqrt(x @ x + 1e-6)


# Functions of standard normal arrays.


def log_decays(x):
    import numpy

    return -numpy.log1p(numpy.exp(x - 2))


def rates(x):
    import numpy

    return 1 / (1 + numpy.exp(-x))


def units(x):
    import numpy

    return x / numpy.linalg.norm(x, axis=-1, keepdims=True)
