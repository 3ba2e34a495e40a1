"""The kernel of a decoder's calls: which of its operands are carried, given once or new, and the results' memory."""

from linmu.rules import binding, libraries
from linmu.rules.places import error

__all__ = ["DecodeKernel"]


class DecodeKernel:
    """A rule's kernel for parts of a walk, for the tensors of a decoder's first call. `moving` are the parameters
    that each call brings, `given` the others, by name; a rule with a table of sequences walks one for each entry."""

    def __init__(self, rule, moving: list, tensors: list, given: dict, target: str | None):
        by_name = {p.name: x for p, x in zip(moving, tensors)}
        self._given = {**given, **by_name}
        known = [p for p in rule.parameters if p.annotation and p.name in self._given]
        sizes, dtypes = binding.bind(rule.__name__, known, [self._given[p.name] for p in known])
        for parameter in rule.parameters:
            if parameter.annotation and parameter.name not in dtypes:
                dtypes[parameter.name] = _default_type(parameter, moving, dtypes)
        dtypes = {p.name: dtypes[p.name] for p in rule.parameters if p.annotation}
        constants = {p.name: given.get(p.name, p.default) for p in rule.parameters if not p.annotation}
        target = target or libraries.target_of(tensors[0])
        self.traced = rule.traced(sizes, dtypes, constants, carry=True)
        self.kernel = rule.compiled(sizes, dtypes, constants, carry=True, target=target)
        self.library, self._device = libraries.library_of(tensors[0]), libraries.device_of(tensors[0])
        self.empty_like, self.on_cuda = self.library.empty_like, self.kernel.runs_on == "cuda"
        self.is_ragged = rule.table is not None
        self._table = by_name.get(rule.table)
        self._models: dict = {}
        self._place_operands([p.name for p in moving])
        self.batch = self.batch_of(tensors) if not self.is_ragged else int(self._table.shape[0]) - 1
        # What carried tensors are like, by name.
        self.like = {
            outer.name: libraries.model_of(self.library, self._shape_of(outer), outer.dtype, self._device)
            for outer in self.traced.operands
            if outer.name in self._carried_names
        }

    def _place_operands(self, moving: list[str]) -> None:
        traced = self.traced
        self.carried_of: list = [None] * len(traced.results)  # of each result the operand that takes it
        for operand, result in traced.carried:
            self.carried_of[result] = traced.operands[operand].name
        self._carried_names = {name for name in self.carried_of if name is not None}
        self.results = {
            traced.results[index].name: name for index, name in enumerate(self.carried_of) if name is not None
        }
        self.sources = [
            ("carried", outer.name) if outer.name in self._carried_names
            else ("moving", moving.index(outer.name)) if outer.name in moving
            else ("fixed", self._given[outer.name])
            for outer in traced.operands
        ]  # fmt: skip

    @staticmethod
    def batch_of(tensors: list) -> int:
        return max([int(x.shape[0]) for x in tensors])

    def _shape_of(self, outer) -> tuple:
        heads = () if outer.heads is None else (outer.heads,)
        tokens = () if outer.tokens is None else (outer.tokens,)
        return (self.batch, *tokens, *heads, *outer.shape)

    def start(self) -> dict:
        """What the walk carries before its first token."""
        return {
            outer.name: self._first(outer)
            for outer in self.traced.operands
            if outer.name in self._carried_names
        }

    def _first(self, outer):
        if outer.name in self._given:
            first = self._given[outer.name]
        elif (ids := self.traced.segment_tails.get(outer.name)) is not None:
            first = self._first_ids(
                self._given[ids]
            )  # the first token goes on with the states that are given
        else:
            return self.library.zeros_like(self.like[outer.name])
        return first if first.shape[0] == self.batch else _repeated(first, self.batch)

    def _first_ids(self, ids):
        if not self.is_ragged:
            return ids[:, :1]
        begins, ends = self._table[:-1], self._table[1:]
        if not bool((ends > begins).all()):
            raise error(
                "a decoder with segments: expected a first token of each sequence, got a sequence without tokens"
            )
        return ids[0][begins.long() if hasattr(begins, "long") else begins][:, None]

    def models_of(self, batch: int, count: int) -> list:
        """For each output of tokens its number and what it is like."""
        models = self._models.get((batch, count))
        if models is None:
            models = self._models[batch, count] = []
            for index, outer in enumerate(self.traced.results):
                if self.carried_of[index] is None:
                    heads = () if outer.heads is None else (outer.heads,)
                    shape = (batch, count, *heads, *outer.shape)
                    models.append((index, libraries.model_of(self.library, shape, outer.dtype, self._device)))
        return models


def _default_type(parameter, moving: list, dtypes: dict) -> str:
    """Of a tail that is not given: that of the first tokens of its axes."""
    if parameter.annotation.kind == "tail":
        for other in moving:
            dtype = dtypes[other.name]
            if (
                other.annotation.axes == parameter.annotation.axes[1:]
                and dtype in parameter.annotation.dtypes
            ):
                return dtype
    return parameter.annotation.dtypes[0]


def _repeated(tensor, batch: int):
    """A tensor of one batch for each of several."""
    if hasattr(tensor, "expand"):
        return tensor.expand(batch, *tensor.shape[1:])
    return tensor.repeat(batch, axis=0)
