"""What Python's operators on values mean, as ops of the pattern language."""

from linmu.rules.broadcasting import converted, dtype_of, elementwise, lift, promoted, shape_of
from linmu.rules.places import error
from linmu.rules.values import Operators, Transposed, Value, shown

__all__ = [
    "absolute",
    "arithmetic",
    "compared",
    "indexed",
    "inverted",
    "logical",
    "matmul",
    "negated",
    "power",
    "total",
]

_FLOAT = {"+": "arith.addf", "-": "arith.subf", "*": "arith.mulf", "/": "arith.divf"}
_INTEGER = {"+": "arith.addi", "-": "arith.subi", "*": "arith.muli"}


def _lifted(symbol: str, left, right):
    what = f"x {symbol} y"
    return lift(left, what), lift(right, what), what


def arithmetic(symbol: str, left, right):
    left, right, what = _lifted(symbol, left, right)
    (left, right), dtype = promoted(left, right)
    if dtype == "i1" or symbol == "/":
        dtype = "f32" if symbol == "/" else "i32"
        left, right = converted(left, dtype), converted(right, dtype)
    if symbol == "*" and dtype == "f32" and (product := _outer_product(left, right)) is not None:
        return product
    return elementwise((_FLOAT if dtype == "f32" else _INTEGER)[symbol], (left, right), what, dtype)


def _outer_product(left, right):
    """(K, 1) times (1, V) or (V,) is an outer product; None for other shapes."""
    if not isinstance(left, Value) or not isinstance(right, Value):
        return None
    if right.layout == "column":
        left, right = right, left
    if left.layout != "column" or right.layout == "column" or len(right.node.shape) != 1:
        return None
    column, row = left.node, right.node
    form = f"pattern.outer {{}}, {{}} : {column.type}, {row.type}"
    return Value(column.block.emit(form, (column, row), (*column.shape, *row.shape), "f32"))


def power(base, exponent):
    base, exponent, what = _lifted("**", base, exponent)
    if not isinstance(exponent, Value):
        if exponent == 2:
            return arithmetic("*", base, base)
        if exponent == 1:
            return base
    base, exponent = converted(base, "f32"), converted(exponent, "f32")
    if not isinstance(base, Value) and base == 2:
        return elementwise("math.exp2", (exponent,), what)
    if not isinstance(exponent, Value) and exponent == 0.5:
        return elementwise("math.sqrt", (base,), what)
    if not isinstance(exponent, Value) and exponent == -0.5:
        return elementwise("math.rsqrt", (base,), what)
    if not isinstance(exponent, Value) and exponent == -1:
        return arithmetic("/", 1.0, base)
    return elementwise("math.powf", (base, exponent), what)


def matmul(left, right):
    if isinstance(right, Transposed):
        return right.__rmatmul__(left)
    left, right, what = _lifted("@", left, right)
    ranks = tuple(len(shape_of(operand)) for operand in (left, right))
    got = f"got {shown(left)} @ {shown(right)}"
    if ranks == (2, 2):
        raise error(f"{what}: the pattern language has no product of two matrices, {got}; write it as sums of outer "
                    "products, outer(a, b), and reads, k @ S")  # fmt: skip
    if 0 in ranks:
        raise error(f"{what}: expected vectors or matrices, {got}; write * with a number")
    if any(operand.layout != "full" for operand in (left, right)):
        raise error(f"{what}: expected vectors or matrices, {got}; leave x[:, None] and x[None, :] out")
    left, right = converted(left, "f32"), converted(right, "f32")
    if left.shape[-1] != right.shape[0]:
        hint = ""
        if ranks == (1, 2) and left.shape[0] == right.shape[1]:
            hint = "; write S @ k to sum over the second axis"
        elif ranks == (2, 1) and right.shape[0] == left.shape[0]:
            hint = "; write k @ S to sum over the first axis"
        raise error(f"{what}: expected the last axis of x and the first of y to be equal, {got}{hint}")
    return _product(left, right)


