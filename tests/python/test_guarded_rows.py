"""No kernel reads beside its operands, whose last row ends before an unreadable page or whose first begins behind one."""

import os
import sys
from pathlib import Path

import pytest
import torch

import linmu
from linmu import State, Tokens, outer, scan, sigmoid

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fuzz"))

from guarded import Guarded  # noqa: E402

ALGORITHMS = [
    {"algorithm": "recurrent"},
    {"algorithm": "chunked", "chunk": "8"},
    {"algorithm": "chunked", "chunk": "16", "columns": "6"},
    {"algorithm": "two_kernels", "chunk": "8"},
    {"algorithm": "segmented", "chunk": "8", "segments": "3"},
]


@linmu.pattern
def cell(
    q: Tokens["H", "K"],
    k: Tokens["H", "K"],
    v: Tokens["H", "V"],
    g: Tokens["H", "K"],
    s0: State["H", "K", "V"],
):
    @scan(S=s0)
    def step(S, q, k, v, g):
        S = sigmoid(g)[:, None] * S + outer(k, v)
        return S, q @ S

    return step(q, k, v, g), step.S


def walk_against_pages(kernel, keys: int, values: int) -> None:
    for tokens in (1, 7, 9, 20):
        shapes = [(1, tokens, 2, keys)] * 2 + [
            (1, tokens, 2, values),
            (1, tokens, 2, keys),
            (1, 2, keys, values),
        ]
        given = [torch.randn(shape) for shape in shapes]
        expected, _ = kernel(*given)
        for place in range(len(given)):
            guarded = Guarded()
            for _ in range(2):  # before an unreadable page, then behind one
                inputs = list(given)
                inputs[place] = guarded.copy(given[place])
                assert torch.equal(kernel(*inputs)[0], expected)


@pytest.mark.parametrize("schedule", ALGORITHMS, ids=lambda s: "-".join(s.values()))
@pytest.mark.parametrize(("keys", "values"), [(8, 10), (5, 3), (20, 8), (16, 16)])
def test_rows_of_any_features(keys, values, schedule):
    kernel = linmu.compile(cell.text(H=2, K=keys, V=values), schedule=schedule, cache=False)
    child = os.fork()
    if child == 0:  # an access to the page ends the process
        try:
            walk_against_pages(kernel, keys, values)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
