"""What tests/gpu/draw_launches.py writes for a machine with a GPU, launched on the CPU instead: launch_check.py finds every
launch right, and a result that is not."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
import torch

GPU_TESTS = Path(__file__).resolve().parents[1] / "gpu"


def run(program: Path, *arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two launches of each of ten kernels: recurrences, both directions, windows and a program."""
    folder = tmp_path_factory.mktemp("launches")
    done = run(GPU_TESTS / "draw_launches.py", folder, "--kernels", 10, "--launches", 2, "--target", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_launch_is_right_where_the_compiler_is(folder):
    done = run(folder / "launch_check.py", folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.splitlines()[-1] == "20 passed, 0 failed"
    kinds = {line.split()[1].split("-")[1] for line in done.stdout.splitlines()[:-1]}
    assert {"both", "windows", "program"} < kinds


def test_parts_are_all_kernels_once(folder):
    rows = [
        run(folder / "launch_check.py", folder, "--part", f"{i}/3").stdout.splitlines() for i in (1, 2, 3)
    ]
    names = [line.split()[1] for part in rows for line in part[:-1]]
    assert sorted(names) == sorted(file.stem for file in folder.glob("*.launches"))


def damaged(folder: Path, tmp_path: Path, damage) -> str:
    """The verdict on the first kernel, one of whose launches expects something else."""
    name = min(file.stem for file in folder.glob("*.launches"))
    for file in folder.glob(f"{name}.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with gzip.open(folder / f"{name}.launches") as stream:
        content = torch.load(stream, weights_only=True)
    launch = max(content["launches"], key=lambda each: each["tokens"])
    damage(launch["expected"][0])
    with gzip.open(tmp_path / f"{name}.launches", "wb") as stream:
        torch.save(content, stream)
    library = folder / "liblinmu_runtime.so.1"
    done = run(folder / "launch_check.py", tmp_path, "--library", library)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"
    return done.stdout


def test_a_value_and_a_row_that_are_wrong_are_found(folder, tmp_path):
    def value(expected):
        expected["values"][0, -1] += 10 * expected["tolerance"] * expected["values"].shape[1] ** 0.5

    def row(expected):
        expected["sums"][-1, 0] += 10 * expected["tolerance"] * 6 * expected["values"].shape[1] ** 0.5

    assert "errs by" in damaged(folder, tmp_path, value)
    assert "a signed sum errs by" in damaged(folder, tmp_path, row)


def test_what_there_was_no_time_for_is_a_failure(folder):
    done = run(folder / "launch_check.py", folder, "--minutes", "-1")
    assert done.returncode == 1
    assert done.stdout.startswith("no time for kernels; run them by --kernels 00,01,")
    assert done.stdout.splitlines()[-1] == "0 passed, 20 failed"
