"""Random command lines end with a message or a result: no crash, no silence, no success after a failure."""

import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from command_lines import Line, Writer, write_inputs

LINES = int(os.environ.get("TEST_LINES", 2000 if os.environ.get("TEST_NIGHTLY") else 32))
SEED = int(os.environ.get("TEST_SEED", "1"))

# Of the processor: how busy the machine is says nothing about a program.
SILENT_SECONDS = 2.0
LONGEST_WAIT = 120.0

# Folders that commands write to without being told so: the demo's report, and what the recipe says.
WRITTEN = {"linmu-demo", "run"}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder)
    return folder


def seconds_of(process: subprocess.Popen) -> float:
    """Of all processors, so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def silence_of(process: subprocess.Popen, out: Path, error: Path) -> float:
    """Waits for the end; the seconds of work before the first word, or inf for what does not end."""
    begin, silent = time.monotonic(), 0.0
    while process.poll() is None:
        if not out.stat().st_size and not error.stat().st_size:
            silent = max(silent, seconds_of(process))
        if time.monotonic() - begin > LONGEST_WAIT:
            process.kill()
            process.wait()
            return float("inf")
        time.sleep(0.02)
    return silent


def faults(line: Line, inputs: Path, folder: Path) -> list[str]:
    """What is wrong with the end of one command line, run in a copy of the inputs."""
    shutil.copytree(inputs, folder / "in", symlinks=True)
    out, error, standard_input = folder / "out", folder / "error", folder / "input"
    standard_input.write_bytes(line.stdin)
    # Threads of torch would spin for one another on few processors.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "LINMU_THREADS": "1"}
    with open(standard_input, "rb") as stdin, open(out, "wb") as stdout, open(error, "wb") as stderr:
        process = subprocess.Popen(
            [line.program, *line.arguments],
            cwd=folder / "in",
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment,
        )
        silence = silence_of(process, out, error)
    message, found = error.read_text(errors="replace"), []
    if silence == float("inf"):
        found.append(f"no end within {LONGEST_WAIT} s")
    elif silence > SILENT_SECONDS:
        found.append(f"{silence} s of work without a word")
    if process.returncode not in (0, 1, 2):
        found.append(f"status {process.returncode}")
    if process.returncode == 0 and line.bad:
        found.append("status 0 after a failure")
    if process.returncode == 0 and "error" in message.splitlines()[:1]:
        found.append(f"status 0 with {message!r}")
    if process.returncode != 0 and not message.strip():
        found.append("a failure without a message")
    if process.returncode != 0 and any(
        word in message for word in ("terminate", "Assertion", "LLVM ERROR", "c10::")
    ):
        found.append(f"a message of a crash: {message!r}")
    if process.returncode != 0:
        left = [
            name
            for name in line.outputs
            if os.path.isfile(folder / "in" / name) and not (inputs / name).exists()
        ]
        found += [f"{name} is left behind" for name in left]
    new = {path.name for path in (folder / "in").iterdir()} - {path.name for path in inputs.iterdir()}
    if strange := new - {Path(name).parts[0] for name in line.outputs if name} - WRITTEN:
        found.append(f"files that nobody asked for: {sorted(strange)}")
    shutil.rmtree(folder)
    return found


def test_random_command_lines_end_with_a_message_or_a_result(inputs, tmp_path):
    writer = Writer(SEED)
    lines = [writer.line() for _ in range(LINES)]

    def judge(index: int) -> str:
        (folder := tmp_path / str(index)).mkdir()
        found = faults(lines[index], inputs, folder)
        return f"{lines[index]}: {'; '.join(found)}" if found else ""

    with ThreadPoolExecutor(2) as pool:
        wrong = list(filter(None, pool.map(judge, range(LINES))))
    assert not wrong, "\n".join(wrong)


def test_lines_are_drawn_of_every_kind():
    """That the lines are worth running: many succeed, many are known to fail, every option comes."""
    writer = Writer(SEED)
    lines = [writer.line() for _ in range(2000)]
    assert 500 < sum(line.bad for line in lines) < 1500
    given = {argument.split("=")[0] for line in lines for argument in line.arguments}
    assert {"--gradient", "--weights", "--schedule", "--video", "--top-p", "generate", "doctor"} <= given
    assert {"answer", "data", "distill", "eval", "init", "train"} <= given
    assert {"--image", "--media", "--split", "--precision"} <= given
