"""The text of a traced rule in the pattern dialect."""

from linmu.rules import graph
from linmu.rules.broadcasting import literal
from linmu.rules.loops import Loop
from linmu.rules.orders import Permute, TokenOrder
from linmu.rules.windows import Window

__all__ = ["text_of"]


def identifier(name: str) -> str:
    """A Python name in the letters of the dialect."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else f"u{ord(c):x}" for c in name)


class _Names:
    """Names of values: each once in the whole text."""

    def __init__(self):
        self._of: dict = {}
        self._taken: set = set()

    def define(self, value, hint: str) -> str:
        stem = identifier(hint)
        name, suffix = stem, 0
        while name in self._taken:
            suffix += 1
            name = f"{stem}_{suffix}"
        self._taken.add(name)
        self._of[value] = f"%{name}"
        return self._of[value]

    def __getitem__(self, value) -> str:
        return self._of[value]


class _Writer:
    def __init__(self, trace: graph.Trace, locations: bool):
        self._trace, self._locations = trace, locations
        self._names = _Names()
        self._lines: list[str] = []

    def write(self, place) -> str:
        trace, names = self._trace, self._names
        arguments = ",\n    ".join(
            f"{names.define(outer, outer.name)}: {outer.type}{self._at(outer.place)}"
            for outer in trace.operands
        )
        results = ", ".join(outer.type for outer in trace.results)
        self._lines.append(f"func.func @{identifier(trace.name)}(\n    {arguments}) -> ({results}) {{")
        for op in trace.ops:
            {Loop: self._loop, Permute: self._permute, TokenOrder: self._order, Window: self._window}[
                type(op)
            ](op)
        returned = ", ".join(names[outer] for outer in trace.results)
        self._lines.append(f"  return {returned} : {results}{self._at(place)}")
        self._lines.append(f"}}{self._at(place)}")
        return "\n".join(self._lines) + "\n"

    def _at(self, place) -> str:
        return f" {place.location()}" if self._locations else ""

    def _results(self, op) -> str:
        return ", ".join(self._names.define(outer, outer.name) for outer in op.results())

    def _step(self, block: graph.Block, needed) -> None:
        """The ops that the step's end depends on."""
        kept, wanted = [], set(needed)
        for op in reversed(block.ops):
            if op.result in wanted:
                wanted.update(op.operands)
                kept.append(op)
        for op in reversed(kept):
            operands = (self._names[operand] for operand in op.operands)
            result = self._names.define(op.result, op.result.hint)
            self._lines.append(f"    {result} = {op.form.format(*operands)}{self._at(op.place)}")

    def _yield(self, outputs, states, place) -> None:
        parts = []
        for name, nodes in (("outputs", outputs), ("states", states)):
            if nodes:
                values = ", ".join(self._names[node] for node in nodes)
                parts.append(f"{name}({values} : {', '.join(node.type for node in nodes)})")
        self._lines.append(f"    pattern.yield {' '.join(parts)}{self._at(place)}")

    def _loop(self, loop: Loop) -> None:
        names = self._names
        op = "pattern.scan" if loop.states else "pattern.map"
        results = self._results(loop)
        clauses = [f"  {results} = {op}{' reverse' if loop.reverse else ''}"]

        def argument(entry) -> str:
            inner, tail = names.define(entry.node, entry.node.hint), entry.tail
            outer = f"{names[entry.outer]} tail {names[tail]}" if tail else names[entry.outer]
            return f"{inner} = {outer} : {entry.outer.type}{f', {tail.type}' if tail else ''}"

        def state(state) -> str:
            inner = names.define(state.node, state.node.hint)
            return f"{inner} = {names[state.init] if state.init else 'zero'} : {state.final.type}"

        for clause, parts in (
            ("params", [argument(entry) for entry in loop.params()]),
            ("tokens", [argument(entry) for entry in loop.tokens()]),
            ("states", [state(entry) for entry in loop.states]),
        ):
            if parts:
                clauses.append(f"      {clause}({(',' + chr(10) + ' ' * (7 + len(clause))).join(parts)})")
        if loop.order:
            clauses.append(f"      order({names[loop.order]} : {loop.order.type})")
        if loop.sequences:
            clauses.append(f"      sequences({names[loop.sequences]} : {loop.sequences.type})")
        if loop.segments:
            tail = loop.segments_tail
            both = f"{names[loop.segments]} tail {names[tail]}" if tail else names[loop.segments]
            clauses.append(f"      segments({both} : {loop.segments.type}{f', {tail.type}' if tail else ''})")
        if loop.source_mask:
            zeroed = ", ".join(names[entry.node] for entry in loop.tokens() if entry.zeroed)
            clauses.append(
                f"      source_mask({names[loop.source_mask]} : {loop.source_mask.type}) zeroes({zeroed})"
            )
        if loop.output_mask:
            clauses.append(f"      output_mask({names[loop.output_mask]} : {loop.output_mask.type})")
        if loop.outputs:
            clauses.append(f"      -> ({', '.join(outer.type for _, outer in loop.outputs)})")
        self._lines.append("\n".join(clauses) + " {")
        outputs = [node for node, _ in loop.outputs]
        states = [state.next for state in loop.states]
        self._step(loop.block, outputs + states)
        self._yield(outputs, states, loop.place)
        self._lines.append(f"  }}{self._at(loop.place)}")

    def _order(self, op: TokenOrder) -> None:
        media, like = self._names[op.media], self._names[op.like]
        self._lines.append(
            f"  {self._results(op)} = pattern.token_order #pattern.order<{', '.join(op.axes)}> media({media} : "
            f"{op.media.type}) like {like} : {op.like.type} -> {op.result.type}{self._at(op.place)}"
        )

    def _permute(self, op: Permute) -> None:
        source, order = self._names[op.source], self._names[op.order]
        self._lines.append(
            f"  {self._results(op)} = pattern.permute {'inverse ' if op.inverse else ''}{source} order({order} : "
            f"{op.order.type}) : {op.source.type}{self._at(op.place)}"
        )

    def _window(self, op: Window) -> None:
        names = self._names
        operands = ", ".join(names[outer] for outer in op.operands)
        types = ", ".join(outer.type for outer in op.operands)
        media = f"media({names[op.media]} : {op.media.type})"
        self._lines.append(
            f"  {self._results(op)} = pattern.window_attention {operands} {media} window {list(op.window)} shift "
            f"{list(op.shift)}\n      scale {literal(op.scale, 'f32')} wrap {op.wrap} : ({types}) -> {op.result.type}"
            + (" {" if op.block else self._at(op.place))
        )
        if op.block:
            arguments = ", ".join(f"{names.define(node, node.hint)}: {node.type}" for node in op.arguments)
            self._lines.append(f"  ^bb0({arguments}):")
            self._step(op.block, [op.score])
            self._yield([op.score], [], op.place)
            self._lines.append(f"  }}{self._at(op.place)}")


def text_of(trace: graph.Trace, place, locations: bool) -> str:
    """The pattern. With `locations` each op says the place in the user's file that it comes from."""
    return _Writer(trace, locations).write(place)
