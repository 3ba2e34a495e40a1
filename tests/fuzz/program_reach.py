"""How far values that are not finite may reach through the ops of a random program.

From a token to itself, from a scan's token to later ones of its walk until states restart with a new segment, by a lag
to the token that looks back; never out of its head or sequence, and not where a mask leaves it out.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Op:
    """One op of a program: what it reads first may have lags, a tail and a source mask."""

    kind: str  # "map", "scan" or "permute"
    inputs: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)  # token tensors
    state: str = ""  # the result that holds the scan's last state
    order: str = ""
    backward: bool = False  # reverse, or a permute's inverse
    segments: bool = False
    masked: bool = False
    live: bool = False  # outputs are masked
    lag: int = 0
    tail: bool = False


class ProgramReach:
    """`where` holds, by the name of a token tensor or state, which [batch, token, head] or [sequence, head] what is not
    finite in `operands` may reach."""

    def __init__(self, ops: list[Op], operands: dict[str, np.ndarray]):
        self.operands = operands
        self.where = {}
        for name, array in operands.items():
            if array.ndim == 4:
                self.where[name] = ~np.isfinite(array).all(axis=-1)
        self.batch, self.tokens, self.heads = self.where["x"].shape
        for op in ops:
            self.permute(op) if op.kind == "permute" else self.loop(op)

    def walks(self, op: Op):
        """The sequence, its batch, and its tokens as the op visits them."""
        order = self.operands.get(op.order)
        if order is None:
            order = np.tile(np.arange(self.tokens), (self.batch, 1))
        table = self.operands.get("cu")
        if table is None:
            parts = [(batch, order[batch]) for batch in range(self.batch)]
        else:
            parts = [(0, order[0, begin:end]) for begin, end in zip(table, table[1:])]
        for sequence, (batch, tokens) in enumerate(parts):
            yield sequence, batch, tokens[::-1] if op.backward else tokens

    def loop(self, op: Op) -> None:
        result = np.zeros((self.batch, self.tokens, self.heads), bool)
        last = []
        for sequence, batch, tokens in self.walks(op):
            inputs = [self.where[name][batch, tokens] for name in op.inputs]
            if op.masked:
                inputs[0] = inputs[0] & self.operands["live"][batch, tokens][:, None]
            used = np.logical_or.reduce(inputs)
            if op.lag:
                before = np.zeros((3, self.heads), bool)
                if op.tail:
                    before = self.where["xtail"][sequence]
                used = used | np.concatenate([before, inputs[0]])[3 - op.lag :][: len(used)]
            last.append(np.zeros(self.heads, bool))
            ids = self.operands["id"][batch, tokens]
            if op.kind == "scan":
                for step in range(len(used)):
                    if op.segments and step and ids[step] != ids[step - 1]:
                        last[-1] = last[-1] & False
                    used[step] |= last[-1]
                    last[-1] = used[step]
            result[batch, tokens] = used
        if op.live:
            result &= self.operands["live"][..., None]
        self.where |= dict.fromkeys(op.results, result)
        if op.state:
            self.where[op.state] = np.array(last)

    def permute(self, op: Op) -> None:
        order = self.operands[op.order].astype(np.int64)
        if op.backward:
            order = order.argsort(axis=1)
        self.where[op.results[0]] = np.take_along_axis(self.where[op.inputs[0]], order[..., None], axis=1)
