"""Times of calls: on a GPU by replaying a graph of them, elsewhere by the clock of the host."""

import statistics
import time
from collections.abc import Callable, Sequence

import torch


class Timed:
    """Calls that do the same work on different operands, run once to warm up; a sample is all of them."""

    def __init__(self, calls: Sequence[Callable], device: str):
        self.count, self.how = len(calls), "host"
        self._once = lambda: [call() for call in calls]
        self._keep = self._once()
        if device == "cuda":
            self._once, self.how = self._captured(calls)

    def _captured(self, calls):
        """A graph; where a call cannot be captured, the calls themselves."""
        torch.cuda.synchronize()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for call in calls:
                call()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self._keep = [call() for call in calls]
        except RuntimeError as refused:
            torch.cuda.synchronize()
            print(f"  (not captured: {str(refused).splitlines()[0][:120]})", flush=True)
            return self._once, "eager"
        return graph.replay, "graph"

    def sample(self) -> float:
        """Microseconds of one call."""
        if self.how == "host":
            start = time.perf_counter()
            self._once()
            return (time.perf_counter() - start) * 1e6 / self.count
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        self._once()
        begin.record()
        self._once()
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end) * 1e3 / self.count


def medians(timed: dict[str, Timed], rounds: int) -> dict[str, float]:
    """They take turns, so that a machine that slows down does so for all."""
    samples = {name: [] for name in timed}
    for _ in range(rounds):
        for name, each in timed.items():
            samples[name].append(each.sample())
    return {name: statistics.median(values) for name, values in samples.items()}


def ceilings(device: str) -> dict[str, float]:
    """Of this machine, measured: bytes a second of a copy (read and written), operations a second of a bf16 product."""
    large = device == "cuda"
    source = torch.randn(2**31 if large else 2**22, device=device, dtype=torch.bfloat16)
    target = torch.empty_like(source)
    size = 8192 if large else 256
    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    timed = {
        "copy": Timed([lambda: target.copy_(source)], device),
        "product": Timed([lambda: torch.matmul(a, b)], device),
    }
    microseconds = medians(timed, 10)
    return {
        "bytes": 2 * source.numel() * source.element_size() / microseconds["copy"] * 1e6,
        "operations": 2 * size**3 / microseconds["product"] * 1e6,
    }
