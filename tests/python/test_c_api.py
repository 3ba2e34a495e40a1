"""C programs that run packages: they need the runtime and the C and C++ libraries, and nothing else."""

import re
import subprocess

import pytest

from package_support import BUILD, write_package

PROGRAMS = ("recall_shared", "recall_static")


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return write_package(tmp_path_factory.mktemp("c_api") / "recall.lmk")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_c99_program_gives_what_the_recurrence_gives(package, program):
    done = subprocess.run(
        [BUILD / "tests" / program, package, "1", "63", "4096"], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"linmu \d+\.\d+\.\d+, pattern 'recall' for cpu:\S+", lines[0])
    assert [line.split(" tokens, ")[0] for line in lines[1:]] == ["1", "63", "4096"]


@pytest.mark.parametrize("file", ["tests/recall_shared", "tests/recall_static", "lib/liblinmu_runtime.so"])
def test_nothing_but_the_c_and_cpp_libraries_is_linked(file):
    listing = subprocess.run(["ldd", BUILD / file], check=True, capture_output=True, text=True).stdout
    names = {line.split()[0].rsplit("/", 1)[-1].split(".so")[0] for line in listing.splitlines()}
    allowed = {"linux-vdso", "ld-linux-x86-64", "ld-linux-aarch64", "libc", "libm", "libgcc_s", "libstdc++"}
    assert names - allowed <= {"liblinmu_runtime"}, listing


def test_the_shared_library_shows_the_c_functions_only():
    listing = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--format=posix", BUILD / "lib" / "liblinmu_runtime.so"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    symbols = {line.split()[0].split("@")[0] for line in listing.splitlines()} - {"LINMU_1"}
    header = (BUILD.parent / "runtime/core/c_api.h").read_text()
    assert symbols == set(re.findall(r"LINMU_C_API [^;(]*?(linmu_\w+)\(", header))


def test_the_program_says_why_a_damaged_package_does_not_open(package, tmp_path):
    damaged = tmp_path / "damaged.lmk"
    damaged.write_bytes(package.read_bytes()[:-1])
    done = subprocess.run(
        [BUILD / "tests" / "recall_shared", damaged, "1"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"open: {damaged}: the checksum does not fit the content; the file is damaged or incomplete\n"
    )
