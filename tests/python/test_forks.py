"""Children of a process that compiles: os.fork and multiprocessing's start method `fork`."""

import multiprocessing
import os
import signal
import threading
import time

import numpy as np
import pytest

import linmu
from test_edits import DECAYED, HALVED, assert_close, loop, operands

FORKS = 100 if os.environ.get("TEST_NIGHTLY") else 5
SECONDS = 60


def compile_number(number: int):
    """A kernel of its own: with another constant than the others."""
    return linmu.compile(HALVED.replace("0.5", f"{0.1 + number * 1e-6:.6f}"), cache=False)


def output_of(number: int) -> np.ndarray:
    return compile_number(number)(*operands())[0]


@pytest.fixture
def compiling():
    """The number of the text that a thread compiles right now, one after the other."""
    current = [0]
    ended = threading.Event()

    def work():
        while not ended.is_set():
            compile_number(current[0])
            current[0] += 1

    thread = threading.Thread(target=work)
    thread.start()
    while current[0] < 1:
        time.sleep(0.001)
    yield current
    ended.set()
    thread.join()


def status_of(child: int) -> str:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return f"status {status}"
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "it hung"


def test_a_child_forked_during_a_compilation_compiles_the_same_texts_and_others(compiling):
    for number in range(FORKS):
        child = os.fork()
        if child == 0:
            try:
                same = compiling[0]
                good = all(
                    np.isfinite(output_of(n)).all() for n in (same - 1, same, same + 1, 50000 + number)
                )
            except BaseException:
                os._exit(2)
            os._exit(0 if good else 1)
        assert status_of(child) == "status 0", number


def test_a_pool_of_forked_processes_compiles_and_launches(compiling):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        numbers = [60000, 60001, 60000, 60002]
        results = pool.map_async(output_of, numbers).get(SECONDS)
    for number, result in zip(numbers, results, strict=True):
        np.testing.assert_array_equal(result, output_of(number))


def test_a_child_launches_the_kernels_of_its_parent(compiling):
    kernel = linmu.compile(DECAYED)
    inputs = operands()
    reader, writer = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        writer.send(kernel(*inputs))
        os._exit(0)
    assert reader.poll(SECONDS)
    results = reader.recv()
    assert status_of(child) == "status 0"
    for launched in (results, kernel(*inputs)):
        assert_close(launched, loop(*inputs))
