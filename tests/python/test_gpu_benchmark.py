"""`./dev bench gpu` without a GPU: its rows, checks, table and plot, with the emulation in the place of a device."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks/gpu"))
import peers  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
from references import errors, fault, reference  # noqa: E402

import linmu  # noqa: E402


def test_every_row_compiles_for_gpus_and_says_what_it_moves():
    for row in rows.rows():
        assert linmu.explain(row.text(), target="emulate"), row.name
        assert row.bytes() > 0 and row.operations() > 0
        assert sum(row.lengths) in (0, row.tokens)
    scalar = rows.Row("", "scalar", 65536)
    assert scalar.bytes() == 65536 * 28 * (4 * 128 * 2 + 4)


def test_one_command_checks_times_and_reports(tmp_path):
    command = [sys.executable, ROOT / "benchmarks/gpu/run.py", "scalar decay, 4K", "decode step, batch 1"]
    command += [
        "--target=emulate",
        "--tokens=20",
        "--heads=1",
        "--rounds=1",
        f"--out={tmp_path}",
        "--peers=fla",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert [row["row"] for row in found["rows"]] == [
        "scalar decay, 4K",
        "decode step, batch 1",
    ]
    for row in found["rows"]:
        assert row["ours"] > 0 and row["errors"]["ours"][0] < 2e-2 and "fla" in row["absent"]
    assert "| scalar decay, 4K |" in (tmp_path / "gpu.md").read_text()
    ElementTree.parse(tmp_path / "roofline.svg")


@pytest.mark.parametrize(
    "row",
    [
        rows.Row("", "window", 8192, heads=1, size=16),
        rows.Row("", "both", 48, heads=2, size=16),
        rows.Row("", "delta", 48, heads=2, size=16),
        rows.Row("", "row", 48, heads=2, size=16),
        rows.Row("", "scalar", 48, heads=4, groups=2, size=16),
        rows.Row("", "scalar", 48, heads=2, size=16, ordered=True),
        rows.Row("", "scalar", 48, heads=2, size=16, lengths=(7, 40, 1)),
    ],
    ids=["window", "both", "delta", "row", "groups", "ordered", "ragged"],
)
def test_references_agree_with_what_the_cpu_computes(row):
    inputs = row.inputs("cpu", 3)
    output = linmu.compile(row.text())(**inputs)
    exact = reference(row, inputs)
    assert fault(*errors(output, exact, row)) is None
    output[0, 5] *= 1.1
    assert fault(*errors(output, exact, row)) is not None
    output[0, 5] = torch.nan
    assert fault(*errors(output, exact, row)) is not None


def test_composed_windows_equal_the_reference():
    row = rows.Row("", "window", 8192, heads=1, size=16)
    inputs = row.inputs("cpu", 4)
    output = peers.PEERS["SDPA composed"](row, inputs)()
    assert fault(*errors(output, reference(row, inputs), row)) is None


def test_a_row_without_a_result_says_why_and_peers_are_sorted():
    result = {
        "row": "r",
        "goal": None,
        "floor": 12.34,
        "ours": None,
        "fault": "error 1",
        "peers": {"a": 300.0, "b": 7.0},
    }
    assert report.line(result) == ("r", "-", "12.3", "FAILED: error 1", "-", "b 7.0, a 300")
    assert report.line({**result, "ours": 14.0, "goal": 1000})[1:5] == ("1000", "12.3", "14.0", "2.00")
