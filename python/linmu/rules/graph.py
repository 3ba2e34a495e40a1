"""What a trace records: the ops on tensors of all tokens, and in each loop the ops of its step."""

import threading

from linmu.rules.places import Place, error, here

__all__ = ["Block", "Node", "Op", "Outer", "Trace", "current_block", "current_trace", "type_of"]


def type_of(dtype: str, *extents) -> str:
    """`tensor<?x?x8xf32>`, or `f32` without extents."""
    return f"tensor<{'x'.join(map(str, extents))}x{dtype}>" if extents else dtype


LARGEST = 1 << 18  # elements of a value of a step


def check_size(shape: tuple, what: str) -> None:
    elements = 1
    for extent in shape:
        elements *= extent
    if elements > LARGEST:
        raise error(
            f"{what} of a step is f32{list(shape)}: expected at most {LARGEST} elements; split it over heads"
        )


class Node:
    """An SSA value of a step. `lags` counts how far back a token argument is read; None for what is no such."""

    __slots__ = ("block", "dtype", "hint", "lags", "shape")

    def __init__(self, block, hint: str, shape: tuple, dtype: str, lags: int | None = None):
        self.block, self.hint, self.shape, self.dtype, self.lags = block, hint, shape, dtype, lags

    @property
    def type(self) -> str:
        return type_of(self.dtype, *self.shape)


class Op:
    """An op of a step: `form` is its text with a `{}` for each operand."""

    __slots__ = ("form", "operands", "place", "result")

    def __init__(self, form: str, operands: tuple, result: Node, place: Place):
        self.form, self.operands, self.result, self.place = form, operands, result, place


class Block:
    """The ops of one step, each distinct one once. `loop` imports what stands outside the step."""

    def __init__(self, loop=None):
        self.loop = loop
        self.ops: list[Op] = []
        self._known: dict = {}

    def emit(self, form: str, operands: tuple, shape: tuple, dtype: str, place=None) -> Node:
        key = (form, *(id(operand) for operand in operands))
        known = self._known.get(key)
        if known is None:
            check_size(shape, "a value")
            hint = form.split(" ", 1)[0].rsplit(".", 1)[-1]
            known = self._known[key] = Node(self, hint, shape, dtype)
            self.ops.append(Op(form, operands, known, place or here()))
        return known


class Outer:
    """A tensor outside the steps: an operand of the rule or the result of a loop, a permute, an order.

    `kind` is "tokens", "param", "state", "tail", "media" or "sequences". `heads` is None for one number per token that all
    heads share; `shape` is that of the slice that a step sees, `tokens` the extent of a tail.
    """

    __slots__ = ("dtype", "heads", "kind", "name", "place", "shape", "source", "tokens")

    def __init__(self, kind, name, dtype, heads, shape, place, source=None, tokens=None):
        self.kind, self.name, self.dtype = kind, name, dtype
        self.heads, self.shape, self.place = heads, shape, place
        self.source, self.tokens = source, tokens

    @property
    def type(self) -> str:
        heads = () if self.heads is None else (self.heads,)
        open_axes = {
            "tokens": ("?", "?"),
            "param": (),
            "state": ("?",),
            "tail": ("?", self.tokens),
            "media": ("?",),
            "sequences": ("?",),
        }
        return type_of(self.dtype, *open_axes[self.kind], *heads, *self.shape)

    def form(self) -> str:
        """The shape for messages."""
        heads = () if self.heads is None else (self.heads,)
        open_axes = {
            "tokens": ("batch", "tokens"),
            "param": (),
            "state": ("batch",),
            "tail": ("batch", self.tokens),
            "media": ("items",),
            "sequences": ("sequences + 1",),
        }
        return f"{self.dtype}[{', '.join(map(str, (*open_axes[self.kind], *heads, *self.shape)))}]"


class Trace:
    """One tracing of a rule for sizes and element types.

    With `carry` every state, lag and segment id is handed over from part to part of a walk: what starts at
    zero becomes an operand. `carried` lists (operand, result) of these, also of those that the rule itself
    has; `segment_tails` (operand, segment ids) of those that are the id before. `sequences` is the table that
    cuts every loop, where the batch is ragged.
    """

    def __init__(self, name: str, sizes: dict, storage: str, carry: bool = False):
        self.name, self.sizes, self.storage, self.carry = name, sizes, storage, carry
        self.operands: list[Outer] = []
        self.ops: list = []
        self.carried: list[tuple[Outer, Outer]] = []
        self.segment_tails: list[tuple[Outer, Outer]] = []
        self.sequences: Outer | None = None
        self.map = None  # the open map of what stands outside steps
        self.block: Block | None = None
        self.results: list[Outer] = []

    def operand(self, kind, name, dtype, heads, shape, place, tokens=None) -> Outer:
        taken = {operand.name for operand in self.operands}
        unique, suffix = name, 0
        while unique in taken:
            suffix += 1
            unique = f"{name}_{suffix}"
        self.operands.append(Outer(kind, unique, dtype, heads, shape, place, tokens=tokens))
        return self.operands[-1]

    def add(self, op) -> None:
        """An op on tensors of all tokens; what was computed outside steps before it is behind it."""
        self.ops.append(op)
        self.map = None

    def size(self, axis, place=None) -> int:
        if not isinstance(axis, str):
            return axis
        if axis not in self.sizes:
            known = ", ".join(self.sizes) or "none"
            raise error(
                f"size '{axis}' is not known: no operand has an axis of that name; the operands have {known}",
                place,
            )
        return self.sizes[axis]


class _Active(threading.local):
    trace = None


_active = _Active()


def current_trace(what: str) -> Trace:
    """The trace under way; an error for `what` where there is none."""
    if _active.trace is None:
        raise error(f"{what} stands in a rule: in a function under @linmu.pattern")
    return _active.trace


def current_block() -> Block | None:
    """The step that is being traced; None outside steps."""
    return _active.trace.block if _active.trace else None


class activated:
    """Makes a trace the one that is under way in this thread."""

    def __init__(self, trace: Trace):
        self._trace = trace

    def __enter__(self):
        self._before, _active.trace = _active.trace, self._trace
        return self._trace

    def __exit__(self, *exception):
        _active.trace = self._before
