"""The functions of a step: of numbers, vectors and matrices of one token and head."""

import math

from linmu.rules.arithmetic import matmul
from linmu.rules.broadcasting import aligned, converted, current, elementwise, lift, literal, promoted, spread
from linmu.rules.loops import Loop
from linmu.rules.places import error
from linmu.rules.values import Continued, Operators, Tensor, Value, shown

__all__ = [
    "assume", "cos", "dot", "erf", "exp", "exp2", "expm1", "fma", "lag", "log", "log1p", "log2", "maximum", "maxnum",
    "minimum", "minnum", "outer", "quotient", "remainder", "rsqrt", "sigmoid", "sin", "softplus", "sqrt", "tanh",
    "to_float", "to_int", "where",
]  # fmt: skip


def _function(name: str, op: str, of_number, says: str):
    def function(x):
        if not isinstance(x, Operators) and isinstance(x, (int, float)):
            return of_number(x)
        return elementwise(op, (converted(lift(x, f"{name}(x)"), "f32"),), f"{name}(x)")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{says}, element by element; of a Python number a number."
    return function


exp = _function("exp", "math.exp", math.exp, "e to the power x")
exp2 = _function("exp2", "math.exp2", lambda x: 2.0**x, "2 to the power x")
expm1 = _function("expm1", "math.expm1", math.expm1, "exp(x) - 1, also near 0")
log = _function("log", "math.log", math.log, "The natural logarithm")
log1p = _function("log1p", "math.log1p", math.log1p, "log(1 + x), also near 0")
log2 = _function("log2", "math.log2", math.log2, "The logarithm to base 2")
sqrt = _function("sqrt", "math.sqrt", math.sqrt, "The square root")
rsqrt = _function("rsqrt", "math.rsqrt", lambda x: 1 / math.sqrt(x), "1 / sqrt(x)")
tanh = _function("tanh", "math.tanh", math.tanh, "The hyperbolic tangent")
erf = _function("erf", "math.erf", math.erf, "The error function")
sin = _function("sin", "math.sin", math.sin, "The sine")
cos = _function("cos", "math.cos", math.cos, "The cosine")
sigmoid = _function("sigmoid", "pattern.sigmoid", lambda x: 1 / (1 + math.exp(-x)), "1 / (1 + exp(-x))")
softplus = _function("softplus", "pattern.softplus", lambda x: math.log1p(math.exp(x)), "log(1 + exp(x))")


def _extremum(name: str, of_floats: str, of_integers: str | None, says: str):
    def function(x, y):
        what = f"{name}(x, y)"
        (x, y), dtype = promoted(lift(x, what), lift(y, what))
        if dtype == "f32" or of_integers is None:
            return elementwise(of_floats, (converted(x, "f32"), converted(y, "f32")), what)
        return elementwise(of_integers, (converted(x, "i32"), converted(y, "i32")), what, "i32")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = says
    return function


maximum = _extremum("maximum", "arith.maximumf", "arith.maxsi", "The larger; NaN where one is NaN.")
minimum = _extremum("minimum", "arith.minimumf", "arith.minsi", "The smaller; NaN where one is NaN.")
maxnum = _extremum("maxnum", "arith.maxnumf", None, "The larger; the other where one is NaN.")
minnum = _extremum("minnum", "arith.minnumf", None, "The smaller; the other where one is NaN.")
quotient = _extremum("quotient", "arith.divf", "arith.divsi", "x / y; of integers rounded towards zero.")


def remainder(x, y):
    """What integer division towards zero leaves; it has the sign of x."""
    what = "remainder(x, y)"
    (x, y), dtype = promoted(lift(x, what), lift(y, what))
    if dtype == "f32":
        raise error(f"{what}: expected integers, got {shown(x)} and {shown(y)}")
    return elementwise("arith.remsi", (converted(x, "i32"), converted(y, "i32")), what, "i32")


def fma(x, y, z):
    """x * y + z, rounded once."""
    what = "fma(x, y, z)"
    return elementwise("math.fma", [converted(lift(operand, what), "f32") for operand in (x, y, z)], what)


def where(condition, x, y):
    """x where the condition holds, else y."""
    what = "where(condition, x, y)"
    condition, x, y = (lift(operand, what) for operand in (condition, x, y))
    if not isinstance(condition, Value) or condition.dtype != "i1":
        raise error(f"{what}: expected a condition, such as x > 0 or a Mask, got {shown(condition)}")
    (x, y), dtype = promoted(x, y)
    if not condition.shape and (getattr(x, "shape", ()) or getattr(y, "shape", ())):
        block, (a, b), layout = aligned((x, y), dtype, what)
        form = f"arith.select {{}}, {{}}, {{}} : {a.type}"
        return Value(block.emit(form, (condition.node, a, b), a.shape, dtype), layout)
    block, (c, a, b), layout = _aligned_with(condition, x, y, dtype, what)
    types = f"{c.type}, {a.type}" if c.shape else a.type
    return Value(block.emit(f"arith.select {{}}, {{}}, {{}} : {types}", (c, a, b), a.shape, dtype), layout)


