"""Arithmetic on tensors outside steps: what others use of it becomes pattern.map."""

from linmu.rules import graph
from linmu.rules.loops import Loop
from linmu.rules.places import error, here
from linmu.rules.values import Tensor, Value, shown

__all__ = ["Stretch", "open_map", "result_of"]


class Stretch(Loop):
    """The arithmetic between two ops of a rule. Values of it that something else uses are outputs of maps, one
    map for each number of heads; parameters alone are computed where they are used."""

    is_implicit = True

    def __init__(self, trace):
        super().__init__(trace, here())
        self._ops: dict = {}
        self._exports: dict = {}

    def _op_of(self, node):
        if len(self._ops) < len(self.block.ops):
            self._ops = {op.result: op for op in self.block.ops}
        return self._ops.get(node)

    def _reads(self, node) -> list:
        """The operands that a value depends on."""
        op = self._op_of(node)
        if op is None:
            return [entry for entry in self.entries if entry.node is node]
        return [entry for operand in op.operands for entry in self._reads(operand)]

    def reads_tokens(self, node) -> bool:
        return any(entry.outer.kind == "tokens" for entry in self._reads(node))

    def copied(self, node, loop: Loop):
        """The value computed anew in the step of another loop."""
        op = self._op_of(node)
        if op is None:
            entry = next(entry for entry in self.entries if entry.node is node)
            return loop.imported(Tensor(entry.outer), entry.name).node
        operands = tuple(self.copied(operand, loop) for operand in op.operands)
        for copy, operand in zip(operands, op.operands):
            if operand.lags:
                copy.lags = max(copy.lags, operand.lags)
        return loop.block.emit(op.form, operands, node.shape, node.dtype, op.place)

    def export(self, value: Value, dtype: str) -> graph.Outer:
        """The value for all tokens, in that element type."""
        if value.dtype != "f32":
            raise error(f"the pattern language has no {value.dtype} computed for other steps: expected a float, got "
                        f"{shown(value)}; compute it in the step that uses it, or hand it over")  # fmt: skip
        if value.layout != "full" or len(value.shape) > 1:
            raise error(f"expected a number or a vector of each token, got {shown(value)}; compute a matrix in the step "
                        "that uses it")  # fmt: skip
        if not self.reads_tokens(value.node):
            raise error(f"expected a tensor of tokens, got {shown(value)}, computed of parameters and numbers alone; "
                        "compute it before the call")  # fmt: skip
        key = (value.node, dtype)
        if key not in self._exports:
            if self not in self.trace.ops:
                self.trace.ops.append(self)
            heads = max(entry.outer.heads or 0 for entry in self._reads(value.node))
            if not heads:
                raise error(f"expected a value of at least one tensor with heads, got {shown(value)}; compute it in the "
                            "step that uses it")  # fmt: skip
            self._exports[key] = graph.Outer("tokens", "map", dtype, heads, value.shape, here(), source=self)
        return self._exports[key]

    def results(self) -> list[graph.Outer]:
        return list(self._exports.values())

    def maps(self) -> list[Loop]:
        """One for each number of heads."""
        made = {}
        for (node, _), outer in self._exports.items():
            loop = made.get(outer.heads)
            if loop is None:
                loop = made[outer.heads] = Loop(self.trace, outer.place)
            loop.outputs.append((self.copied(node, loop), outer))
        for loop in made.values():
            loop.finish()
        return list(made.values())


def open_map(trace) -> graph.Block:
    """The block of what is computed outside steps now."""
    if trace.map is None:
        trace.map = Stretch(trace)
    return trace.map.block


def result_of(trace, value: Value) -> graph.Outer:
    """A value that the rule returns, rounded to the type of its first floats."""
    stretch = value.node.block.loop
    if not isinstance(stretch, Stretch):
        raise error(
            f"a rule returns what its steps give for all tokens, got {shown(value)}, a value inside a step"
        )
    return stretch.export(value, trace.storage)
