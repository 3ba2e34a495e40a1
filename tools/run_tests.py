"""Runs the tests for `./dev test` and sums up; the last line is `N passed, N failed`."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import style

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"

# By target of the fuzz tests: random patterns of each kind, by day and at night.
FUZZ_STEPS = {"cpu": 60, "emulate": 1}
NIGHTLY_FUZZ_STEPS = {"cpu": 300, "emulate": 60}

# Programs of tests that run at a time; most of their work is done by one thread.
PROCESSORS = len(os.sched_getaffinity(0))


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: "Count") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def environment(**more: str) -> dict[str, str]:
    """Tests compile their own kernels and do not depend on what the user's cache holds."""
    return {
        **os.environ,
        "LINMU_CACHE_DIR": str(BUILD / "test-cache"),
        "PYTHONPATH": f"{ROOT / 'python'}:{BUILD / 'python'}",
        "PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}",
        **more,
    }


def crashed(what: str, code: int) -> Count:
    print(f"FAILED: {what} ended with status {code} without reporting a failure")
    return Count(failed=1)


def unit_test(test: dict, scratch: Path, settings: dict[str, str]) -> Count:
    """One GoogleTest program, as CTest lists it."""
    if "command" not in test:
        print(f"FAILED: {test['name']} is not built")
        return Count(failed=1)
    report = scratch / f"{test['name']}.json"
    start = time.monotonic()
    result = subprocess.run(
        test["command"],
        cwd=BUILD,
        env=environment(GTEST_OUTPUT=f"json:{report}", **settings),
        capture_output=True,
        text=True,
        check=False,
    )
    count = Count()
    if report.exists():
        summary = json.loads(report.read_text())
        cases = [case for suite in summary["testsuites"] for case in suite["testsuite"]]
        count.failed = sum("failures" in case for case in cases)
        count.skipped = sum(case["result"] in ("SKIPPED", "SUPPRESSED") for case in cases)
        count.passed = len(cases) - count.failed - count.skipped
    if result.returncode != 0:
        print(result.stdout[-8000:] + result.stderr[-8000:])
        if count.failed == 0:
            count.add(crashed(test["name"], result.returncode))
    elif count.passed == 0:
        count.add(crashed(f"{test['name']} (no test ran)", 0))
    seconds = time.monotonic() - start
    print(f"  {test['name']}: {count.passed} passed, {count.failed} failed ({seconds:.1f} s)", flush=True)
    return count


def runs_alone(test: dict) -> bool:
    return any(entry["name"] == "RUN_SERIAL" and entry["value"] for entry in test.get("properties", []))


def unit_tests(scratch: Path, nightly: bool = False) -> Count:
    """Every GoogleTest program that CTest knows; they report as JSON. Tests named DISABLED_ run at night."""
    settings = {"GTEST_ALSO_RUN_DISABLED_TESTS": "1"} if nightly else {}
    listing = subprocess.run(
        ["ctest", "--test-dir", str(BUILD), "--show-only=json-v1"], capture_output=True, text=True, check=True
    )
    tests = json.loads(listing.stdout)["tests"]
    total = Count()
    with ThreadPoolExecutor(PROCESSORS) as pool:
        beside_others = [test for test in tests if not runs_alone(test)]
        for count in pool.map(lambda test: unit_test(test, scratch, settings), beside_others):
            total.add(count)
    for test in filter(runs_alone, tests):
        total.add(unit_test(test, scratch, settings))
    return total


def lit_tests(scratch: Path) -> Count:
    report = scratch / "lit.json"
    command = [
        str(Path(sys.executable).with_name("lit")),
        "-v",
        "--no-progress-bar",
        "-o",
        str(report),
        str(ROOT / "tests/lit"),
    ]
    result = subprocess.run(command, env=environment(), check=False)
    if not report.exists():
        return crashed("lit", result.returncode)
    codes = [test["code"] for test in json.loads(report.read_text())["tests"]]
    passed = sum(code in ("PASS", "XFAIL", "FLAKYPASS") for code in codes)
    skipped = sum(code in ("UNSUPPORTED", "SKIPPED", "EXCLUDED") for code in codes)
    return Count(passed, len(codes) - passed - skipped, skipped)


def pytest_run(report: Path, *arguments: str) -> Count:
    options = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments]
    command = [sys.executable, "-m", "pytest", *options, "tests/python"]
    result = subprocess.run(command, cwd=ROOT, env=environment(), check=False)
    if not report.exists():
        return crashed("pytest", result.returncode)
    suite = ElementTree.parse(report).getroot().find("testsuite")
    tests, failures, errors, skipped = (
        int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped")
    )
    count = Count(tests - failures - errors - skipped, failures + errors, skipped)
    # 5: no test was collected, which is reported below as a kind that ran nothing.
    if result.returncode not in (0, 5) and count.failed == 0:
        count.add(crashed("pytest", result.returncode))
    return count


