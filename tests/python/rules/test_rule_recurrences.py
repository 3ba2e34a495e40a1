"""The recurrences of tests/recurrences written in Python: the same kernels, each in at most twenty lines."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import recurrences

import linmu

FOLDER = Path(__file__).resolve().parents[2] / "recurrences"
NAMES = sorted(path.stem for path in FOLDER.glob("*.mlir"))
# Where random operands would leave what the rule is written for: keys of unit length, stable steps.
UNIT = {"deltanet": "k", "deltaproduct": "k1 k2", "kda": "k", "comba": "k", "ttt_linear": "k", "titans": "k"}
OPERANDS = {
    "retnet": {"exponent": lambda x: -5.0 - np.arange(len(x))},
    "lightning": {"slope": lambda x: np.abs(x) / 10},
    "hgrn2": {"gamma": lambda x: 0.9 + 0.09 / (1 + np.exp(-x))},
    "s4d_real": {"log_dt": lambda x: x - 4.5},
    "ttt_linear": {"eta": lambda x: 0.5 / (1 + np.exp(-x))},
    "titans": {"theta": lambda x: x - 4.5, "alpha": lambda x: x - 4.5},
    "slstm": {"n0": np.exp},
    "linear_attention": {"z0": np.exp},
    "momentum": {"z0": np.exp},
    "rwkv7": {"d": lambda x: x - 4.5},
    "gated_deltanet": {"bias": lambda x: x - 4.5},
}


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_rule_has_the_key_of_the_text(name):
    text = linmu.compile(FOLDER / f"{name}.mlir")
    operands = [
        np.zeros([{"B": 1, "N": 1}.get(e, e) for e in shape], np.float32) for _, _, shape in text.inputs
    ]
    rule = getattr(recurrences, name)
    assert [parameter.name for parameter in rule.parameters] == [key for key, _, _ in text.inputs]
    assert rule.kernel(*operands).key == text.key


@pytest.mark.parametrize("name", NAMES)
def test_the_rule_equals_its_definition_whole_and_in_parts(name):
    operands = OPERANDS.get(name, {}) | {key: unit for key in UNIT.get(name, "").split()}
    table = getattr(recurrences, name).check(tokens=70, **operands)
    assert table, str(table)
    assert {row.what for row in table.rows} == {"forward", "decode"}


@pytest.mark.parametrize("name", NAMES)
def test_the_rule_is_at_most_twenty_lines(name):
    lines = inspect.getsource(getattr(recurrences, name).function).strip().splitlines()
    assert len(lines) <= 20
