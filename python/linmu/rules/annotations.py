"""What the operands of a rule are: annotations of its function's parameters, and states that start at zero.

Axes are letters, which stand for a size that the tensors of a call give, or numbers.
"""

__all__ = [
    "Annotation",
    "Index",
    "Mask",
    "Media",
    "Param",
    "Sequences",
    "State",
    "Tail",
    "Tokens",
    "Zeros",
    "zeros",
]

FLOATS = ("f32", "bf16", "f16")


class Annotation:
    """`kind` is the part that the operand plays, `axes` what follows its axes of unknown extent, `open_axes`
    the names of those; `dtypes` the element types that it may have."""

    __slots__ = ("axes", "dtypes", "kind", "open_axes")

    def __init__(self, kind: str, open_axes: tuple, axes: tuple, dtypes: tuple):
        self.kind, self.open_axes, self.axes, self.dtypes = kind, open_axes, axes, dtypes

    def __repr__(self) -> str:
        name = {"tokens": "Tokens", "param": "Param", "state": "State", "tail": "Tail", "media": "Media"}
        inner = ", ".join(f'"{axis}"' if isinstance(axis, str) else str(axis) for axis in self.axes)
        if self.dtypes == ("i32",):
            return {"media": "Media", "sequences": "Sequences"}.get(self.kind, "Index")
        if self.dtypes == ("i1",):
            return "Mask"
        return f"{name[self.kind]}[{inner}]" if inner else name[self.kind]

    def form(self, sizes: dict) -> str:
        """The shape for messages, "[batch, tokens, H, K = 16]", with the sizes that are known."""
        entries = [*self.open_axes]
        for axis in self.axes:
            known = isinstance(axis, str) and axis in sizes
            entries.append(f"{axis} = {sizes[axis]}" if known else str(axis))
        return f"[{', '.join(entries)}]"


class _Kind:
    """Makes an annotation of what stands in its brackets, or of nothing: `Tokens["H", "K"]`, `Tokens`."""

    def __init__(self, name, kind, open_axes, ranks, dtypes):
        self._name, self._kind, self._open_axes = name, kind, open_axes
        self._ranks, self._dtypes = ranks, dtypes

    def __getitem__(self, axes) -> Annotation:
        axes = axes if isinstance(axes, tuple) else (axes,)
        for axis in axes:
            letter = isinstance(axis, str) and axis.isidentifier()
            number = isinstance(axis, int) and not isinstance(axis, bool) and axis > 0
            if not letter and not number:
                raise TypeError(f"{self._name}[...]: expected letters and positive numbers, got {axis!r}")
        if len(axes) not in self._ranks:
            raise TypeError(
                f"{self._name}[...]: expected {self._ranks[0]} to {self._ranks[-1]} axes, got {len(axes)}; "
                f"{self._usage()}"
            )
        # Of tokens without heads: a tail of segment ids first of all.
        dtypes = ("i32", *FLOATS) if self._kind == "tail" and len(axes) == 1 else self._dtypes
        return Annotation(self._kind, self._open_axes, axes, dtypes)

    def bare(self) -> Annotation:
        """Without brackets."""
        if 0 not in self._ranks:
            raise TypeError(f"{self._name} requires its axes; {self._usage()}")
        return Annotation(self._kind, self._open_axes, (), self._dtypes)

    def _usage(self) -> str:
        return {
            "Tokens": 'write Tokens["H", "K"] for a vector, Tokens["H"] for a number per token and head',
            "Param": 'write Param["H", "K", "V"], Param["H", "K"] or Param["H"], with 1 for "H" where all heads '
            "share it",
            "State": 'write State["H", "K", "V"], State["H", "K"] or State["H"]',
            "Tail": 'write Tail[1, "H", "K"]: the tokens before the first (1 to 3), then the axes of the tokens',
        }[self._name]

    def __repr__(self) -> str:
        return self._name


Tokens = _Kind("Tokens", "tokens", ("batch", "tokens"), (0, 1, 2), (*FLOATS, "i32", "i1"))
Param = _Kind("Param", "param", (), (1, 2, 3), FLOATS)
State = _Kind("State", "state", ("batch",), (1, 2, 3), ("f32",))
Tail = _Kind("Tail", "tail", ("batch",), (1, 2, 3), FLOATS)
Index = Annotation("tokens", ("batch", "tokens"), (), ("i32",))
Mask = Annotation("tokens", ("batch", "tokens"), (), ("i1",))
Media = Annotation("media", ("items",), (4,), ("i32",))
Sequences = Annotation("sequences", ("sequences + 1",), (), ("i32",))


class Zeros:
    """A state that starts at zero."""

    __slots__ = ("axes",)

    def __init__(self, axes: tuple):
        self.axes = axes


def zeros(*axes) -> Zeros:
    """The start of a state: `zeros("H", "K", "V")` is a matrix for each head, `zeros("H")` a number."""
    return Zeros(State[axes].axes)


def annotation_of(given, scope: dict) -> Annotation | None:
    """What an entry of `__annotations__` says; None where it says nothing of operands."""
    if isinstance(given, str):  # from __future__ import annotations
        given = eval(given, scope)
    if isinstance(given, _Kind):
        return given.bare()
    return given if isinstance(given, Annotation) else None
