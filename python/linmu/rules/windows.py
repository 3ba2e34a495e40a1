"""Softmax attention inside windows of the grids of media items, with a function of the score."""

from linmu.rules import graph
from linmu.rules.broadcasting import converted, number_of, spread
from linmu.rules.loops import outer_of
from linmu.rules.places import error, here
from linmu.rules.values import Operators, Tensor, Value

__all__ = ["Window", "window_attention"]


class Coordinates:
    """Where a token stands in the grid of its media item: integers t, y and x."""

    __slots__ = ("t", "x", "y")

    def __init__(self, t, y, x):
        self.t, self.y, self.x = t, y, x


class Window:
    """pattern.window_attention"""

    is_implicit = False

    def __init__(self, operands, media, window, shift, scale, wrap, result, place):
        self.operands, self.media, self.window, self.shift = operands, media, window, shift
        self.scale, self.wrap, self.result, self.place = scale, wrap, result, place
        self.block: graph.Block | None = None
        self.arguments: list[graph.Node] = []
        self.score: graph.Node | None = None

    def results(self):
        return [self.result]

    def imported(self, tensor, what):
        raise error(f"{what}: the pattern language has no tensors or parameters in a score function, got "
                    f"'{tensor.outer.name}'; it computes with the score, the coordinates, the head and numbers")  # fmt: skip

    def imported_value(self, value, what):
        raise error(f"{what}: the pattern language has no values from outside in a score function")

    def trace_score(self, trace, function) -> None:
        """`function(score, query, key, head)` gives the score that the softmax sees."""
        self.block = graph.Block(self)
        names = ("score", "query_t", "query_y", "query_x", "key_t", "key_y", "key_x", "head")
        self.arguments = [
            graph.Node(self.block, name, (), "i32" if index else "f32") for index, name in enumerate(names)
        ]
        score, qt, qy, qx, kt, ky, kx, head = map(Value, self.arguments)
        trace.block = self.block
        try:
            given = function(score, Coordinates(qt, qy, qx), Coordinates(kt, ky, kx), head)
            if not isinstance(given, Operators) and number_of(given) is None:
                raise error(f"a score function returns a score, got {type(given).__name__}", self.place)
            if isinstance(given, Tensor):
                self.imported(given, "return")
            self.score = spread(self.block, converted(given, "f32"), (), "f32")
        finally:
            trace.block = None


def _three(what: str, given, least: int) -> tuple:
    given = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    if len(given) != 3 or any(not isinstance(size, int) or size < least for size in given):
        raise error(
            f"{what} of window_attention(...): expected (t, h, w) of integers from {least}, got {given}"
        )
    return given


def window_attention(
    query, key, value, media, *, window, shift=(0, 0, 0), scale=None, wrap="masked", score=None
):
    """Softmax attention inside the windows (t, h, w) of each media item's grid, shifted cyclically.

    `scale` is 1 / sqrt(features) if not given. With wrap="masked" tokens that only the shift brings together do
    not see each other, with "joined" they do. `score(score, query, key, head)` may change the score: query.t,
    query.y, query.x and those of key are integers; -inf forbids the pair.
    """
    what = "window_attention(...)"
    trace = graph.current_trace(what)
    if trace.block is not None:
        raise error(f"{what} stands outside steps")
    if trace.carry:
        raise error("a decoder extends by the next tokens, and window_attention needs all of them")
    operands = [
        outer_of(given, f"{name} of {what}")
        for name, given in (("query", query), ("key", key), ("value", value))
    ]
    table = outer_of(media, f"media of {what}", "media")
    for outer in operands:
        if outer.heads is None or len(outer.shape) != 1:
            raise error(f'{what}: expected query, key and value to be Tokens["H", "D"], got {outer.form()}')
    window, shift = _three("window", window, 1), _three("shift", shift, 0)
    if wrap not in ("masked", "joined"):
        raise error(f"wrap of {what}: expected 'masked' or 'joined', got {wrap!r}")
    scale = operands[0].shape[0] ** -0.5 if scale is None else float(scale)
    result = graph.Outer("tokens", "out", operands[0].dtype, operands[0].heads, operands[2].shape, here())
    op = Window(operands, table, window, shift, scale, wrap, result, here())
    if score is not None:
        op.trace_score(trace, score)
    trace.add(op)
    return Tensor(result)
