"""Every example of docs/rules.md runs, and its rules equal their definitions, whole and decoded."""

import re
import sys
import types
from pathlib import Path

import pytest

import linmu

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rules.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
NAMES = [re.search(r"def (\w+)\([^S]", example)[1] for example in EXAMPLES]


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_example_runs_and_equals_its_definition(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # As a file that is run: torch.compile looks up where a function's names are.
    module = types.ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    names = vars(module)
    exec(compile(example, "example.py", "exec"), names)
    rules = [value for value in names.values() if isinstance(value, linmu.Rule)]
    assert rules
    for rule in rules:
        if f"{rule.__name__}.check(" in example:
            continue
        for dtype in ("f32", "bf16"):
            table = rule.check(H=4, G=2, dtype=dtype) if "G" in rule.letters() else rule.check(dtype=dtype)
            assert table, str(table)
            decodes = not re.search("reverse=True|media", example)
            assert any(row.what == "decode" for row in table.rows) == decodes
