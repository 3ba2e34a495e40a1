"""Two builds side by side: `./dev bench --against FOLDER`, the median ratio of their times over interleaved rounds.

FOLDER holds another build: `lib/liblinmu_compiler.so`, and `python/` with `_linmu*.so` and `linmu`. Each build runs in a
process of its own, and the two take turns a call at a time, so that a busy machine slows both.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Build:
    """A process that runs the kernels of one build on request."""

    def __init__(self, python: list[Path], library: Path):
        environment = {
            **os.environ,
            "PYTHONPATH": ":".join(map(str, [*python, ROOT / "benchmarks"])),
            "LD_LIBRARY_PATH": str(library),
        }
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.names = self._receive()

    def time(self, name: str) -> float:
        """Milliseconds of one call."""
        print(name, file=self._process.stdin, flush=True)
        return self._receive()

    def _receive(self):
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a build ended early; its message is above")
        return json.loads(line)


def serve() -> None:
    import time

    import kernels

    calls = kernels.calls()
    print(json.dumps(list(calls)), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        calls[line.strip()]()
        print(json.dumps((time.perf_counter() - start) * 1e3), flush=True)


def report(other: Path, rounds: int) -> None:
    old = Build([other / "python"], other / "lib")
    new = Build([ROOT / "python", ROOT / "build/python"], ROOT / "build/lib")
    for name in new.names:
        if name not in old.names:
            print(f"{name:30s} is not in {other}")
            continue
        times = {"old": [], "new": []}
        for number in range(rounds + 1):
            order = [("old", old), ("new", new)]
            for key, build in order if number % 2 else reversed(order):
                times[key].append(build.time(name))
        ratios = [a / b for a, b in zip(times["new"][1:], times["old"][1:], strict=True)]
        print(
            f"{name:30s} {min(times['old']):8.2f} -> {min(times['new']):8.2f} ms   {statistics.median(ratios):.3f}",
            flush=True,
        )


if __name__ == "__main__":
    serve()
