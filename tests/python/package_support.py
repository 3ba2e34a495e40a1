"""A package of tests/c_api/recall.mlir for this machine, and what programs say of packages."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LINMUC = BUILD / "bin" / "linmuc"
PATTERN = ROOT / "tests" / "c_api" / "recall.mlir"

NIGHTLY = bool(os.environ.get("TEST_NIGHTLY"))


def linmuc(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [LINMUC, *map(str, arguments)], check=False, capture_output=True, text=True, errors="replace"
    )


def write_package(path: Path) -> Path:
    done = linmuc(PATTERN, "--package", path)
    assert (done.returncode, done.stderr) == (0, "")
    return path
