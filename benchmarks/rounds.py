"""Times of calls that take turns."""

import statistics
import time


def measure(functions: dict, repeats: int, clock=time.perf_counter) -> dict:
    """Milliseconds of `repeats` calls of each, after one that warms up.

    The calls take turns, so that a machine that slows down does so for all that are compared.
    """
    times = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(repeats):
        for name, function in functions.items():
            start = clock()
            function()
            times[name].append((clock() - start) * 1e3)
    return times


def ratio(times: dict, name: str, base: str) -> float:
    """The median over the rounds: minima may come from rounds in which the machine was not the same."""
    return statistics.median(a / b for a, b in zip(times[name], times[base], strict=True))
