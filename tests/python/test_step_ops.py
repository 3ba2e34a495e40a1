"""Every op of a step on operands at the ends of its range: the kernel and the interpreter agree on one meaning."""

import re
from pathlib import Path

import numpy as np
import pytest

from step_support import by_interpreter, by_kernel, ulps

DIALECT = Path(__file__).resolve().parents[2] / "dialects/pattern"
LOW, HIGH = -(2**31), 2**31 - 1
INTEGERS = np.array(
    [0, 1, -1, 2, -2, 3, 7, -7, 31, 32, 33, 46341, 65536, -65536, 2**24 + 1, HIGH - 1, HIGH, LOW, LOW + 1],
    np.int32,
)
FLOATS = np.array(
    [0.0, -0.0, 0.3, -0.3, 0.5, 1, -1, 1.5, -2.5, 3, -7.25, 100, -100, 1e9, -1e9, 2.0**31, -(2.0**31)]
    + [2.0**31 - 128, -(2.0**31) - 256, 2.0**32, 3e38, -3e38, 1e-37, np.inf, -np.inf, np.nan],
    np.float32,
)
BOOLEANS = np.array([False, True])
COMPARE_FLOATS = "false oeq ogt oge olt ole one ord ueq ugt uge ult ule une uno true".split()
COMPARE_INTEGERS = "eq ne slt sle sgt sge ult ule ugt uge".split()


def pairs(values):
    left, right = np.meshgrid(values, values)
    return {"a": left.reshape(-1), "b": right.reshape(-1)}


def triples(values):
    a, b, c = np.meshgrid(values, values, values)
    return {"a": a.reshape(-1), "b": b.reshape(-1), "c": c.reshape(-1)}


ONE = [f"math.{op}" for op in "exp exp2 expm1 log log1p log2 sqrt rsqrt tanh erf sin cos absf".split()]
ONE += ["arith.negf"]
TWO = [f"arith.{op}" for op in "addf subf mulf divf maximumf minimumf maxnumf minnumf".split()] + [
    "math.powf"
]
INTEGER = [f"arith.{op}" for op in "addi subi muli divsi remsi andi ori xori maxsi minsi".split()]

# Name: the step, its operands, the type of its result, and the units in the last place between the two.
CASES = {}
for op in ONE:
    CASES[op] = f"%r = {op} %a : !r", {"a": FLOATS}, "f32", 2
for op in TWO:
    CASES[op] = f"%r = {op} %a, %b : !r", pairs(FLOATS), "f32", 8 if op == "math.powf" else 1
for op in INTEGER:
    CASES[f"{op} i32"] = f"%r = {op} %a, %b : !r", pairs(INTEGERS), "i32", 0
    CASES[f"{op} i1"] = f"%r = {op} %a, %b : !r", pairs(BOOLEANS), "i1", 0
for predicate in COMPARE_FLOATS:
    CASES[f"arith.cmpf {predicate}"] = f"%r = arith.cmpf {predicate}, %a, %b : !a", pairs(FLOATS), "i1", 0
for predicate in COMPARE_INTEGERS:
    step = f"%r = arith.cmpi {predicate}, %a, %b : !a"
    CASES[f"arith.cmpi {predicate} i32"] = step, pairs(INTEGERS), "i1", 0
    CASES[f"arith.cmpi {predicate} i1"] = step, pairs(BOOLEANS), "i1", 0
for name, values in (("i32", INTEGERS), ("i1", BOOLEANS)):
    CASES[f"arith.sitofp {name}"] = "%r = arith.sitofp %a : !a to !r", {"a": values}, "f32", 1
    CASES[f"arith.uitofp {name}"] = "%r = arith.uitofp %a : !a to !r", {"a": values}, "f32", 1
    CASES[f"arith.fptosi {name}"] = "%r = arith.fptosi %a : !a to !r", {"a": FLOATS}, name, 0
CASES["arith.extui i1"] = "%r = arith.extui %a : !a to !r", {"a": BOOLEANS}, "i32", 0
CASES["math.fma"] = "%r = math.fma %a, %b, %c : !r", triples(FLOATS[:16]), "f32", 1
SELECTED = {"c": np.resize(BOOLEANS, FLOATS.size**2), **pairs(FLOATS)}
CASES["arith.select"] = "%r = arith.select %c, %a, %b : SELECT", SELECTED, "f32", 0
CONSTANTS = {"f32": "-1.5", "i32": "-2147483648", "i1": "true"}
for name, number in CONSTANTS.items():
    CASES[f"arith.constant {name}"] = f"%r = arith.constant NUMBER<{number}> : !r", {"a": FLOATS}, name, 0


def step_of(name, width):
    step = CASES[name][0]
    step = step.replace("SELECT", "!c, !a" if width else "!a")
    if not width:
        step = step.replace("NUMBER<true> : !r", "true")  # a boolean is written without its type
    return re.sub(r"NUMBER<(.*)>", r"dense<\1>" if width else r"\1", step)


def test_every_op_that_a_step_may_use_is_here():
    sources = "".join(path.read_text() for path in DIALECT.glob("*StepModels.cpp"))
    accepted = set(re.findall(r"(arith|math)::(\w+)Op::attachInterface", sources))
    assert len(accepted) > 40
    assert {f"{dialect}.{op.lower()}" for dialect, op in accepted} == {name.split()[0] for name in CASES}


