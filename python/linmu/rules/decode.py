"""rule.decode: a walk that goes on, by some tokens a call, with its states, lags and segments carried along."""

from linmu.rules import binding, state_file
from linmu.rules.libraries import library_of, model_of
from linmu.rules.places import error

__all__ = ["Decoder", "Snapshot"]


class Snapshot:
    """Where a decoder stood."""

    __slots__ = ("carried", "decoder", "tokens")

    def __init__(self, decoder, tokens, carried):
        self.decoder, self.tokens, self.carried = decoder, tokens, carried


class Decoder:
    """A walk that is extended token after token. What goes from call to call - states, the tokens that lags look
    back at, the last segment id - starts at the tensors given, else at zero.

    `extend(q, k, ...)` takes the next tokens, usually 1 to 8, of every operand annotated Tokens, Index or Mask,
    and gives the rule's outputs for them. `snapshot()` costs nothing until the next call; `roll_back(snapshot)`
    goes back to it. `save(path)` and `load(path)` keep the walk in a safetensors file. `states` are the carried
    tensors by name.
    """

    def __init__(self, rule, given: dict):
        self.rule = rule
        self.tokens = 0
        names = [parameter.name for parameter in rule.parameters]
        if unknown := [name for name in given if name not in names]:
            raise error(
                f"decoder of rule {rule.__name__}: expected arguments among {', '.join(names)}, got '{unknown[0]}'"
            )
        self._moving = [p for p in rule.parameters if p.annotation and p.annotation.kind == "tokens"]
        for parameter in self._moving:
            if parameter.name in given:
                raise error(
                    f"decoder of rule {rule.__name__}: expected '{parameter.name}' in extend(...): it is of tokens"
                )
        self._given = given
        missing = [p.name for p in rule.parameters if p.annotation and p.annotation.kind in ("param", "media")
                   and p.name not in given]  # fmt: skip
        if missing:
            raise error(
                f"decoder of rule {rule.__name__} lacks {', '.join(missing)}: expected parameters in decode(...)"
            )
        self._kernel = self._traced = None
        self._carried: dict = {}
        self._owned = False  # whether nobody else holds what is carried now
        self._spare: dict | None = None  # memory for the next carried tensors
        self._loaded: dict | None = None  # of a file, before the first call
        self._results: dict = {}

    @property
    def states(self) -> dict:
        """What the walk carries, by the names of the operands that take it."""
        self._owned = False
        return dict(self._carried)

    def carried_result(self, name: str):
        """The carried tensor that the rule returns under that name."""
        return self._carried[self._results[name]]

    def extend(self, *arguments, threads: int = 0, **named):
        if named or len(arguments) != len(self._moving):
            arguments, _ = binding.ordered(self.rule.__name__, self._moving, arguments, named)
        if self._kernel is None:
            self._start(arguments)
        count = arguments[0].shape[1]
        if not count:
            raise error("extend: expected at least one token, got none")
        before, spare, empty_like = self._carried, self._spare, self._empty_like
        inputs = [
            arguments[place] if kind == "moving" else before[place] if kind == "carried" else place
            for kind, place in self._sources
        ]
        out = [
            (spare[name] if spare is not None else empty_like(self._like[name])) if name is not None else None
            for name in self._carried_of
        ]
        models = self._models_of(max([x.shape[0] for x in arguments]), count)
        for index, model in models:
            out[index] = empty_like(model)
        self._kernel._native.launch(inputs, out, threads)
        self._carried = {name: out[index] for index, name in enumerate(self._carried_of) if name is not None}
        # What the call read is free for the next one, where no snapshot and no caller holds it.
        self._spare, self._owned = (before if self._owned else None), True
        self.tokens += count
        return out[models[0][0]] if len(models) == 1 else tuple([out[index] for index, _ in models])

    def snapshot(self) -> Snapshot:
        self._owned = False
        return Snapshot(self, self.tokens, dict(self._carried))

    def roll_back(self, snapshot: Snapshot) -> None:
        if not isinstance(snapshot, Snapshot) or snapshot.decoder is not self:
            raise error("roll_back: expected a snapshot of this decoder")
        self.tokens, self._carried = snapshot.tokens, dict(snapshot.carried)
        self._spare, self._owned = None, False

    def save(self, path) -> None:
        """Writes the walk to a file, which is there whole or not at all."""
        if self._kernel is None:
            raise error("save: expected a decoder that has been extended; there is nothing to keep before")
        state_file.save(path, self._carried, {"rule": self.rule.__name__, "tokens": str(self.tokens)})

    def load(self, path) -> None:
        """Goes on from a file that `save` wrote, of a decoder of the same rule."""
        stored, metadata = state_file.load(path)
        if metadata.get("rule") != self.rule.__name__:
            raise error(f"{path}: expected a walk of rule {self.rule.__name__}, got {metadata.get('rule')}")
        if self._kernel is None:
            self._loaded = stored
        else:
            self._carried = self._fitting(stored, self._carried)
            self._spare, self._owned = None, False
        self.tokens = int(metadata["tokens"])

    def _fitting(self, stored: dict, like: dict) -> dict:
        """Tensors of a file in the place of those."""
        if stored.keys() != like.keys():
            raise error(f"expected a walk that carries {', '.join(like) or 'nothing'}, got one that carries "
                        f"{', '.join(stored) or 'nothing'}")  # fmt: skip
        fitting = {}
        for name, tensor in like.items():
            dtype, shape = binding.dtype_of(tensor, name), tuple(tensor.shape)
            if (stored[name].dtype, stored[name].shape) != (dtype, shape):
                raise error(f"expected a walk with '{name}' of {dtype} {list(shape)}, got {stored[name].dtype} "
                            f"{list(stored[name].shape)}")  # fmt: skip
            fitting[name] = stored[name].tensor(self._library.empty_like(self._like[name]))
        return fitting

    # The first call fixes sizes and types.

    def _start(self, tensors: list) -> None:
        rule, given = self.rule, dict(self._given)
        by_name = {p.name: x for p, x in zip(self._moving, tensors)}
        known = [p for p in rule.parameters if p.annotation and (p.name in by_name or p.name in given)]
        sizes, dtypes = binding.bind(rule.__name__, known, [{**given, **by_name}[p.name] for p in known])
        for parameter in rule.parameters:
            if parameter.annotation and parameter.name not in dtypes:
                dtypes[parameter.name] = self._default_type(parameter, dtypes)
        dtypes = {p.name: dtypes[p.name] for p in rule.parameters if p.annotation}
        constants = {p.name: given.get(p.name, p.default) for p in rule.parameters if not p.annotation}
        self._traced = rule.traced(sizes, dtypes, constants, carry=True)
        self._kernel = rule.compiled(sizes, dtypes, constants, carry=True)
        self._library = library_of(tensors[0])
        self._models: dict = {}
        traced = self._traced
        carried = {traced.operands[operand].name for operand, _ in traced.carried}
        self._carried_of = [None] * len(traced.results)
        for operand, result in traced.carried:
            self._carried_of[result] = traced.operands[operand].name
        self._results = {
            traced.results[index].name: name
            for index, name in enumerate(self._carried_of)
            if name is not None
        }
        moving = [p.name for p in self._moving]
        self._sources = [
            ("carried", outer.name) if outer.name in carried
            else ("moving", moving.index(outer.name)) if outer.name in moving
            else ("fixed", given[outer.name])
            for outer in traced.operands
        ]  # fmt: skip
        batch = max(int(x.shape[0]) for x in tensors)
        everything, start, self._like = {**given, **by_name}, {}, {}
        for outer in traced.operands:
            if outer.name in carried:
                shape = self._shape_of(outer, batch)
                self._like[outer.name] = model_of(self._library, shape, outer.dtype)
                start[outer.name] = self._first(outer, shape, everything)
        self._carried = start if self._loaded is None else self._fitting(self._loaded, start)
        self._empty_like = self._library.empty_like

    @staticmethod
    def _shape_of(outer, batch: int) -> tuple:
        heads = () if outer.heads is None else (outer.heads,)
        tokens = () if outer.tokens is None else (outer.tokens,)
        return (batch, *tokens, *heads, *outer.shape)

    def _default_type(self, parameter, dtypes: dict) -> str:
        """Of a tail that is not given: that of the first tokens of its axes."""
        if parameter.annotation.kind == "tail":
            for other in self._moving:
                dtype = dtypes[other.name]
                if (
                    other.annotation.axes == parameter.annotation.axes[1:]
                    and dtype in parameter.annotation.dtypes
                ):
                    return dtype
        return parameter.annotation.dtypes[0]

    def _first(self, outer, shape: tuple, given: dict):
        if outer.name in given:
            first = given[outer.name]
        elif (ids := self._traced.segment_tails.get(outer.name)) is not None:
            first = given[ids][:, :1]  # the first token goes on with the states that are given
        else:
            return self._library.zeros_like(self._like[outer.name])
        return first if first.shape[0] == shape[0] else _repeated(first, shape[0])

    def _models_of(self, batch: int, count: int) -> list:
        """For each output of tokens its number and what it is like."""
        models = self._models.get((batch, count))
        if models is None:
            models = self._models[batch, count] = []
            for index, outer in enumerate(self._traced.results):
                if self._carried_of[index] is None:
                    heads = () if outer.heads is None else (outer.heads,)
                    models.append(
                        (index, model_of(self._library, (batch, count, *heads, *outer.shape), outer.dtype))
                    )
        return models


def _repeated(tensor, batch: int):
    """A tensor of one batch for each of several."""
    if hasattr(tensor, "expand"):
        return tensor.expand(batch, *tensor.shape[1:])
    return tensor.repeat(batch, axis=0)
