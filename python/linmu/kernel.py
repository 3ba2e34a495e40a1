"""Compiling patterns and calling them on torch tensors or numpy arrays, without copies."""

import functools
import json
import operator
import os
import sys

import _linmu
from _linmu import PatternError, statistics

from linmu.files import display, read_bytes

__all__ = ["Kernel", "PatternError", "compile", "explain", "load", "statistics"]


class Kernel:
    """A compiled pattern. Call it with its inputs in order or by name; it returns its results.

    `out` may give the results' tensors, which then are written in place; otherwise they are new tensors of
    the kind of the first input, on its device. One result is returned as it is, several as a tuple. `threads`
    limits the threads of one call on the CPU.

    A kernel compiled for CUDA takes tensors on a CUDA device, and enqueues its work on `stream`, by default
    torch's current one (for tensors of other libraries the legacy default one). The call does not wait for the
    device, and may be captured into a graph.

    Where torch records gradients and a tensor requires one, the call is an operator of torch's, `linmu::run`: backward
    runs the derived gradient. So it is under torch.compile.
    """

    def __init__(self, native, program=None, wrt=(), of=()):
        self._native = native
        # What `linmu::run` finds the kernel by: the arguments of _compile() as text, None for a package; of a gradient
        # the names of its inputs and results.
        self._program, self._wrt, self._of = program, wrt, of
        # Asked for at every call.
        self._names = [name for name, _, _ in native.inputs]
        self._undecided = _undecided_result(native)

    @property
    def name(self) -> str:
        return self._native.name

    @property
    def key(self) -> str:
        """The cache key: equal keys mean equal machine code."""
        return self._native.key

    @property
    def code(self) -> bytes:
        """The machine code; for CUDA, of each architecture one cubin a kernel, one after the other."""
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

    @property
    def runs_on(self) -> str:
        """Where operands must lie: "cpu" or "cuda"."""
        return self._native.runs_on

    def check_table(self, operand: str, table, tokens: int) -> None:
        """Checks a token order or media table on the CPU for calls with that many tokens, as a call on the CPU does.

        A call on CUDA cannot look at the entries without waiting for the device: check a table once, where it is
        made. LINMU_CHECK_TABLES=1 checks them at every call.
        """
        self._native.check_table(operand, table, tokens)

    def gradient(self, wrt=(), of=()) -> "Kernel":
        """The kernel of the gradients: it takes the inputs and, for each result of `of`, its cotangent `d_RESULT`, and
        gives `d_INPUT` for each input of `wrt`. Where none are named these are all of floats. An input whose batch is 1
        gets a gradient for each sequence of the batch. Raises PatternError where a gradient cannot be derived."""
        if self._program is None:
            raise TypeError(
                f"pattern '{self.name}' comes from a package, which holds no gradient: compile it from its text"
            )
        if self._wrt:
            raise NotImplementedError(
                f"pattern '{self.name}' is a gradient: derivatives of the second order are not supported"
            )
        wrt, of = _names("wrt", wrt), _names("of", of)
        wrt = wrt or tuple(name for name, dtype, _ in self.inputs if dtype not in ("i32", "i1"))
        return _compile(self._program, wrt, of)

    def __call__(self, *arguments, out=None, threads: int = 0, stream=None, **named):
        inputs = self._bind(arguments, named)
        if out is None and self._program is not None and is_for_torch(inputs):
            return self._call_operator(inputs, threads, stream)
        return self._launch(inputs, out, threads, stream)

    def _call_operator(self, inputs, threads, stream):
        from linmu import torch_operator

        self._require_decided()
        if stream is not None:
            raise TypeError(
                f"stream of pattern '{self.name}': expected none where torch records or compiles the call, since it "
                "runs on torch's current stream; choose that by torch.cuda.stream()"
            )
        for name, tensor in zip(self._names, inputs):
            if not _is_torch_tensor(tensor):
                raise TypeError(
                    f"operand '{name}' of pattern '{self.name}': expected a torch tensor where another one requires a "
                    f"gradient, got {_type_name(tensor)}"
                )
        return torch_operator.call(self, inputs, _thread_count(threads))

    def _launch(self, inputs, out, threads, stream):
        if out is None:
            out = self._maker(inputs)
        elif hasattr(out, "__dlpack__") or hasattr(out, "__cuda_array_interface__"):
            out = [out]
        elif not isinstance(out, (list, tuple)):
            raise TypeError(
                f"out of pattern '{self.name}': expected a tensor or a list of them, got {type(out).__name__}"
            )
        results = self._native.launch(inputs, out, _thread_count(threads), stream_handle(stream, inputs))
        return results[0] if len(results) == 1 else tuple(results)

    def _bind(self, arguments, named) -> list:
        names = self._names
        if not named and len(arguments) == len(names):
            return list(arguments)
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

    def _require_decided(self):
        if self._undecided:
            name, extent = self._undecided
            raise TypeError(
                f"result '{name}' of pattern '{self.name}': expected out= to give it, since no input "
                f"has its extent {extent}, got None"
            )

    def _maker(self, inputs):
        """A function of (shape, dtype) that makes tensors of the kind of the first input."""
        self._require_decided()
        if inputs and _is_torch_tensor(inputs[0]):
            return _torch_maker(inputs[0].device)
        if self.runs_on == "cuda":
            raise TypeError(
                f"pattern '{self.name}': expected out= to give the results, or torch tensors as inputs, got "
                f"{_type_name(inputs[0]) if inputs else 'none'} without out="
            )
        return _numpy_maker()