# 24 leaves padding lanes in the second of two vectors, where operands are zero.
@pytest.mark.parametrize("width", [24, None])
@pytest.mark.parametrize("name", CASES)
def test_kernel_and_interpreter_agree(tmp_path, name, width):
    _, operands, result, units = CASES[name]
    step = step_of(name, width)
    expected = by_interpreter(tmp_path, step, operands, result, width)
    actual = by_kernel(step, operands, result, width)
    if result == "f32":
        errors = ulps(actual, expected.astype(np.float64))
        at = int(np.argmax(errors))
        assert errors[at] <= units, ([x[at] for x in operands.values()], actual[at], expected[at])
    else:
        np.testing.assert_array_equal(actual, expected)


FAST = [op for op in TWO if op != "math.powf"]
WRAPPING = ["arith.addi", "arith.subi", "arith.muli"]


@pytest.mark.parametrize("op", FAST + WRAPPING)
def test_flags_change_nothing(tmp_path, op):
    operands = pairs(FLOATS if op in FAST else INTEGERS)
    result = "f32" if op in FAST else "i32"
    plain = f"%r = {op} %a, %b : !r"
    flagged = f"%r = {op} %a, %b {'fastmath<fast>' if op in FAST else 'overflow<nsw, nuw>'} : !r"
    for compute in (by_kernel, lambda *arguments: by_interpreter(tmp_path, *arguments)):
        expected, actual = compute(plain, operands, result), compute(flagged, operands, result)
        np.testing.assert_array_equal(actual, expected)
        numbers = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(actual[numbers]), np.signbit(expected[numbers]))


def wrap(values):
    return ((values - LOW) % 2**32 + LOW).astype(np.int32)


def test_quotients_and_remainders_are_defined_for_every_divisor(tmp_path):
    operands = pairs(INTEGERS)
    a, b = (x.astype(np.int64) for x in operands.values())
    safe = np.where(b == 0, 1, b)
    towards_zero = np.sign(a) * np.sign(safe) * (np.abs(a) // np.abs(safe))
    quotient = np.where(b == 0, -1, wrap(towards_zero))
    remainder = np.where(b == 0, a, a - towards_zero * safe)
    for op, expected in (("divsi", quotient), ("remsi", remainder)):
        step = f"%r = arith.{op} %a, %b : !r"
        np.testing.assert_array_equal(by_kernel(step, operands, "i32"), expected)
        np.testing.assert_array_equal(by_interpreter(tmp_path, step, operands, "i32"), expected)


@pytest.mark.parametrize("op", ["divsi", "remsi"])
@pytest.mark.parametrize("divisor", [0, -1, 1, 7, LOW])
def test_constant_divisors_mean_the_same(tmp_path, op, divisor):
    step = f"%d = arith.constant dense<{divisor}> : !r\n%r = arith.{op} %a, %d : !r"
    expected = by_interpreter(tmp_path, step, {"a": INTEGERS}, "i32")
    np.testing.assert_array_equal(by_kernel(step, {"a": INTEGERS}, "i32"), expected)
    general = by_kernel(
        f"%r = arith.{op} %a, %b : !r", {"a": INTEGERS, "b": np.full_like(INTEGERS, divisor)}, "i32"
    )
    np.testing.assert_array_equal(general, expected)


def test_sums_and_products_wrap(tmp_path):
    operands = pairs(INTEGERS)
    a, b = (x.astype(object) for x in operands.values())
    for op, expected in (("addi", a + b), ("subi", a - b), ("muli", a * b)):
        expected = np.array([(int(x) - LOW) % 2**32 + LOW for x in expected], np.int64)
        step = f"%r = arith.{op} %a, %b : !r"
        np.testing.assert_array_equal(by_kernel(step, operands, "i32"), expected)
        np.testing.assert_array_equal(by_interpreter(tmp_path, step, operands, "i32"), expected)


def test_conversions_saturate_and_take_nan_as_zero(tmp_path):
    values = np.array(
        [np.nan, np.inf, -np.inf, 2.0**31, -(2.0**31), -3e38, 2.9, -2.9, 2.0**31 - 128], np.float32
    )
    expected = [0, HIGH, LOW, HIGH, LOW, LOW, 2, -2, HIGH - 127]
    step = "%r = arith.fptosi %a : !a to !r"
    np.testing.assert_array_equal(by_kernel(step, {"a": values}, "i32"), expected)
    np.testing.assert_array_equal(by_interpreter(tmp_path, step, {"a": values}, "i32"), expected)


def test_integers_are_unsigned_or_signed_as_the_op_says(tmp_path):
    values = np.array([-5, 5], np.int32)
    for op, expected in (("uitofp", [2.0**32 - 5, 5]), ("sitofp", [-5, 5])):
        step = f"%r = arith.{op} %a : !a to !r"
        expected = np.array(expected, np.float32)
        np.testing.assert_array_equal(by_kernel(step, {"a": values}), expected)
        np.testing.assert_array_equal(by_interpreter(tmp_path, step, {"a": values}), expected)
    for op, expected in (("uitofp", [0, 1]), ("sitofp", [0, -1])):
        step = f"%r = arith.{op} %a : !a to !r"
        np.testing.assert_array_equal(by_kernel(step, {"a": BOOLEANS}), expected)
        np.testing.assert_array_equal(by_interpreter(tmp_path, step, {"a": BOOLEANS}), expected)