def pytest_tests(scratch: Path) -> Count:
    """A process for each processor, then what is marked `alone` (tests/python/conftest.py)."""
    count = pytest_run(
        scratch / "beside_others.xml", "-m", "not alone", "-n", str(PROCESSORS), "--dist", "worksteal"
    )
    count.add(pytest_run(scratch / "alone.xml", "-m", "alone"))
    return count


def fuzz_program(name: str, target: str, steps: int, seed: int) -> Count:
    """Programs of tests/fuzz close with the same line as this one."""
    command = [sys.executable, f"tests/fuzz/{name}", "--target", target, "--steps", str(steps)]
    command += ["--seed", str(seed)]
    start = time.monotonic()
    process = subprocess.run(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=False
    )
    count = Count()
    for closing in re.finditer(r"^(\d+) passed, (\d+) failed$", process.stdout, re.MULTILINE):
        count = Count(int(closing[1]), int(closing[2]))
    seconds = time.monotonic() - start
    print(f"{process.stdout}  {name} for {target} took {seconds:.0f} s", flush=True)
    if process.returncode != 0 and count.failed == 0:
        count.add(crashed(name, process.returncode))
    return count


def fuzz_tests(steps: dict[str, int], seed: int) -> Count:
    """Random recurrences, and as many of both directions, programs of several ops and windows, by target."""
    names = ("fuzz.py", "both_directions.py", "programs.py", "windows.py")
    programs = [(name, target, number) for target, number in steps.items() for name in names]
    count = Count()
    with ThreadPoolExecutor(PROCESSORS) as pool:
        for one in pool.map(lambda program: fuzz_program(*program, seed), programs):
            count.add(one)
    return count


def reader_tests(seconds: int) -> Count:
    """The fuzz targets of tests/fuzzers."""
    command = [sys.executable, "tools/fuzz_readers.py", "--seconds", str(seconds)]
    process = subprocess.run(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=False
    )
    print(process.stdout, flush=True)
    closing = re.search(r"^(\d+) passed, (\d+) failed$", process.stdout, re.MULTILINE)
    return Count(int(closing[1]), int(closing[2])) if closing else crashed("fuzz_readers", process.returncode)


def style_tests(scratch: Path) -> Count:
    rows = style.check_tests_style()
    for name, passed, output in rows:
        if not passed:
            print(f"FAILED: {name}\n{output[-8000:]}")
    failed = sum(not passed for _, passed, _ in rows)
    return Count(len(rows) - failed, failed)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev test")
    parser.add_argument(
        "kind",
        nargs="?",
        choices=["unit", "lit", "python", "style", "fuzz", "readers"],
        help="default: all, at night with the readers",
    )
    parser.add_argument("--steps", type=int, help="random patterns of each of the fuzz tests")
    parser.add_argument("--seconds", type=int, default=60, help="for each target of the readers")
    parser.add_argument("--seed", type=int, default=0, help="of the fuzz tests")
    parser.add_argument(
        "--target",
        choices=list(FUZZ_STEPS),
        help="of the fuzz tests; default: each, by its own number of steps",
    )
    parser.add_argument(
        "--nightly",
        action="store_true",
        help=f"{NIGHTLY_FUZZ_STEPS['cpu']} random patterns of each kind, every unit test, 300 fresh processes, 100 forks, a "
        "million texts through each tokenizer, 2,000 command lines, and the readers",
    )
    arguments = parser.parse_args()
    if arguments.nightly:
        # tests/unit/runtime_fork_test.cpp, tests/python/test_forks.py, tests/python/test_tokenizer_files.py,
        # tests/python/test_random_command_lines.py
        os.environ["TEST_NIGHTLY"] = "1"
    steps = NIGHTLY_FUZZ_STEPS if arguments.nightly else FUZZ_STEPS
    targets = [arguments.target] if arguments.target else list(steps)
    steps = {target: arguments.steps or steps[target] for target in targets}

    kinds = {
        "unit": lambda scratch: unit_tests(scratch, arguments.nightly),
        "lit": lit_tests,
        "python": pytest_tests,
        "fuzz": lambda _: fuzz_tests(steps, arguments.seed),
        "style": style_tests,
        "readers": lambda _: reader_tests(arguments.seconds),
    }
    every = [name for name in kinds if name != "readers" or arguments.nightly]
    total = Count()
    summary = []
    for name in [arguments.kind] if arguments.kind else every:
        print(f"== {name}", flush=True)
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            count = kinds[name](Path(scratch))
        if count.passed + count.failed == 0:
            print(f"FAILED: {name} ran no test")
            count.failed = 1
        skipped = f", {count.skipped} skipped" if count.skipped else ""
        seconds = time.monotonic() - start
        summary.append(f"{name:7} {count.passed} passed, {count.failed} failed{skipped} in {seconds:.0f} s")
        total.add(count)
    print("\n".join(["", *summary]))
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