def _undecided_result(native):
    """The first result, and its extent, that inputs do not decide, or None."""
    extents = {extent for _, _, shape in native.inputs for extent in shape}
    if "S+1" in extents:
        extents.add("S")
    for name, _, shape in native.results:
        for extent in shape:
            if isinstance(extent, str) and extent not in extents:
                return name, extent
    return None


def stream_handle(stream, inputs):
    """The handle of a CUDA stream of torch, of cupy, of the protocol __cuda_stream__, or an integer that is one."""
    if stream is None:
        # A torch without DLPack's table of functions does not tell its stream by itself.
        first = inputs[0] if inputs else None
        if getattr(first, "is_cuda", False) and not hasattr(type(first), "__dlpack_c_exchange_api__"):
            import torch

            return torch.cuda.current_stream(first.device).cuda_stream
        return None
    if isinstance(stream, int):
        return stream
    for attribute in ("cuda_stream", "ptr"):
        if isinstance(handle := getattr(stream, attribute, None), int):
            return handle
    if hasattr(stream, "__cuda_stream__"):
        return stream.__cuda_stream__()[1]
    raise TypeError(f"stream: expected a CUDA stream or its handle, got {type(stream).__name__}")


def _thread_count(threads) -> int:
    if threads == 0 and type(threads) is int:
        return 0
    try:
        count = operator.index(threads)
    except TypeError:
        raise TypeError(f"threads: expected an integer, got {type(threads).__name__}") from None
    # What does not fit the native integer is as wrong as what is merely too much.
    return max(-1, min(count, 1 << 30))


def _is_torch_tensor(value) -> bool:
    """Subclasses are tensors too. Who has one has imported torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_for_torch(inputs) -> bool:
    """Whether torch records or compiles the call."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    for x in inputs:
        if isinstance(x, torch.Tensor) and x.requires_grad:
            return True
    return torch.compiler.is_compiling() and all(isinstance(x, torch.Tensor) for x in inputs)


@functools.cache
def _torch_types() -> dict:
    import torch

    return {
        "f32": torch.float32,
        "bf16": torch.bfloat16,
        "f16": torch.float16,
        "i32": torch.int32,
        "i1": torch.bool,
    }


def _torch_maker(device):
    import torch

    types = _torch_types()
    return lambda shape, dtype: torch.empty(shape, dtype=types[dtype], device=device)


def _numpy_maker():
    import numpy

    types = {"f32": numpy.float32, "f16": numpy.float16, "i32": numpy.int32, "i1": numpy.bool_}

    def make(shape, dtype):
        if dtype not in types:
            raise TypeError(f"numpy has no elements of type {dtype}; call with torch tensors or give out=")
        return numpy.empty(shape, dtype=types[dtype])

    return make


def _type_name(value) -> str:
    return type(value).__name__


def _source(text_or_path) -> tuple[str, str]:
    """Text as it is, or the text of a file; a string without a line break is a path."""
    expected = "expected a pattern's text, or the path of its file, as str or os.PathLike"
    if isinstance(text_or_path, (bytes, bytearray, memoryview)):
        raise TypeError(f"text_or_path: {expected}, got {_type_name(text_or_path)}; decode it: text.decode()")
    try:
        text = os.fspath(text_or_path)
    except TypeError:
        raise TypeError(f"text_or_path: {expected}, got {_type_name(text_or_path)}") from None
    if not isinstance(text, str):
        raise TypeError(f"text_or_path: {expected}, got a path of {_type_name(text)}; see os.fsdecode()")
    if "\n" in text:
        return text, "<pattern>"
    if "func.func" in text and not os.path.exists(text):
        return text, "<pattern>"
    content = read_bytes(text)
    try:
        return content.decode("utf-8"), display(text)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{display(text)}: expected a pattern's text in UTF-8, got byte 0x{content[error.start]:02x} at {error.start}"
        ) from None


