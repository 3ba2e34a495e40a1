"""rule.decode: a walk that goes on, by some tokens a call, with its states, lags and segments carried along."""

from linmu.kernel import stream_handle
from linmu.rules import binding, state_file
from linmu.rules.decode_kernel import DecodeKernel
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
    and gives the rule's outputs for them. With `sequences` (int32, [sequences + 1]) a call brings tokens of several
    sequences, one after the other, as many of each as the table says; calls with and without it may take turns, where
    the batch is the number of sequences. `snapshot()` costs nothing until the next call; `roll_back(snapshot)`
    goes back to it. `save(path)` and `load(path)` keep the walk in a safetensors file. `states` are the carried
    tensors by name, `tokens` how many tokens the calls brought.
    """

    def __init__(self, rule, given: dict, target: str | None = None):
        self.rule, self._target = rule, target
        self.tokens = 0
        names = [parameter.name for parameter in rule.parameters]
        if unknown := [name for name in given if name not in names]:
            raise error(
                f"decoder of rule {rule.__name__}: expected arguments among {', '.join(names)}, got '{unknown[0]}'"
            )
        self._moving = [
            p for p in rule.parameters if p.annotation and p.annotation.kind in ("tokens", "sequences")
        ]
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
        self._kernels: dict[bool, DecodeKernel] = {}  # of calls with a table of sequences, and without
        self._carried: dict = {}
        self._owned = False  # whether nobody else holds what is carried now
        self._spare: dict | None = None  # memory for the next carried tensors
        self._loaded: dict | None = None  # of a file, before the first call

    @property
    def states(self) -> dict:
        """What the walk carries, by the names of the operands that take it."""
        self._owned = False
        return dict(self._carried)

    def carried_result(self, name: str):
        """The carried tensor that the rule returns under that name."""
        return self._carried[next(iter(self._kernels.values())).results[name]]

    def extend(self, *arguments, threads: int = 0, stream=None, sequences=None, **named):
        if sequences is not None and self.rule.table is not None:
            named[self.rule.table], sequences = sequences, None
        if named or len(arguments) != len(self._moving):
            arguments, _ = binding.ordered(self.rule.__name__, self._moving, arguments, named)
        if sequences is not None:
            arguments = (*arguments, sequences)
        call = self._kernels.get(sequences is not None) or self._start(arguments, sequences is not None)
        count = arguments[0].shape[1]
        if not count:
            raise error("extend: expected at least one token, got none")
        before, spare, empty_like, like = self._carried, self._spare, call.empty_like, call.like
        inputs = [
            arguments[place] if kind == "moving" else before[place] if kind == "carried" else place
            for kind, place in call.sources
        ]
        out = [
            (spare[name] if spare is not None else empty_like(like[name])) if name is not None else None
            for name in call.carried_of
        ]
        models = call.models_of(1 if call.is_ragged else max([x.shape[0] for x in arguments]), count)
        for index, model in models:
            out[index] = empty_like(model)
        handle = stream_handle(stream, inputs) if call.on_cuda or stream is not None else None
        call.kernel._native.launch(inputs, out, threads, handle)
        self._carried = {name: out[index] for index, name in enumerate(call.carried_of) if name is not None}
        # What the call read is free for the next one, where no snapshot and no caller holds it.
        self._spare, self._owned = (before if self._owned else None), True
        self.tokens += count
        return out[models[0][0]] if len(models) == 1 else tuple([out[index] for index, _ in models])

    def _start(self, tensors: list, is_ragged: bool) -> DecodeKernel:
        """The first call, with a table of sequences or without, fixes sizes and types."""
        rule, moving = self.rule, self._moving
        if is_ragged:
            rule = rule.ragged
            moving = [*moving, rule.parameter(rule.table)]
        call = DecodeKernel(rule, moving, tensors, self._given, self._target)
        if not self._kernels:
            start = call.start()
            self._carried = start if self._loaded is None else self._fitting(self._loaded, start, call)
        self._kernels[is_ragged] = call
        return call

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
        if not self._kernels:
            raise error("save: expected a decoder that has been extended; there is nothing to keep before")
        state_file.save(path, self._carried, {"rule": self.rule.__name__, "tokens": str(self.tokens)})

    def load(self, path) -> None:
        """Goes on from a file that `save` wrote, of a decoder of the same rule."""
        stored, metadata = state_file.load(path)
        if metadata.get("rule") != self.rule.__name__:
            raise error(f"{path}: expected a walk of rule {self.rule.__name__}, got {metadata.get('rule')}")
        if not self._kernels:
            self._loaded = stored
        else:
            self._carried = self._fitting(stored, self._carried, next(iter(self._kernels.values())))
            self._spare, self._owned = None, False
        self.tokens = int(metadata["tokens"])

    @staticmethod
    def _fitting(stored: dict, like: dict, call: DecodeKernel) -> dict:
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
            fitting[name] = stored[name].tensor(call.empty_like(call.like[name]))
        return fitting
