"""A rule called in another one: its function runs in the trace under way, with letters of its own."""

from linmu.rules import graph
from linmu.rules.loops import outer_of
from linmu.rules.places import error
from linmu.rules.values import Continued, Tensor, Value

__all__ = ["call_inside", "is_traced"]


def is_traced(arguments) -> bool:
    """Whether a call is one of a trace."""
    return any(isinstance(argument, (Tensor, Value, Continued)) for argument in arguments)


def call_inside(rule, tensors: list, constants: dict):
    """What the rule gives for these tensors of the trace under way."""
    recorded = graph.current_trace(f"rule {rule.__name__}")
    if recorded.block is not None:
        raise error(f"rule {rule.__name__} takes tensors of all tokens: expected it outside steps")
    sizes, arguments = {}, dict(constants)
    operands = [parameter for parameter in rule.parameters if parameter.annotation]
    for parameter, tensor in zip(operands, tensors):
        annotation, what = parameter.annotation, f"rule {rule.__name__}: {parameter.name}"
        outer = outer_of(tensor, what, annotation.kind)
        tokens = () if outer.tokens is None else (outer.tokens,)
        heads = () if outer.heads is None else (outer.heads,)
        extents = (4,) if outer.kind == "media" else (*tokens, *heads, *outer.shape)
        fits = len(extents) == len(annotation.axes) and outer.dtype in annotation.dtypes
        for axis, extent in zip(annotation.axes, extents):
            expected = sizes.setdefault(axis, extent) if isinstance(axis, str) else axis
            fits = fits and expected == extent
        if not fits:
            raise error(f"{what}, {annotation!r}: expected {' or '.join(annotation.dtypes)} with the axes "
                        f"{annotation.form(sizes)}, got {outer.form()}")  # fmt: skip
        if not parameter.added:
            arguments[parameter.name] = Tensor(outer)
    before, recorded.sizes = recorded.sizes, sizes
    try:
        return rule.function(**arguments)
    finally:
        recorded.sizes = before
