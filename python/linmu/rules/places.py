"""Where in the user's Python file something stands, and errors that say so."""

import os
import sys

from _linmu import PatternError

__all__ = ["Place", "error", "here"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Place:
    """A line and column, both from 1, of a file."""

    __slots__ = ("column", "file", "line")

    def __init__(self, file: str, line: int, column: int = 1):
        self.file, self.line, self.column = file, line, column

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def location(self) -> str:
        """As the text of a pattern names it: `loc("rule.py":3:9)`."""
        file = self.file.replace("\\", "\\\\").replace('"', '\\"')
        return f'loc("{file}":{self.line}:{self.column})'


def here() -> Place:
    """The innermost expression outside this package that is being evaluated."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return _place_in(frame.f_code, frame.f_lasti, frame.f_lineno)


def of_function(function) -> Place:
    code = function.__code__
    return Place(code.co_filename, code.co_firstlineno)


_columns: dict = {}  # of code objects that are traced, which live as long as their functions


def _place_in(code, offset: int, line: int) -> Place:
    positions = _columns.get(code)
    if positions is None:
        positions = _columns[code] = list(code.co_positions())
    start, _, column, _ = positions[offset // 2]
    if start is None or column is None:
        return Place(code.co_filename, line)
    return Place(code.co_filename, start, column + 1)


def error(message: str, place: Place | None = None) -> PatternError:
    """To be raised: what is wrong, at that place or at the user's expression that is being evaluated."""
    return PatternError(f"{place or here()}: error: {message}")
