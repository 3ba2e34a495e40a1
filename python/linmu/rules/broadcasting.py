"""Operands of one op in one step, type and shape: numbers, values and tensors from outside, as numpy broadcasts."""

from linmu.rules import graph
from linmu.rules.places import error
from linmu.rules.values import Tensor, Value, shown

__all__ = [
    "aligned",
    "constant",
    "converted",
    "current",
    "dtype_of",
    "elementwise",
    "lift",
    "literal",
    "number_of",
    "promoted",
    "shape_of",
    "spread",
]


def literal(number, dtype: str) -> str:
    if dtype == "i1":
        return "true" if number else "false"
    if dtype == "i32":
        if not -(2**31) <= number < 2**31:
            raise error(f"expected an integer of 32 bits, got {number}")
        return str(int(number))
    number = float(number)
    if number != number:
        return "0x7FC00000"
    if number in (float("inf"), float("-inf")):
        return "0x7F800000" if number > 0 else "0xFF800000"
    if abs(number) >= 3.4028235677973366e38:
        raise error(f"expected a number that f32 holds, below 3.4e38, got {number!r}")
    mantissa, _, exponent = repr(number).partition("e")
    return (mantissa if "." in mantissa else mantissa + ".0") + (f"e{exponent}" if exponent else "")


def constant(block, number, shape: tuple, dtype: str) -> graph.Node:
    text = literal(number, dtype)
    if not shape:
        suffix = "" if dtype == "i1" else f" : {dtype}"
        return block.emit(f"arith.constant {text}{suffix}", (), (), dtype)
    return block.emit(f"arith.constant dense<{text}> : {graph.type_of(dtype, *shape)}", (), shape, dtype)


def number_of(operand):
    """A Python or numpy number as one of Python's; None for anything else."""
    if isinstance(operand, (bool, int, float)):
        return operand
    if hasattr(operand, "item") and getattr(operand, "ndim", 1) == 0:
        return operand.item()
    return None


def lift(operand, what: str):
    """A value of the step that is being traced, or a Python number."""
    if isinstance(operand, Value):
        block = current(what)
        return operand if operand.node.block is block else block.loop.imported_value(operand, what)
    if isinstance(operand, Tensor):
        return current(what).loop.imported(operand, what)
    number = number_of(operand)
    if number is None:
        kind = type(operand).__name__
        hint = "; hand tensors over as operands of the rule" if hasattr(operand, "shape") else ""
        raise error(f"{what}: expected values of the rule or numbers, got {kind}{hint}")
    return number


def current(what: str) -> graph.Block:
    """The step under way; outside of one the map that is open."""
    trace = graph.current_trace(what)
    if trace.block is not None:
        return trace.block
    from linmu.rules.maps import open_map

    return open_map(trace)


# Types and broadcasting.


def dtype_of(operand) -> str:
    if isinstance(operand, Value):
        return operand.dtype
    return "i1" if isinstance(operand, bool) else "i32" if isinstance(operand, int) else "f32"


def converted(operand, dtype: str):
    """A value or number as that type: numbers take it, integers become floats, conditions 0 or 1."""
    if not isinstance(operand, Value) or operand.dtype == dtype:
        return operand
    node = operand.node
    name = {
        ("i32", "f32"): "arith.sitofp",
        ("i1", "f32"): "arith.uitofp",
        ("i1", "i32"): "arith.extui",
        ("f32", "i32"): "arith.fptosi",
    }.get((operand.dtype, dtype))
    if name is None:
        raise error(
            f"expected {dtype}, got {operand.dtype}; write a comparison, such as x != 0, for a condition"
        )
    form = f"{name} {{}} : {node.type} to {graph.type_of(dtype, *node.shape)}"
    return Value(node.block.emit(form, (node,), node.shape, dtype), operand.layout)


def promoted(*operands):
    """All of one type: f32 where one is a float, else i32 where one is an integer. A number follows the
    values, but for a number with a point among integers."""
    found = {dtype_of(operand) for operand in operands}
    dtype = "f32" if "f32" in found else "i32" if "i32" in found else "i1"
    return [converted(operand, dtype) for operand in operands], dtype


def shape_of(operand) -> tuple:
    return operand.shape if isinstance(operand, Value) else ()


def broadcast_shape(operands, what: str) -> tuple:
    shapes = [shape_of(operand) for operand in operands]
    rank = max(map(len, shapes))
    extents = []
    for axis in range(-rank, 0):
        seen = {shape[axis] for shape in shapes if len(shape) >= -axis}
        seen.discard(1)
        if len(seen) > 1:
            both = " and ".join(shown(operand) for operand in operands)
            vectors = [s for s in shapes if len(s) == 1]
            hint = ""
            if rank == 2 and any(
                vector[0] == shape[0] for vector in vectors for shape in shapes if len(shape) == 2
            ):
                hint = "; a vector lies along the last axis, write x[:, None] to lay it along the first"
            raise error(f"{what}: {both} do not broadcast to one shape{hint}")
        extents.append(seen.pop() if seen else 1)
    return tuple(extents)


def spread(block, operand, shape: tuple, dtype: str) -> graph.Node:
    """The node of an operand, repeated to `shape`."""
    if not isinstance(operand, Value):
        return constant(block, operand, shape, dtype)
    node, layout = operand.node, operand.layout
    if layout == "full" and node.shape == shape:
        return node
    # Axes of extent 1 that the node has itself: a sum over one drops it.
    while node.shape and 1 in node.shape and len(shape) and (layout == "full" and node.shape != shape):
        axis = node.shape.index(1)
        kept = node.shape[:axis] + node.shape[axis + 1 :]
        if node.dtype != "f32":
            raise error(f"expected an axis of extent 1 to broadcast of f32, got {shown(operand)}")
        if len(node.shape) == 2:
            layout = "row" if axis == 0 else "column"
        node = block.emit(f"pattern.sum {{}} over {axis} : {node.type}", (node,), kept, node.dtype)
    target = graph.type_of(node.dtype, *shape)
    if not node.shape:
        return block.emit(f"pattern.broadcast {{}} : {node.type} to {target}", (node,), shape, node.dtype)
    axis = 0 if layout == "column" else 1
    form = f"pattern.broadcast {{}} along {axis} : {node.type} to {target}"
    return block.emit(form, (node,), shape, node.dtype)


def aligned(operands, dtype: str, what: str):
    """The block, the operands' nodes in one shape, and the layout of that shape."""
    block = current(what)
    shape = broadcast_shape(operands, what)
    layouts = {operand.layout for operand in operands if isinstance(operand, Value) and operand.shape}
    if len(shape) == 2 and len(layouts) == 1 and (layout := layouts.pop()) != "full":
        core = next(o.node.shape for o in operands if isinstance(o, Value) and o.shape)
        scalars = all(not isinstance(o, Value) or not o.shape or o.shape == shape for o in operands)
        if scalars:
            nodes = [
                o.node if isinstance(o, Value) and o.shape else spread(block, o, core, dtype)
                for o in operands
            ]
            return block, nodes, layout
    return block, [spread(block, operand, shape, dtype) for operand in operands], "full"


def elementwise(name: str, operands, what: str, dtype: str = "f32", result: str | None = None) -> Value:
    """An op of that name on operands of type `dtype`, broadcast."""
    block, nodes, layout = aligned(operands, dtype, what)
    form = f"{name} {', '.join(['{}'] * len(nodes))} : {nodes[0].type}"
    return Value(block.emit(form, tuple(nodes), nodes[0].shape, result or dtype), layout)