def _product(left, right):
    a, b = left.node, right.node
    if len(a.shape) == len(b.shape):
        return Value(a.block.emit(f"pattern.dot {{}}, {{}} : {a.type}", (a, b), (), "f32"))
    if len(a.shape) == 1:
        form = f"pattern.read {{}}, {{}} : {b.type}, {a.type}"
        return Value(a.block.emit(form, (b, a), b.shape[1:], "f32"))
    form = f"pattern.read_transposed {{}}, {{}} : {a.type}, {b.type}"
    return Value(a.block.emit(form, (a, b), a.shape[:1], "f32"))


def logical(symbol: str, left, right):
    left, right, what = _lifted(symbol, left, right)
    (left, right), dtype = promoted(left, right)
    if dtype == "f32":
        raise error(f"{what}: expected conditions or integers, got {shown(left)} and {shown(right)}; write a "
                    "comparison, such as x > 0")  # fmt: skip
    name = {"&": "arith.andi", "|": "arith.ori", "^": "arith.xori"}[symbol]
    return elementwise(name, (left, right), what, dtype)


def negated(operand):
    operand = lift(operand, "-x")
    if dtype_of(operand) == "f32":
        return elementwise("arith.negf", (operand,), "-x")
    return elementwise("arith.subi", (0, converted(operand, "i32")), "-x", "i32")


def absolute(operand):
    operand = lift(operand, "abs(x)")
    if dtype_of(operand) == "f32":
        return elementwise("math.absf", (operand,), "abs(x)")
    return elementwise("arith.maxsi", (operand, negated(operand)), "abs(x)", "i32")


def inverted(operand):
    operand = lift(operand, "~x")
    if dtype_of(operand) == "f32":
        raise error(f"~x: expected a condition or an integer, got {shown(operand)}")
    return elementwise("arith.xori", (operand, True if operand.dtype == "i1" else -1), "~x", operand.dtype)


_ORDERED = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge", "==": "oeq", "!=": "une"}
_SIGNED = {"<": "slt", "<=": "sle", ">": "sgt", ">=": "sge", "==": "eq", "!=": "ne"}


def compared(symbol: str, left, right):
    left, right, what = _lifted(symbol, left, right)
    (left, right), dtype = promoted(left, right)
    if dtype == "i1":
        left, right, dtype = converted(left, "i32"), converted(right, "i32"), "i32"
    name = f"arith.cmpf {_ORDERED[symbol]}," if dtype == "f32" else f"arith.cmpi {_SIGNED[symbol]},"
    return elementwise(name, (left, right), what, dtype, result="i1")


def total(operand, axis, keepdims: bool):
    operand = converted(lift(operand, "sum(x)"), "f32")
    rank = len(shape_of(operand))
    if not isinstance(operand, Value) or operand.layout != "full" or rank == 0:
        raise error(f"sum(x): expected a vector or matrix, got {shown(operand)}")
    if axis is not None and not -rank <= axis < rank:
        raise error(
            f"sum(x, axis={axis}): expected an axis of {shown(operand)}, between {-rank} and {rank - 1}"
        )
    if keepdims and axis is None:
        raise error("sum(x, keepdims=True): expected an axis")
    node = operand.node
    for over in [axis % rank] if axis is not None else [1, 0][-rank:]:
        kept = node.shape[:over] + node.shape[over + 1 :]
        node = node.block.emit(f"pattern.sum {{}} over {over} : {node.type}", (node,), kept, "f32")
    if keepdims and rank == 2:
        return Value(node, "row" if axis % rank == 0 else "column")
    return Value(node)


def indexed(operand, index):
    index = index if isinstance(index, tuple) else (index,)
    operand = lift(operand, "x[...]")
    everything = slice(None)
    if any(
        entry not in (None, everything, Ellipsis) if not isinstance(entry, Operators) else True
        for entry in index
    ):
        raise error("the pattern language has no slices or elements of a value; hand the parts over as operands of "
                    "their own, which are views of one tensor and need no copy")  # fmt: skip
    rank = len(operand.shape)
    added = index.count(None)
    if not added:
        return operand
    if rank != 1 or added != 1 or operand.layout != "full":
        raise error(f"x[...]: expected x[:, None] or x[None, :] of a vector, got {shown(operand)}")
    return Value(operand.node, "row" if index[0] is None else "column")
