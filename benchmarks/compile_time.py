"""How long a first call waits: compiling a program, and taking it from the disk in a fresh process."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from patterns import gated, scan, window

PROGRAM = """
import sys, time, linmu
text = sys.stdin.read()
start = time.perf_counter()
linmu.compile(text)
seconds = time.perf_counter() - start
counts = linmu.statistics()
print(seconds, counts["compiled"], counts["disk_hits"])
"""

CASES = {
    "scalar decay, 64": scan(9, 64),
    "row-wise decay, 64": scan(9, 64, decay="row"),
    "gated delta rule, 64": scan(9, 64, feedback=True),
    "gated delta rule, 128": scan(9, 128, feedback=True),
    "gated delta rule, 256": scan(9, 256, feedback=True),
    "norms and gate around a scan": gated(9, 64),
    "shifted windows": window(9, 64),
}


def in_a_fresh_process(text: str, cache: str, compiled: bool) -> float:
    """Milliseconds of the one compile() of a process, which must have compiled or else found it on the disk."""
    environment = dict(os.environ, LINMU_CACHE_DIR=cache)
    command = [sys.executable, "-c", PROGRAM]
    output = subprocess.run(
        command, input=text, env=environment, capture_output=True, text=True, check=True
    ).stdout
    seconds, *counts = output.split()
    if counts != (["1", "0"] if compiled else ["0", "1"]):
        raise SystemExit(f"expected one {'compilation' if compiled else 'disk hit'}, got {counts}")
    return float(seconds) * 1e3


def report(repeats: int) -> None:
    """Minima of fresh processes, each first compile with an empty cache. Variants for all lengths included."""
    for name, text in CASES.items():
        first, again = [], []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as folder:
                cache = str(Path(folder) / "cache")
                first.append(in_a_fresh_process(text, cache, compiled=True))
                again.append(in_a_fresh_process(text, cache, compiled=False))
        print(f"compile {name:28s} {min(first):6.0f} ms   from disk {min(again):.1f} ms")
