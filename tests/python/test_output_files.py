"""What the programs do to the files, devices and pipes that a user names for their output."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, load_file, save_file

from decoder_support import LINMU, ROOT, run, smollm2_path
from test_bad_files import PATTERN, clip

LINMUC = ROOT / "build" / "bin" / "linmuc"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "twice.mlir").write_text(PATTERN)
    save_file({"x": np.ones((1, 3, 2, 4), np.float32)}, tmp_path / "in.safetensors")
    return tmp_path


def linmuc(folder: Path, *arguments, pattern="twice.mlir", **options) -> subprocess.CompletedProcess:
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("timeout", 60)
    command = [LINMUC, pattern, *[str(argument) for argument in arguments]]
    return run(command, cwd=folder, stderr=subprocess.PIPE, **options)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def twos(tensors: dict) -> bool:
    return bool((tensors["y"] == 2).all())


RUN = ("--run", "in.safetensors", "--out")


def test_an_existing_result_keeps_its_mode_links_and_other_names(folder):
    (folder / "out.safetensors").write_bytes(b"before")
    (folder / "out.safetensors").chmod(0o640)
    os.link(folder / "out.safetensors", folder / "other")
    (folder / "link").symlink_to("out.safetensors")
    before = names(folder)
    assert linmuc(folder, *RUN, "link").returncode == 0
    assert names(folder) == before
    assert (folder / "link").is_symlink()
    assert (folder / "out.safetensors").stat().st_mode & 0o7777 == 0o640
    assert (folder / "out.safetensors").stat().st_nlink == 2
    assert twos(load_file(folder / "other"))


def test_results_go_to_devices_pipes_and_redirections(folder):
    assert linmuc(folder, "--package", "/dev/null", *RUN, "/dev/null").returncode == 0
    assert Path("/dev/null").is_char_device()
    for out in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        done = linmuc(folder, *RUN, out)
        assert done.returncode == 0 and twos(load(done.stdout))
        with open(folder / "all", "wb") as file:
            file.write(b"head")
            file.flush()
            assert linmuc(folder, *RUN, out, stdout=file).returncode == 0
            file.write(b"tail")
        whole = (folder / "all").read_bytes()
        assert whole.startswith(b"head") and whole.endswith(b"tail") and twos(load(whole[4:-4]))
    os.mkfifo(folder / "fifo")
    with subprocess.Popen(["cat", folder / "fifo"], stdout=subprocess.PIPE) as reader:
        assert linmuc(folder, *RUN, "fifo").returncode == 0
        assert twos(load(reader.stdout.read()))
    done = linmuc(folder, "--package", "/dev/full")
    assert (done.returncode, done.stderr) == (
        1,
        b"linmuc: error: cannot write /dev/full: No space left on device\n",
    )


def test_an_output_takes_no_input_away(folder):
    before = (folder / "twice.mlir").read_bytes()
    (folder / "link").symlink_to("twice.mlir")
    for arguments in (("--package", "twice.mlir"), ("--package", "link"), (*RUN, "twice.mlir")):
        done = linmuc(folder, *arguments)
        assert done.returncode == 1 and b"holds the patterns, and would be overwritten" in done.stderr
    assert (folder / "twice.mlir").read_bytes() == before


def demo(out, video=None) -> subprocess.CompletedProcess:
    command = [LINMU, "demo", "--model", smollm2_path(), "--video", video or clip(), "--out", str(out)]
    return run(command, capture_output=True, text=True, timeout=20)


def test_the_demos_report_is_checked_before_its_work(folder):
    (folder / "file").touch()
    for out, why in (
        (folder, "is a folder"),
        (folder / "file" / "report.html", "Not a directory"),
        ("/proc/none/report.html", ""),
        ("", "an empty one"),
    ):
        done = demo(out)
        assert done.returncode == 1 and done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("linmu: error: ") and why in line
    copy = folder / "clip.mp4"
    copy.write_bytes(clip().read_bytes())
    done = demo(copy, copy)
    assert done.returncode == 1 and "is an input of the demo" in done.stderr
    assert copy.read_bytes() == clip().read_bytes()


def test_a_pattern_comes_from_a_pipe(folder):
    text = (folder / "twice.mlir").read_bytes()
    expected = linmuc(folder, "--emit=pattern").stdout
    for pattern in ("-", "/dev/stdin"):
        done = linmuc(folder, "--emit=pattern", pattern=pattern, input=text)
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, b"")
    command = f"{LINMUC} <(cat twice.mlir) --emit=pattern"
    done = run(["bash", "-c", command], cwd=folder, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, b"")
    done = linmuc(folder, "--emit=pattern", pattern="-", input=b"func.func @f(")
    assert done.returncode == 1 and done.stderr.startswith(b"<stdin>:1:")


def test_weights_from_a_pipe_are_refused_with_the_reason(folder):
    why = "it is a FIFO, and its parts are read in any order; give the name of a file"
    os.mkfifo(folder / "fifo")
    for path in ("fifo", "/dev/stdin"):
        done = linmuc(folder, "--run", path, "--out", "out", input=b"", timeout=20)
        assert (done.returncode, done.stderr.decode()) == (1, f"linmuc: error: cannot read {path}: {why}\n")
    done = run([LINMU, "generate", folder / "fifo", "x"], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (1, f"linmu: error: cannot read {folder / 'fifo'}: {why}\n")
    assert "out" not in names(folder)


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def heed_signals():
    """In a child: a shell without job control starts background jobs, this test among them, with interrupts ignored."""
    for number, _ in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_signals_end_with_the_shells_status_and_leave_nothing(folder, number, status):
    # The reader takes the first bytes only, so that the program is in the middle of its output for sure.
    save_file({"x": np.ones((1, 40_000, 2, 4), np.float32)}, folder / "in.safetensors")
    os.mkfifo(folder / "fifo")
    before = names(folder)
    command = [LINMUC, "twice.mlir", "--package", "new.lmk", *RUN, "fifo"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, preexec_fn=heed_signals)
    with open(folder / "fifo", "rb") as reader:
        assert len(reader.read(1)) == 1
        process.send_signal(number)
        assert process.wait(20) == status
    assert names(folder) == before | {"new.lmk"}  # which was complete before


def linmu(folder: Path, *arguments) -> subprocess.CompletedProcess:
    return run([LINMU, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


SHAPES = ("data", "moving-shapes", "--side", "32", "--frames", "16", "--out")


@pytest.mark.parametrize(("number", "status"), SIGNALS)
@pytest.mark.parametrize("there", [False, True])
def test_signals_leave_no_part_of_a_folder(folder, number, status, there):
    if there:
        (folder / "out").mkdir()
    before = names(folder)
    command = [LINMU, *SHAPES, "out", "--count", "100000"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=heed_signals
    )
    while not list(folder.rglob("000003.gif")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(20) == status
    assert names(folder) == before and not (there and names(folder / "out"))


def test_a_folder_that_holds_files_is_never_written_over(folder):
    (folder / "full").mkdir()
    (folder / "full" / "model.safetensors").write_bytes(b"a month's work")
    (folder / "link").symlink_to("full")
    for command in (("init", "--preset", "demo", "--out"), (*SHAPES[:2], "--count", "1", "--out")):
        for out in ("full", "link", "full/", "."):
            done = linmu(folder, *command, out)
            assert (done.returncode, done.stdout) == (1, "")
            assert "the folder holds files\nlinmu: hint: give a new or empty one\n" in done.stderr
    assert (folder / "full" / "model.safetensors").read_bytes() == b"a month's work"
    assert names(folder / "full") == {"model.safetensors"}


def test_options_are_checked_before_a_folder_is_made(folder):
    before = names(folder)
    for options in (("--side", "5"), ("--count", "0"), ("--seed", "-1")):
        assert linmu(folder, "data", "written-words", "--out", "new/deep", *options).returncode != 0
    assert linmu(folder, "init", "--preset", "large", "--out", "new/deep").returncode == 1
    assert names(folder) == before


@pytest.mark.parametrize(
    "command",
    [("init",), ("data", "written-words"), ("train", "recipe.json"), ("distill", "recipe.json"),
     ("eval", "model", "--data", "{}")],
)  # fmt: skip
def test_an_empty_path_is_not_taken_for_none(folder, command):
    done = linmu(folder, *command, "--out", "")
    assert done.returncode == 2 and "--out: requires a path, got an empty one" in done.stderr


@pytest.mark.alone
@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_signals_end_generation(number, status):
    command = [LINMU, "generate", smollm2_path(), "Tell me a long story.", "--max-tokens", "2000"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_signals
    )
    assert process.stdout.read(1)
    process.send_signal(number)
    begin = time.monotonic()
    assert process.wait(20) == status
    assert time.monotonic() - begin < 2
    process.stdout.close()
    process.stderr.close()


def test_nohup_keeps_a_program_from_hanging_up(folder):
    command = ["nohup", LINMU, "generate", smollm2_path(), "Hi", "--max-tokens", "12"]
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout.read(1)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_dev_takes_paths_of_the_callers_folder_also_through_a_link(folder):
    (folder / "dev").symlink_to(ROOT / "dev")
    (folder / "reports").mkdir()
    # What is built stays as it is.
    (folder / "bin").mkdir()
    (folder / "bin" / "ninja").symlink_to("/bin/true")
    environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}

    def dev(*arguments):
        command = ["./dev", *arguments]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    assert dev("help").stdout.startswith("usage: ./dev COMMAND")
    done = dev("demo", "--out", "reports")
    assert (done.returncode, done.stderr) == (1, "linmu: error: cannot write reports: is a folder\n")
    done = dev("build", "--gpu-host", "--compiler-library", "none.so")
    assert done.returncode == 1 and f"got '{folder}/none.so'" in done.stderr
