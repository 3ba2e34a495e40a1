"""From a rule's function, sizes and element types to the pattern's text."""

from linmu.rules import graph
from linmu.rules.annotations import Annotation, annotation_of
from linmu.rules.maps import Stretch, result_of
from linmu.rules.places import Place, error, of_function
from linmu.rules.text import identifier, text_of
from linmu.rules.values import Tensor, Value

__all__ = ["Parameter", "Traced", "parameters_of", "trace"]


class Parameter:
    """A parameter of the function: an operand with its annotation, or a constant with its default. One that is
    `added` is an operand of the rule that the function does not take."""

    __slots__ = ("added", "annotation", "default", "name")

    def __init__(self, name: str, annotation: Annotation | None, default=None, added: bool = False):
        self.name, self.annotation, self.default, self.added = name, annotation, default, added


def parameters_of(function) -> list[Parameter]:
    code, place = function.__code__, of_function(function)
    if code.co_flags & 0x0C:
        raise error(
            f"rule {function.__name__}: expected named parameters, got *arguments or **arguments", place
        )
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    defaults = dict(zip(reversed(names[: code.co_argcount]), reversed(function.__defaults__ or ())))
    defaults |= function.__kwdefaults__ or {}
    found = []
    for name in names:
        given = function.__annotations__.get(name)
        annotation = annotation_of(given, function.__globals__)
        if annotation is None and name not in defaults:
            raise error(
                f'rule {function.__name__}: expected parameter {name} to be annotated, as in {name}: Tokens["H", "K"], '
                "or to have a default, for a constant",
                place,
            )
        found.append(Parameter(name, annotation, defaults.get(name)))
    if not any(parameter.annotation and parameter.annotation.kind == "tokens" for parameter in found):
        raise error(
            f'rule {function.__name__}: expected a parameter of tokens, as in x: Tokens["H", "D"]', place
        )
    tables = [p.name for p in found if p.annotation and p.annotation.kind == "sequences"]
    if len(tables) > 1:
        raise error(f"rule {function.__name__}: expected one parameter annotated Sequences, got {', '.join(tables)}",
                    place)  # fmt: skip
    return found


class Traced:
    """A rule's pattern for sizes and element types. `carried` lists, for a decoder, (number of the operand,
    number of the result) of what goes from part to part; results from `own` on are only that. `segment_tails` are those
    operands that hold the segment id before, with the operand of the ids."""

    def __init__(self, trace: graph.Trace, place: Place, own: int):
        self.text = text_of(trace, place, locations=False)
        self.located = text_of(trace, place, locations=True)
        self.function = identifier(trace.name)
        self.operands = trace.operands
        self.results = trace.results
        self.own = own
        self.segment_tails = {tail.name: ids.name for tail, ids in trace.segment_tails}
        self.carried = [
            (trace.operands.index(before), trace.results.index(after)) for before, after in trace.carried
        ]


def trace(function, parameters, sizes: dict, dtypes: dict, constants: dict, carry: bool = False) -> Traced:
    """Runs the function on tensors that record what it does with them."""
    place = of_function(function)
    floats = [
        dtypes[p.name]
        for p in parameters
        if p.annotation and p.annotation.kind == "tokens" and p.annotation.axes
    ]
    storage = next((dtype for dtype in floats if dtype not in ("i32", "i1")), "f32")
    recorded = graph.Trace(function.__name__, sizes, storage, carry)
    arguments = {}
    for parameter in parameters:
        if parameter.annotation is None:
            arguments[parameter.name] = constants[parameter.name]
            continue
        outer = _operand(recorded, parameter, dtypes[parameter.name], place)
        if outer.kind == "sequences":
            recorded.sequences = outer
        if not parameter.added:
            arguments[parameter.name] = Tensor(outer)
    with graph.activated(recorded):
        returned = function(**arguments)
        recorded.results = _results(recorded, returned, place)
    recorded.ops = [part for op in recorded.ops for part in (op.maps() if isinstance(op, Stretch) else [op])]
    own = len(recorded.results)
    for _, after in recorded.carried:
        if after not in recorded.results:
            recorded.results.append(after)
    return Traced(recorded, place, own)


def _operand(recorded: graph.Trace, parameter: Parameter, dtype: str, place: Place) -> graph.Outer:
    annotation = parameter.annotation
    extents = [recorded.size(axis, place) for axis in annotation.axes]
    tokens = extents.pop(0) if annotation.kind == "tail" else None
    if annotation.kind == "media":
        return recorded.operand("media", parameter.name, dtype, None, (4,), place)
    if annotation.kind == "sequences":
        return recorded.operand("sequences", parameter.name, dtype, None, (), place)
    heads = extents.pop(0) if extents else None
    return recorded.operand(annotation.kind, parameter.name, dtype, heads, tuple(extents), place, tokens)


def _results(recorded: graph.Trace, returned, place: Place) -> list[graph.Outer]:
    returned = (
        tuple(returned) if isinstance(returned, (tuple, list)) else () if returned is None else (returned,)
    )
    results = []
    for index, value in enumerate(returned):
        what = f"rule {recorded.name} returns "
        if isinstance(value, Value):
            outer = result_of(recorded, value)
        elif isinstance(value, Tensor):
            outer = value.outer
            if outer in recorded.operands:
                raise error(f"{what}its operand '{outer.name}' as it is: expected results of steps", place)
        else:
            raise error(f"{what}{type(value).__name__} as result {index}: expected what steps give, or arithmetic on "
                        "tensors", place)  # fmt: skip
        if outer in results:
            raise error(f"{what}one tensor twice, as result {results.index(outer)} and {index}", place)
        results.append(outer)
    if not results:
        raise error(f"rule {recorded.name} returns nothing: expected the outputs of a step, or the end of a state, step.S",
                    place)  # fmt: skip
    return results
