"""Compiling patterns and calling them on torch tensors or numpy arrays, without copies."""

import operator
import os

import _linmu
from _linmu import PatternError, statistics

__all__ = ["Kernel", "PatternError", "compile", "explain", "statistics"]


class Kernel:
    """A compiled pattern. Call it with its inputs in order or by name; it returns its results.

    `out` may give the results' tensors, which then are written in place; otherwise they are new tensors of
    the kind of the first input. One result is returned as it is, several as a tuple. `threads` limits the
    threads of one call.
    """

    def __init__(self, native):
        self._native = native

    @property
    def name(self) -> str:
        return self._native.name

    @property
    def key(self) -> str:
        """The cache key: equal keys mean equal machine code."""
        return self._native.key

    @property
    def code(self) -> bytes:
        """The machine code."""
        return self._native.code

    @property
    def inputs(self) -> list[tuple]:
        """Each input's (name, dtype, shape); "B", "N" and "M" stand for batch, tokens and media items."""
        return self._native.inputs

    @property
    def results(self) -> list[tuple]:
        return self._native.results

    def algorithm(self, tokens: int, batch: int = 1) -> str:
        """How a call with that many tokens runs, e.g. "chunked(chunk=16)"."""
        return self._native.algorithm(tokens, batch)

    def __call__(self, *arguments, out=None, threads: int = 0, **named):
        inputs = self._bind(arguments, named)
        if out is None:
            out = self._maker(inputs)
        elif hasattr(out, "__dlpack__"):
            out = [out]
        elif not isinstance(out, (list, tuple)):
            raise TypeError(
                f"out of pattern '{self.name}': expected a tensor or a list of them, got {type(out).__name__}"
            )
        results = self._native.launch(inputs, out, _thread_count(threads))
        return results[0] if len(results) == 1 else tuple(results)

    def _bind(self, arguments, named) -> list:
        names = [name for name, _, _ in self.inputs]
        if len(arguments) > len(names):
            raise TypeError(f"pattern '{self.name}' takes {len(names)} inputs, got {len(arguments)}")
        given = dict(zip(names, arguments))
        for name, tensor in named.items():
            if name not in names:
                raise TypeError(f"pattern '{self.name}' has no input '{name}'; it has {', '.join(names)}")
            if name in given:
                raise TypeError(f"pattern '{self.name}' got input '{name}' twice")
            given[name] = tensor
        missing = [name for name in names if name not in given]
        if missing:
            raise TypeError(f"pattern '{self.name}' lacks input {', '.join(missing)}")
        return [given[name] for name in names]

    def _maker(self, inputs):
        """A function of (shape, dtype) that makes tensors of the kind of the first input."""
        extents = {extent for _, _, shape in self.inputs for extent in shape}
        for name, _, shape in self.results:
            if unknown := [extent for extent in shape if isinstance(extent, str) and extent not in extents]:
                raise TypeError(
                    f"result '{name}' of pattern '{self.name}': expected out= to give it, since no input "
                    f"has its extent {unknown[0]}, got None"
                )
        return _torch_maker() if type(inputs[0]).__module__.split(".")[0] == "torch" else _numpy_maker()


def _thread_count(threads) -> int:
    try:
        count = operator.index(threads)
    except TypeError:
        raise TypeError(f"threads: expected an integer, got {type(threads).__name__}") from None
    # What does not fit the native integer is as wrong as what is merely too much.
    return max(-1, min(count, 1 << 30))


def _torch_maker():
    import torch

    types = {
        "f32": torch.float32,
        "bf16": torch.bfloat16,
        "f16": torch.float16,
        "i32": torch.int32,
        "i1": torch.bool,
    }
    return lambda shape, dtype: torch.empty(shape, dtype=types[dtype])


def _numpy_maker():
    import numpy

    types = {"f32": numpy.float32, "f16": numpy.float16, "i32": numpy.int32, "i1": numpy.bool_}

    def make(shape, dtype):
        if dtype not in types:
            raise TypeError(f"numpy has no elements of type {dtype}; call with torch tensors or give out=")
        return numpy.empty(shape, dtype=types[dtype])

    return make


def _source(text_or_path) -> tuple[str, str]:
    """Text as it is, or the text of a file; a string without a line break is a path."""
    text = os.fspath(text_or_path)
    if "\n" in text:
        return text, "<pattern>"
    with open(text, "rb") as file:
        content = file.read()
    try:
        return content.decode("utf-8"), text
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{text}: expected a pattern's text in UTF-8, got byte 0x{content[error.start]:02x} at {error.start}"
        ) from None


def compile(text_or_path, function: str = "", aliases=None, schedule=None, cache: bool = True) -> Kernel:
    """Compiles a pattern from its text or its file for this machine, or takes it from the cache.

    `function` chooses among several in the text. `aliases` replaces definitions of type aliases,
    {"query": "tensor<?x?x28x128xbf16>"}, and of attribute aliases, {"#window": "array<i64: 8, 8, 8>"};
    `schedule` overrides choices, {"chunk": 64}. Raises PatternError, a ValueError whose text carries file, line
    and column.
    """
    source, filename = _source(text_or_path)
    options = {key: str(value) for key, value in (schedule or {}).items()}
    return Kernel(_linmu.compile(source, filename, function, dict(aliases or {}), options, cache))


def explain(text_or_path, function: str = "", aliases=None, schedule=None, json: bool = False) -> str:
    """What the compiler makes of a pattern: each scan's normal form, or what makes it opaque, and where."""
    source, filename = _source(text_or_path)
    options = {key: str(value) for key, value in (schedule or {}).items()}
    return _linmu.explain(source, filename, function, dict(aliases or {}), options, json)
