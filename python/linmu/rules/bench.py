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


def _fastest(call, seconds: float, wait) -> float:
    """The fastest of as many calls as fit into that time, three at least; `wait` waits for the device."""
    call()
    wait()
    best, end, count = float("inf"), time.perf_counter() + seconds, 0
    while count < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        wait()
        best, count = min(best, time.perf_counter() - start), count + 1
    return best


def _waiter(target: str):
    if not target.startswith("cuda"):
        return lambda: None
    import torch

    return torch.cuda.synchronize


def bench(
    rule, tokens, batch: int, dtype: str, threads: int, seconds: float, target: str, given: dict
) -> Bench:
    """See Rule.bench."""
    sizes, operands_given = host.split(rule, given)
    sizes, dtypes, constants = rule.sized(sizes, dtype)
    kernel, wait = rule.compiled(sizes, dtypes, constants, target=target), _waiter(target)
    rows = []
    for count in tokens:
        operands = host.random_operands(rule, sizes, dtypes, batch, count, 0, operands_given)
        operands = host.placed(operands, target)
        call = rule if target in ("cpu", "cuda") else kernel  # a rule finds these two by its tensors
        seconds_of_call = _fastest(lambda o=operands, f=call: f(*o, threads=threads), seconds, wait)
        rows.append(Row(count, kernel.algorithm(count, batch), seconds_of_call))
    shown = ", ".join(f"{letter} = {size}" for letter, size in sizes.items())
    return Bench(rule.__name__, f"batch {batch}, {shown}, {dtype}", rows)
