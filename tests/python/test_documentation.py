"""Every example of docs/patterns.md compiles, and runs as its text says."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import linmu

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "patterns.md").read_text()
EXAMPLES = re.findall(r"```mlir\n(.*?)```", TEXT, flags=re.DOTALL)
NAMES = [re.search(r"func.func @(\w+)", example)[1] for example in EXAMPLES]


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_example_compiles(example):
    assert linmu.compile(example, cache=False).results


@pytest.mark.parametrize("name", ["decayed", "delta", "normalised"])
def test_affine_examples_are_chunked(name):
    ops = json.loads(linmu.explain(EXAMPLES[NAMES.index(name)], json=True))["ops"]
    assert all(op["algorithm"].startswith("chunked") for op in ops)


@pytest.mark.parametrize("cuts", [[5], [1, 2, 3], [0, 8, 8], [40]])
def test_the_example_of_a_walk_in_parts_gives_what_the_whole_gives(cuts):
    decode = linmu.compile(EXAMPLES[NAMES.index("decode")], cache=False)
    random = np.random.default_rng(0)
    tokens = [random.standard_normal((2, 40, 2, 16), np.float32) for _ in range(3)]
    tokens.append(np.cumsum(random.random((2, 40)) < 0.2, axis=1).astype(np.int32))
    tokens.append(random.random((2, 40)) < 0.7)
    states = [
        np.zeros((2, 2, 16, 16), np.float32),
        np.zeros((2, 1, 2, 16), np.float32),
        np.zeros((2, 1), np.int32),
    ]
    whole, *expected = decode(*tokens, *states)
    parts = []
    for begin, end in pairwise([0, *cuts, 40]):
        output = np.empty((2, end - begin, 2, 16), np.float32)
        decode(*(x[:, begin:end] for x in tokens), *states, out=[output, *states])  # in place
        parts.append(output)
    # f32, whose sums differ with the length of a chunk.
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=0, atol=1e-4)
    np.testing.assert_allclose(states[0], expected[0], rtol=0, atol=1e-4)
    for tail, wanted in zip(states[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(tail, wanted)