def _aligned_with(condition, x, y, dtype: str, what: str):
    """As `aligned`, where the first of the three is a condition."""
    block, nodes, layout = aligned((condition, x, y), dtype, what)
    return block, nodes, layout


def outer(x, y):
    """The matrix x[i] y[j]."""
    what = "outer(x, y)"
    x, y = (converted(lift(operand, what), "f32") for operand in (x, y))
    for operand in (x, y):
        if not isinstance(operand, Value) or len(operand.shape) != 1:
            raise error(f"{what}: expected two vectors, got {shown(x)} and {shown(y)}")
    form = f"pattern.outer {{}}, {{}} : {x.node.type}, {y.node.type}"
    return Value(x.node.block.emit(form, (x.node, y.node), (*x.shape, *y.shape), "f32"))


def dot(x, y):
    """The sum of x[i] y[i]; x @ y gives it too."""
    what = "dot(x, y)"
    x, y = (converted(lift(operand, what), "f32") for operand in (x, y))
    for operand in (x, y):
        if not isinstance(operand, Value) or len(operand.shape) != 1:
            raise error(f"{what}: expected two vectors, got {shown(x)} and {shown(y)}")
    return matmul(x, y)


def assume(x, minimum: float, maximum: float):
    """x, of which the caller promises that it lies between the two: for decays whose range does not show."""
    what = "assume(x, minimum, maximum)"
    x = converted(lift(x, what), "f32")
    if not isinstance(x, Value) or not minimum <= maximum:
        raise error(
            f"{what}: expected a value and two numbers in order, got {shown(x)}, {minimum!r}, {maximum!r}"
        )
    form = f"pattern.assume {{}} in [{literal(minimum, 'f32')}, {literal(maximum, 'f32')}] : {x.node.type}"
    return Value(x.node.block.emit(form, (x.node,), x.node.shape, "f32"), x.layout)


def lag(x, distance: int = 1, otherwise=None):
    """The token operand x 1 to 3 tokens earlier in the walk; before the first token `otherwise`, or zero."""
    what = "lag(x, distance)"
    if isinstance(x, Continued):
        raise error(
            f"{what}: expected tokens, got some with a tail; x.after(tail) stands among the arguments of a step"
        )
    if not isinstance(distance, int) or not 1 <= distance <= 3:
        raise error(f"{what}: expected a distance of 1 to 3 tokens, got {distance!r}; pass what lies further back as an "
                    "operand of its own")  # fmt: skip
    x = _as_argument(x, what)
    node = x.node
    node.lags = max(node.lags, distance)
    if otherwise is None:
        form, operands = f"pattern.lag {{}} by {distance} : {node.type}", (node,)
    else:
        other = spread(node.block, converted(lift(otherwise, what), node.dtype), node.shape, node.dtype)
        form = f"pattern.lag {{}} by {distance} otherwise {{}} : {node.type} : {node.type}"
        operands = (node, other)
    return Value(node.block.emit(form, operands, node.shape, node.dtype))


def _as_argument(x, what: str) -> Value:
    """A token operand of the step under way: what was computed outside of it has to become one."""
    block = current(what)
    if isinstance(x, Value) and x.node.block is not block:
        source = x.node.block.loop
        if isinstance(source, Loop) and source.is_implicit and source.reads_tokens(x.node):
            x = Tensor(source.export(x, "f32"))
    elif isinstance(x, Value) and block.loop.is_implicit and x.node.lags is None:
        # The map that computes it ends, and another one lags it.
        outer, trace = block.loop.export(x, "f32"), block.loop.trace
        trace.map = None
        x = Tensor(outer)
    x = lift(x, what)
    if not isinstance(x, Value) or x.node.lags is None or x.layout != "full":
        raise error(f"{what}: expected an argument of the step that stands for tokens, got {shown(x)}, which the step "
                    "computes; compute it outside the step and pass it, or lag what it is computed of")  # fmt: skip
    return x


def to_float(x):
    """Integers and conditions (0 and 1) as floats."""
    return converted(lift(x, "to_float(x)"), "f32")


def to_int(x):
    """A float rounded towards zero, a condition as 0 or 1."""
    return converted(lift(x, "to_int(x)"), "i32")
