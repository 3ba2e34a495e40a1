"""A loop over tokens: its operands, its states, and what its step yields. `scans` and `maps` make them."""

from linmu.rules import graph
from linmu.rules.broadcasting import converted, spread
from linmu.rules.places import error, here
from linmu.rules.values import Continued, Tensor, Value, shown

__all__ = ["Loop"]


class Entry:
    """An operand of a loop and the step's argument for it."""

    __slots__ = ("captured", "final_tail", "name", "node", "outer", "tail", "zeroed")

    def __init__(self, outer, name, node, tail=None, captured=False, zeroed=False):
        self.outer, self.name, self.node, self.tail = outer, name, node, tail
        self.captured, self.zeroed = captured, zeroed
        self.final_tail = None


class State:
    """A state of a scan: where it starts (None: at zero), the step's argument, its next value, its end."""

    __slots__ = ("final", "heads", "init", "name", "next", "node")

    def __init__(self, name, init, heads, node):
        self.name, self.init, self.heads, self.node = name, init, heads, node
        self.next = self.final = None


class Loop:
    """pattern.scan or, without states, pattern.map."""

    def __init__(self, trace: graph.Trace, place):
        self.trace, self.place = trace, place
        self.block = graph.Block(self)
        self.entries: list[Entry] = []
        self.states: list[State] = []
        self.outputs: list[tuple[graph.Node, graph.Outer]] = []
        self.reverse = False
        self.order = self.segments = self.source_mask = self.output_mask = None
        self.sequences = trace.sequences
        self.segments_tail = self.final_segments = None

    # Operands.

    def add(self, outer: graph.Outer, hint: str, tail=None, captured=False, zeroed=False) -> Entry:
        if outer.kind not in ("tokens", "param"):
            kind, wanted = {
                "state": ("a state", "@scan(S=s0)"),
                "tail": ("a tail", "x.after(tail)"),
                "media": ("a media table", "token_order or window_attention"),
                "sequences": ("a table of sequences", "@scan(sequences=cu)"),
            }[outer.kind]
            raise error(f"'{outer.name}' is {kind}, which a step does not read; it stands in {wanted}")
        node = graph.Node(self.block, f"{hint}_t", outer.shape, self._slice_type(outer), 0)
        if outer.kind == "param":
            node.lags = None
        self.entries.append(Entry(outer, hint, node, tail, captured, zeroed))
        return self.entries[-1]

    @staticmethod
    def _slice_type(outer) -> str:
        return outer.dtype if outer.dtype in ("i32", "i1") else "f32"

    def imported(self, tensor: Tensor, what: str) -> Value:
        """The slice of a tensor from outside the step."""
        for entry in self.entries:
            if entry.outer is tensor.outer and entry.captured:
                return Value(entry.node)
        return Value(self.add(tensor.outer, tensor.outer.name, captured=True).node)

    def imported_value(self, value: Value, what: str) -> Value:
        """A value that was computed outside steps; one of another step is an error."""
        source = value.node.block.loop
        if not isinstance(source, Loop) or not source.is_implicit or source.trace is not self.trace:
            raise error(
                f"{what}: {shown(value)} is a value of another step; return it from there, and use the result"
            )
        if not source.reads_tokens(value.node):
            return Value(source.copied(value.node, self), value.layout)
        return self.imported(Tensor(source.export(value, "f32")), what)

    is_implicit = False

    # Heads.

    def heads(self) -> int:
        """Those of the states, else the most that an operand has."""
        if self.states:
            return self.states[0].heads
        return max((entry.outer.heads or 0 for entry in self.entries), default=0)

    def check_heads(self) -> None:
        heads = self.heads()
        if not any(entry.outer.kind == "tokens" for entry in self.entries):
            raise error("a step reads at least one tensor of tokens, which gives their number", self.place)
        if not heads:
            raise error(
                'a step without states reads at least one tensor with heads, Tokens["H", ...]', self.place
            )
        for state in self.states:
            if state.heads != heads:
                raise error(
                    f"state {state.name} has {state.heads} heads, state {self.states[0].name} {heads}: expected all "
                    "states of a scan to have one number of heads",
                    self.place,
                )
        for entry in self.entries:
            own = entry.outer.heads
            if own is not None and heads % own:
                raise error(
                    f"{entry.outer.name} is {entry.outer.form()}: expected a number of heads that divides the step's "
                    f"{heads}, got {own}",
                    self.place,
                )

    # What the step yields.

    def output(self, value, dtype: str, what: str, place) -> graph.Outer:
        if not isinstance(value, Value):
            value = Value(spread(self.block, value, (), "f32"))
        if value.layout != "full" or len(value.shape) > 1:
            raise error(f"{what}: expected a number or a vector of each token, got {shown(value)}; a matrix for each "
                        "token is a state or a product that is read", place)  # fmt: skip
        value = converted(value, "f32")
        outer = graph.Outer("tokens", f"out_{len(self.outputs)}" if self.outputs else "out", dtype, 0, value.shape,
                            here(), source=self)  # fmt: skip
        self.outputs.append((value.node, outer))
        return outer

    def finish(self) -> None:
        """Fixes the heads and the tails once the step is known."""
        self.check_heads()
        for _, outer in self.outputs:
            outer.heads = outer.heads or self.heads()
        self._sort()
        for entry in self.entries:
            if self.trace.carry and entry.node.lags and entry.tail is None:
                self._refuse_to_carry()
                outer = entry.outer
                entry.tail = self.trace.operand("tail", f"{outer.name}_tail", outer.dtype, outer.heads, outer.shape,
                                                self.place, entry.node.lags)  # fmt: skip
            if entry.tail is not None:
                entry.final_tail = self._final("tail", f"{entry.outer.name}_end", entry.tail)
        if self.segments is not None and self.trace.carry and self.segments_tail is None:
            self.segments_tail = self.trace.operand(
                "tail", f"{self.segments.name}_tail", "i32", None, (), self.place, 1
            )
        if self.segments_tail is not None:
            self.final_segments = self._final("tail", f"{self.segments.name}_end", self.segments_tail)
            self.trace.segment_tails.append((self.segments_tail, self.segments))
        for state in self.states:
            if state.init is None and self.trace.carry:
                state.init = self.trace.operand(
                    "state", f"{state.name}0", "f32", state.heads, state.node.shape, self.place
                )
            state.final = self._final("state", state.name, state.init, state.node.shape, state.heads)

    def _final(self, kind, name, before, shape=None, heads=None) -> graph.Outer:
        """The result that follows an operand: a state's end, a new tail."""
        shape = before.shape if shape is None else shape
        heads = before.heads if heads is None and before is not None else heads
        dtype = "f32" if before is None else before.dtype
        tokens = None if before is None else before.tokens
        final = graph.Outer(kind, name, dtype, heads, shape, self.place, source=self, tokens=tokens)
        if self.trace.carry and before is not None:
            self._refuse_to_carry()
            if before not in self.trace.operands:
                raise error(f"a decoder hands {name} from part to part of the walk, so that it starts at an operand of "
                            f"the rule or at zero, not at a result", self.place)  # fmt: skip
            self.trace.carried.append((before, final))
        return final

    def _refuse_to_carry(self) -> None:
        if self.reverse:
            raise error(
                "a decoder extends forward, and this scan is reversed; decode a rule without it", self.place
            )
        if self.order is not None:
            raise error("a decoder extends by the next tokens, and this scan has an order; decode a rule without one",
                        self.place)  # fmt: skip

    def _sort(self) -> None:
        """Operands in the order in which they came to be, so that rules that differ in the order of their
        steps' arguments are one pattern."""
        made = {id(operand): index for index, operand in enumerate(self.trace.operands)}
        for op in self.trace.ops:
            for result in op.results():
                made[id(result)] = len(made)
        last = len(made)
        self.entries.sort(key=lambda entry: made.get(id(entry.outer), last))

    def results(self) -> list[graph.Outer]:
        tails = [entry.final_tail for entry in self.tokens() if entry.final_tail is not None]
        if self.final_segments is not None:
            tails.append(self.final_segments)
        return [outer for _, outer in self.outputs] + [state.final for state in self.states] + tails

    def tokens(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.outer.kind == "tokens"]

    def params(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.outer.kind == "param"]


def outer_of(given, what: str, kind: str = "tokens") -> graph.Outer:
    """The tensor that `given` is, where values of maps become one."""
    if (
        isinstance(given, Value)
        and isinstance(given.node.block.loop, Loop)
        and given.node.block.loop.is_implicit
    ):
        given = Tensor(given.node.block.loop.export(given, "f32"))
    if isinstance(given, Continued):
        raise error(f"{what}: expected a tensor without a tail; x.after(tail) stands among the arguments of a step, "
                    "and in segments=")  # fmt: skip
    if not isinstance(given, Tensor):
        raise error(f"{what}: expected a tensor of the rule, got {shown(given)}")
    if given.outer.kind != kind:
        wanted = {"tokens": "of tokens, Tokens[...]", "media": "Media", "state": "State[...]", "param": "Param[...]",
                  "tail": "Tail[...]", "sequences": "Sequences"}[kind]  # fmt: skip
        raise error(f"{what}: expected a tensor {wanted}, got '{given.outer.name}', {shown(given)}")
    return given.outer
