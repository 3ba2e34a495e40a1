"""rule.bench: the time of a call by the number of tokens."""

import time

from linmu.rules import host

__all__ = ["Bench", "bench"]


class Row:
    """A number of tokens, how it runs, and the seconds of the fastest call."""

    __slots__ = ("algorithm", "seconds", "tokens")

    def __init__(self, tokens, algorithm, seconds):
        self.tokens, self.algorithm, self.seconds = tokens, algorithm, seconds


class Bench:
    """The times of a rule, printed as a table."""

    def __init__(self, rule_name: str, header: str, rows: list[Row]):
        self.rule_name, self.header, self.rows = rule_name, header, rows

    def __str__(self) -> str:
        lines = [
            f"rule {self.rule_name}: {self.header}",
            f"{'tokens':>8}{'ms':>12}{'tokens / s':>14}  algorithm",
        ]
        for row in self.rows:
            lines.append(
                f"{row.tokens:8}{1e3 * row.seconds:12.3f}{row.tokens / row.seconds:14.0f}  {row.algorithm}"
            )
        return "\n".join(lines)

    __repr__ = __str__


def _fastest(call, seconds: float) -> float:
    """The fastest of as many calls as fit into that time, three at least."""
    call()
    best, end, count = float("inf"), time.perf_counter() + seconds, 0
    while count < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best, count = min(best, time.perf_counter() - start), count + 1
    return best


def bench(rule, tokens, batch: int, dtype: str, threads: int, seconds: float, given: dict) -> Bench:
    """See Rule.bench."""
    sizes, dtypes, constants = rule.sized(host.sizes_of(rule, given), dtype)
    kernel = rule.compiled(sizes, dtypes, constants)
    rows = []
    for count in tokens:
        operands = host.random_operands(rule, sizes, dtypes, batch, count, 0, {})
        rows.append(
            Row(
                count,
                kernel.algorithm(count, batch),
                _fastest(lambda o=operands: rule(*o, threads=threads), seconds),
            )
        )
    shown = ", ".join(f"{letter} = {size}" for letter, size in sizes.items())
    return Bench(rule.__name__, f"batch {batch}, {shown}, {dtype}", rows)
