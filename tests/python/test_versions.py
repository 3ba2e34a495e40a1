"""Every program says its version: the one of CMakeLists.txt."""

import re
import subprocess

import pytest

from package_support import BUILD, ROOT


def project_version() -> str:
    return re.search(r"^project\(LinMU VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M)[1]


@pytest.mark.parametrize("program", ["linmuc", "linmu-opt", "linmu"])
def test_a_program_prints_its_version(program):
    done = subprocess.run([BUILD / "bin" / program, "--version"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"{program} {re.escape(project_version())}( \(LLVM 22\.\S+\))?\n", done.stdout)
