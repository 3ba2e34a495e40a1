"""Every example of docs/patterns.md compiles, and runs as its text says."""

import json
import re
from pathlib import Path

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