def _text(name: str, value) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a str, got {_type_name(value)}")
    return value


def _names(what: str, value) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else tuple(value)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f'{what}: expected names as str, such as ["q", "k"], got {name!r}')
    return names


def _pairs(name: str, value, example: str) -> dict:
    """A mapping from names, or None for none."""
    if value is None:
        return {}
    if not hasattr(value, "keys"):
        raise TypeError(f"{name}: expected a dict such as {example}, got {_type_name(value)}")
    for key in value.keys():
        if not isinstance(key, str):
            raise TypeError(f"{name}: expected names as str, such as {example}, got {key!r}")
    return dict(value)


def _aliases(value) -> dict[str, str]:
    example = '{"query": "tensor<?x?x8x64xbf16>"}'
    aliases = _pairs("aliases", value, example)
    for name, definition in aliases.items():
        if not isinstance(definition, str):
            raise TypeError(
                f"aliases: expected the text of a type or attribute for '{name}', such as {example}, "
                f"got {_type_name(definition)}"
            )
    return aliases


def _schedule(value) -> dict[str, str]:
    example = '{"chunk": 64}'
    schedule = _pairs("schedule", value, example)
    for name, choice in schedule.items():
        if isinstance(choice, bool) or not isinstance(choice, (str, int)):
            raise TypeError(
                f"schedule: expected an integer or a str for '{name}', such as {example}, "
                f"got {_type_name(choice)}"
            )
    return {name: str(choice) for name, choice in schedule.items()}


def _refuse_unknown(function: str, unknown: dict, known: str) -> None:
    if unknown:
        name, value = next(iter(unknown.items()))
        raise TypeError(
            f"{function}() takes no '{name}'; it takes {known}. Choices of the schedule are given as "
            f"schedule={{'{name}': {value!r}}}, types of the text as aliases={{'{name}': ...}}"
        )


def compile(
    text_or_path,
    function: str = "",
    aliases=None,
    schedule=None,
    target: str = "cpu",
    cache: bool = True,
    **unknown,
) -> Kernel:
    """Compiles a pattern from its text or its file for this machine, or takes it from the cache.

    `function` chooses among several in the text. `aliases` replaces definitions of type aliases,
    {"query": "tensor<?x?x28x128xbf16>"} or {"!query": ...}, and of attribute aliases, {"#window": "array<i64: 8, 8,
    8>"};
    `schedule` overrides choices, {"chunk": 64}. `target` is "cpu", "cuda" for this machine's GPUs, "cuda:sm_90a,sm_80"
    for architectures by name, or "emulate" to run CUDA's kernels on the CPU with every access checked. Raises PatternError, a ValueError whose text carries file, line
    and column. Other keywords are refused.
    """
    _refuse_unknown("compile", unknown, "text_or_path, function, aliases, schedule, target and cache")
    source, filename = _source(text_or_path)
    function, target = _text("function", function), _text("target", target)
    aliases, schedule = _aliases(aliases), _schedule(schedule)
    return _compile(json.dumps([source, filename, function, aliases, schedule, target, bool(cache)]))


def _compile(program: str, wrt: tuple = (), of: tuple = ()) -> Kernel:
    """The kernel of the arguments of compile(), or, with `wrt`, of its gradients."""
    gradient = (list(wrt), list(of)) if wrt else None
    return Kernel(_linmu.compile(*json.loads(program), gradient), program, wrt, of)


def load(path) -> Kernel:
    """Opens a kernel package that `linmuc --package` wrote: nothing is compiled. A package is machine code: open
    only those whose origin you trust. Raises ValueError for a file that is damaged or none."""
    return Kernel(_linmu.open_package(read_bytes(path), display(path)))


def explain(
    text_or_path,
    function: str = "",
    aliases=None,
    schedule=None,
    json: bool = False,
    target: str = "cpu",
    **unknown,
) -> str:
    """What the compiler makes of a pattern: each scan's normal form, or what makes it opaque, and where."""
    _refuse_unknown("explain", unknown, "text_or_path, function, aliases, schedule, json and target")
    source, filename = _source(text_or_path)
    function, target = _text("function", function), _text("target", target)
    aliases, schedule = _aliases(aliases), _schedule(schedule)
    return _linmu.explain(source, filename, function, aliases, schedule, target, bool(json))
