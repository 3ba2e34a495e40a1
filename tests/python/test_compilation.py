"""One kernel for every length, compiled once and then taken from the disk; decoding costs the same at any length."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import linmu
from recurrence_oracles import RECURRENCES
from recurrence_support import path_of
from test_edits import DECAYED, loop

LENGTHS = (1, 63, 65, 1000, 65537)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LINMU_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def in_a_fresh_process(program, cache) -> str:
    environment = dict(os.environ, LINMU_CACHE_DIR=str(cache))
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


COMPILE = """
import time, linmu
start = time.perf_counter()
linmu.compile({path!r})
seconds = time.perf_counter() - start
counts = linmu.statistics()
print(counts["compiled"], counts["disk_hits"], counts["memory_hits"], seconds)
"""


def test_one_compilation_serves_every_length(cache):
    # Long enough to show that no length is compiled for, with small heads to keep the loop short.
    text = DECAYED.replace("x2x16x16", "x2x4x4").replace("16x16", "4x4").replace("x16xf32", "x4xf32")
    text = text.replace("<16xf32", "<4xf32")
    before = linmu.statistics()
    kernel = linmu.compile(text, cache=False)
    random = np.random.default_rng(2)
    q, k, v = (random.standard_normal((1, max(LENGTHS), 2, 4)).astype(np.float32) for _ in range(3))
    g = random.standard_normal((1, max(LENGTHS), 2)).astype(np.float32) + 4
    state = random.standard_normal((1, 2, 4, 4)).astype(np.float32)
    expected, _ = loop(q, k, v, g, state)
    for tokens in LENGTHS:
        output, _ = kernel(q[:, :tokens], k[:, :tokens], v[:, :tokens], g[:, :tokens], state)
        assert np.abs(output - expected[:, :tokens]).max() < 2e-5 * np.sqrt(np.mean(expected**2)), tokens
    assert linmu.statistics()["compiled"] - before["compiled"] == 1


@pytest.mark.alone
def test_a_fresh_process_takes_a_kernel_from_the_disk(cache):
    program = COMPILE.format(path=str(path_of("gated_deltanet")))
    compiled, disk, memory, seconds = in_a_fresh_process(program, cache).split()
    assert (compiled, disk, memory) == ("1", "0", "0")
    # 0.15 s on an idle machine; five times the promised 0.6 s, since tests share two cores with others.
    assert float(seconds) < 3
    best = 1.0
    for _ in range(50):
        compiled, disk, memory, seconds = in_a_fresh_process(program, cache).split()
        assert (compiled, disk, memory) == ("0", "1", "0")
        best = min(best, float(seconds))
        if best < 5e-3:
            break
    # The promise is 5 ms on an idle machine; the best of several rounds holds it on a busy one too.
    assert best < 5e-3


@pytest.mark.alone
@pytest.mark.parametrize("name", ["gated_deltanet", "gla", "mamba2", "slstm"])
def test_a_step_costs_the_same_after_1k_and_64k_tokens(name):
    kernel = linmu.compile(path_of(name))
    random = np.random.default_rng(4)

    def inputs(tokens):
        return {
            key: random.random([{"B": 1, "N": tokens}.get(e, e) for e in shape], dtype=np.float32)
            for key, _, shape in kernel.inputs
        }

    def after(tokens):
        # States and tails are the results behind the output, and the inputs of the same order.
        given = inputs(tokens)
        _, *states = kernel(**given)
        carried = [f"{state}0" for state in RECURRENCES[name].states]
        step = {key: value for key, value in inputs(1).items() if key not in carried}
        return step | dict(zip(carried, states, strict=True))

    short, long = after(1024), after(65536)
    for key in short:
        assert short[key].nbytes == long[key].nbytes and short[key].shape == long[key].shape

    def round_of(step):
        start = time.perf_counter()
        for _ in range(200):
            kernel(**step)
        return time.perf_counter() - start

    # Minima of alternating rounds differ by a few percent, after more rounds the busier the machine is; a step
    # that grew with the length would take 64 times as long in every one.
    first = second = float("inf")
    for count in range(1000):
        first, second = min(first, round_of(short)), min(second, round_of(long))
        if count >= 15 and 0.75 < second / first < 1.33:
            break
    assert 0.75 < second / first < 1.33


def test_a_cache_without_a_folder_says_what_to_set():
    environment = {key: value for key, value in os.environ.items() if key not in ("HOME", "LINMU_CACHE_DIR")}
    program = f"import linmu; linmu.compile({str(path_of('deltanet'))!r})"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [
        "OSError: the kernel cache has no folder: neither LINMU_CACHE_DIR nor HOME is set",
        "set LINMU_CACHE_DIR to a folder of your own, or LINMU_DISK_CACHE=0",
    ]


def test_the_cache_folder_holds_what_was_compiled(cache):
    in_a_fresh_process(COMPILE.format(path=str(path_of("deltanet"))), cache)
    assert any(path.is_file() and path.stat().st_size > 1000 for path in Path(cache).rglob("*"))
