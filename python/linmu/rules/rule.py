"""@linmu.pattern: a function as a rule that is compiled once for each combination of sizes and types."""

import itertools
import os
import sys
import weakref

from _linmu import RuleDispatch

from linmu.kernel import Kernel, compile, explain, is_for_torch
from linmu.rules import binding, libraries
from linmu.rules.annotations import Sequences
from linmu.rules.nested import call_inside, is_traced
from linmu.rules.places import error, of_function
from linmu.rules.tracing import Parameter, Traced, parameters_of, trace

__all__ = ["Rule", "pattern"]


# By names that no other process has: graphs of torch.compile, which may lie in a cache, hold them.
_rules: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
_numbers = itertools.count()
_process = os.urandom(8).hex()


def rule_named(name: str) -> "Rule":
    return _rules[name]


def _is_compiling() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and torch.compiler.is_compiling()


class Rule:
    """A rule. Called with tensors, in order or by name, it gives its results as tensors of the same library and
    device; `out` gives their memory, `threads` limits the threads of a call on the CPU, `stream` is that of a call on
    CUDA, by default torch's current one. `sequences` (int32, [sequences + 1]) says where the sequences of a ragged
    batch begin and end. Called in another rule it is part of that.

    Letters of its annotations take the sizes of the tensors; each combination of sizes, element types and
    constants is compiled once, for the device that the tensors are on; `target` says another one, as for
    linmu.compile.
    """

    def __init__(self, function, parameters: list[Parameter] | None = None):
        self.function = function
        self.parameters = parameters_of(function) if parameters is None else parameters
        self.place = of_function(function)
        self.__name__, self.__doc__ = function.__name__, function.__doc__
        self.__wrapped__ = function
        self._unique_name = f"{self.__name__}-{next(_numbers)}-{_process}"
        _rules[self._unique_name] = self
        self._compiled: dict = {}
        self._traced: dict = {}
        self._last: list = []  # sizes, types and constants of the last call
        self._ragged: Rule | None = None
        self._variants: dict = {}  # by other constants
        operands = [p for p in self.parameters if p.annotation]
        open_axes = [len(p.annotation.open_axes) for p in operands]
        self._operands = [p.name for p in operands]
        self._dispatch = RuleDispatch(self.__name__, self._operands, open_axes)
        # Whether a call by position with the operands alone means them.
        self._operands_first = self.parameters[: len(operands)] == operands

    def __call__(
        self, *arguments, out=None, threads: int = 0, stream=None, target=None, sequences=None, **named
    ):
        direct = out is None and stream is None and target is None and self._operands_first
        rule = self
        if sequences is not None:
            rule, arguments, named = self._ragged_call(arguments, named, sequences)
        if out is None and stream is None and target is None and _is_compiling():
            return rule._call_in_graph(arguments, named, threads)
        if named and rule._operands_first and len(arguments) == len(rule._operands):
            rule, named = rule._variant(named)
        direct = direct and not named
        if direct and (results := rule._dispatch.call(arguments, threads)) is not None:
            return results
        tensors, constants = binding.ordered(self.__name__, rule.parameters, arguments, named)
        if is_traced(tensors):
            return call_inside(rule, tensors, constants)
        target = target or libraries.target_of(tensors[0])
        kernel = rule.compiled(*rule.specialised(tensors, constants), target=target)
        results = kernel(*tensors, out=out, threads=threads, stream=stream)
        remembers = direct and len(arguments) == len(tensors) and libraries.may_be_remembered(arguments[0])
        if remembers and not is_for_torch(tensors):
            rule._remember(arguments, kernel)
        return results

    def _call_in_graph(self, arguments: tuple, named: dict, threads: int):
        from linmu.torch_rules import call_rule

        tensors, constants = binding.ordered(self.__name__, self.parameters, arguments, named)
        return call_rule(self._unique_name, threads, tuple(constants.items()), *tensors)

    def _variant(self, constants: dict) -> tuple:
        """The rule with those constants, and what is not among its constants."""
        key = tuple([(name, type(value), value) for name, value in constants.items()])
        try:
            variant = self._variants.get(key)
        except TypeError:
            return self, constants  # what cannot be hashed
        if variant is None:
            if not all(
                any(p.name == name and not p.annotation for p in self.parameters) for name in constants
            ):
                return self, constants
            parameters = [
                Parameter(p.name, p.annotation, constants.get(p.name, p.default), p.added)
                for p in self.parameters
            ]
            variant = self._variants[key] = Rule(self.function, parameters)
            variant._compiled, variant._traced, variant._last = self._compiled, self._traced, self._last
        return variant, {}

    def _ragged_call(self, arguments: tuple, named: dict, sequences) -> tuple:
        """The rule, arguments and names of a call with a table of sequences."""
        ragged = self.ragged
        if ragged is self:
            if self.table in named:
                raise error(
                    f"rule {self.__name__} got its table of sequences twice, as sequences and as {self.table}"
                )
            return self, arguments, {**named, self.table: sequences}
        if self._operands_first and len(arguments) == len(self._operands):
            return ragged, (*arguments, sequences), named
        tensors, constants = binding.ordered(self.__name__, self.parameters, arguments, named)
        return ragged, (), {**dict(zip(self._operands, tensors)), **constants, ragged.table: sequences}

    def _remember(self, arguments: tuple, kernel: Kernel) -> None:
        """Such tensors find the kernel at once the next time."""
        library, device = libraries.library_of(arguments[0]), libraries.device_of(arguments[0])
        types = [libraries.type_in(library, dtype) for _, dtype, _ in kernel.results]
        self._dispatch.add(
            arguments,
            kernel._native,
            library.empty_like,
            lambda shape, dtype: libraries.model_of(library, shape, dtype, device),
            types,
        )

    def specialised(self, tensors: list, constants: dict) -> tuple:
        sizes, dtypes = binding.bind(self.__name__, self.parameters, tensors)
        return sizes, dtypes, constants

    def traced(self, sizes: dict, dtypes: dict, constants: dict, carry: bool = False) -> Traced:
        key = self._key(sizes, dtypes, constants, carry)
        if key not in self._traced:
            self._traced[key] = trace(self.function, self.parameters, sizes, dtypes, constants, carry)
        return self._traced[key]

    def compiled(
        self, sizes: dict, dtypes: dict, constants: dict, carry: bool = False, target: str = "cpu"
    ) -> Kernel:
        key = (*self._key(sizes, dtypes, constants, carry), target)
        if key not in self._compiled:
            traced = self.traced(sizes, dtypes, constants, carry)
            self._compiled[key] = compile(traced.located, function=traced.function, target=target)
        if not carry:
            self._last[:] = sizes, dtypes, constants
        return self._compiled[key]

    def _key(self, sizes, dtypes, constants, carry) -> tuple:
        try:
            of_constants = tuple([(name, type(value), value) for name, value in constants.items()])
            key = (tuple(sizes.items()), tuple(dtypes.values()), of_constants, carry)
            hash(key)
        except TypeError:
            raise error(
                f"rule {self.__name__}: expected constants that can be hashed, got {constants}"
            ) from None
        return key

    # What is asked about: of tensors, of sizes, or of the last call.

    def _asked(self, arguments: tuple, named: dict, dtype: str, what: str) -> tuple:
        letters = self.letters()
        if arguments or any(name not in letters for name in named):
            return self.specialised(*binding.ordered(self.__name__, self.parameters, arguments, named))
        if named or not self._last:
            if missing := [letter for letter in letters if letter not in named]:
                wanted = ", ".join(f"{letter}=..." for letter in letters)
                raise error(f"{what} of rule {self.__name__}: expected tensors, all sizes ({wanted}), or a call before it; "
                            f"got no {', '.join(missing)}")  # fmt: skip
            return self.sized(named, dtype)
        return tuple(self._last)

    def letters(self) -> list[str]:
        """The sizes that the annotations name, in their order."""
        axes = [axis for p in self.parameters if p.annotation for axis in p.annotation.axes]
        return list(dict.fromkeys(axis for axis in axes if isinstance(axis, str)))

    def sized(self, sizes: dict, dtype: str) -> tuple:
        """Sizes by letter, and the element types where tokens with heads have that type."""
        dtypes = {}
        for p in self.parameters:
            if p.annotation:
                least = {"tokens": 1, "tail": 2}.get(p.annotation.kind, 9)
                wide = len(p.annotation.axes) >= least and dtype in p.annotation.dtypes
                dtypes[p.name] = dtype if wide else p.annotation.dtypes[0]
        constants = {p.name: p.default for p in self.parameters if not p.annotation}
        return {letter: sizes[letter] for letter in self.letters()}, dtypes, constants

    def text(self, *arguments, dtype: str = "f32", **named) -> str:
        """The pattern of these tensors or sizes (`rule.text(H=4, K=64)`), or of the last call."""
        return self.traced(*self._asked(arguments, named, dtype, "text")).text

    def kernel(self, *arguments, dtype: str = "f32", target: str = "cpu", **named) -> Kernel:
        """The compiled pattern of these tensors or sizes, or of the last call, for a target of linmu.compile."""
        return self.compiled(*self._asked(arguments, named, dtype, "kernel"), target=target)

    def explain(
        self, *arguments, dtype: str = "f32", target: str = "cpu", json: bool = False, **named
    ) -> str:
        """What the compiler makes of it: for each scan its normal form and algorithm, or the line of this file
        that makes it run one token at a time, and why."""
        traced = self.traced(*self._asked(arguments, named, dtype, "explain"))
        return explain(traced.located, function=traced.function, target=target, json=json)

    @property
    def ragged(self) -> "Rule":
        """This rule of ragged batches: with one more operand, `sequences`, where it has none annotated Sequences."""
        if self._ragged is None:
            if self.table is not None:
                self._ragged = self
            elif any(p.name == "sequences" for p in self.parameters):
                raise error(f"rule {self.__name__}: expected its parameter 'sequences' to be annotated Sequences, or to "
                            "have another name", self.place)  # fmt: skip
            else:
                last = max(index for index, p in enumerate(self.parameters) if p.annotation) + 1
                added = Parameter("sequences", Sequences, added=True)
                self._ragged = Rule(self.function, [*self.parameters[:last], added, *self.parameters[last:]])
        return self._ragged

    @property
    def table(self) -> str | None:
        """The name of the operand annotated Sequences."""
        return next(
            (p.name for p in self.parameters if p.annotation and p.annotation.kind == "sequences"), None
        )

    def check(self, tokens: int = 100, batch: int = 2, dtype: str = "f32", seed: int = 0, tolerance=None,
              target: str = "cpu", **given):  # fmt: skip
        """Compares forward and decode (in parts of 1 to 8 tokens) with the definition in fp64, on random data.

        `given` sets sizes (`H=4`) and operands (arrays, or functions of the random array, `k=unit`); other sizes
        are 2 for heads and 16 for features. An error is the largest difference relative to the number or, where
        that is small, to the root mean square of the result; `tolerance` replaces its bound. `target` is one of
        linmu.compile, "emulate" say. Of `rule.ragged`, `batch` sequences are in `tokens` tokens. Returns a table, true
        where all comparisons hold.
        """
        from linmu.rules.check import check, require_numbers

        require_numbers(tokens=tokens, batch=batch)
        return check(self, tokens, batch, dtype, seed, tolerance, target, given)

    def bench(self, tokens=(1, 256, 4096), batch: int = 1, dtype: str = "f32", threads: int = 0, seconds: float = 0.5,
              target: str = "cpu", **given):  # fmt: skip
        """The fastest of the calls that fit into some seconds, for each number of tokens, on random data; `given` and
        `target` as for `check`. Returns a table with `rows`."""
        from linmu.rules.bench import bench

        tokens = (tokens,) if isinstance(tokens, int) else tokens
        return bench(self, tokens, batch, dtype, threads, seconds, target, given)

    def parameter(self, name: str) -> Parameter:
        return next(p for p in self.parameters if p.name == name)

    def decode(self, target: str | None = None, **given):
        """A Decoder: a walk that is extended by some tokens a call. `given` are the parameters, constants and, where
        they do not start at zero, states and tails."""
        from linmu.rules.decode import Decoder

        return Decoder(self, given, target)

    def __repr__(self) -> str:
        operands = ", ".join(f"{p.name}: {p.annotation!r}" for p in self.parameters if p.annotation)
        return f"<rule {self.__name__}({operands})>"


def pattern(function) -> Rule:
    """Makes a rule of a function of annotated tensors; see docs/rules.md."""
    if not hasattr(function, "__code__"):
        raise TypeError(f"@linmu.pattern: expected a function, got {type(function).__name__}")
    return Rule(function)
