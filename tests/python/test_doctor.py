"""linmu doctor: a page on the machine, and what is missing for what."""

import os
import re
import subprocess

from package_support import BUILD


def doctor(**variables: str) -> str:
    done = subprocess.run(
        [BUILD / "bin" / "linmu", "doctor"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def value(page: str, name: str) -> str:
    return re.search(rf"^  {name} +(.*)$", page, re.M)[1]


def missing(page: str) -> str:
    return page.split("\nmissing\n")[1]


def test_the_machine_is_described_on_a_page(tmp_path):
    page = doctor(LINMU_CACHE_DIR=str(tmp_path))
    assert len(page.splitlines()) <= 50
    assert re.match(r"LinMU \d+\.\d+\.\d+\n", page)
    assert re.search(r"\w", value(page, "processor"))
    assert re.fullmatch(r"\d+ of \d+ processors", value(page, "threads"))
    assert re.fullmatch(r"[\d.]+ [GT]iB, [\d.]+ [MGT]iB free", value(page, "memory"))
    assert re.fullmatch(r"compiled and ran a kernel in \d+ ms", value(page, "compiler"))
    assert value(page, "kernels on disk") == f"{tmp_path}: 0 files, 0 bytes"
    assert value(page, "torch").startswith("2.11.0")
    assert re.fullmatch(r"libavformat \d+\.\d+\.\d+", value(page, "FFmpeg"))
    for name in ("instructions", "caches", "CUDA driver", "NVRTC"):
        assert value(page, name)
    wanted = missing(page)
    assert "torch" not in wanted and "FFmpeg" not in wanted and "compiler" not in wanted
    assert ("a GPU and NVIDIA's driver" in wanted) == (not value(page, "CUDA driver").startswith("of CUDA "))


def test_instructions_are_those_that_the_system_lists():
    with open("/proc/cpuinfo") as file:
        flags = set(re.search(r"^flags\s*: (.*)$", file.read(), re.M)[1].replace("_", "-").split())
    shown = value(doctor(), "instructions").split(", ")
    for name in ("avx2", "fma", "avx512f", "avx512-bf16", "avx512-fp16", "amx-tile"):
        assert (name.replace("512-", "512") in shown) == (name in flags), name


def test_settings_and_the_disk_cache_are_shown(tmp_path):
    (tmp_path / "a.lmk").write_bytes(bytes(3 << 20))
    page = doctor(LINMU_CACHE_DIR=str(tmp_path), LINMU_THREADS="7")
    assert value(page, "kernels on disk") == f"{tmp_path}: 1 files, 3.0 MiB"
    assert value(page, "threads").startswith("7, as LINMU_THREADS says; ")
    assert value(doctor(LINMU_DISK_CACHE="0"), "kernels on disk") == "turned off by LINMU_DISK_CACHE=0"
    none = tmp_path / "none"
    assert value(doctor(LINMU_CACHE_DIR=str(none)), "kernels on disk") == f"{none}: nothing yet"


def test_what_is_missing_is_named_with_what_needs_it_and_how_to_get_it(tmp_path):
    (tmp_path / "libavutil.so.57").write_bytes(b"")
    page = doctor(
        LINMU_TORCH_DIR=str(tmp_path),
        LD_LIBRARY_PATH=str(tmp_path),
        LINMU_CUDA_DRIVER=str(tmp_path / "none.so"),
    )
    assert value(page, "torch") == f"none in {tmp_path}"
    assert value(page, "FFmpeg").startswith(
        "reading a video needs FFmpeg's libavutil.so.57, libavcodec.so.59, "
    )
    text = missing(page)
    assert re.search(
        r"^  torch 2\.11\.\S+\n    for    linmu answer, chat, data, demo, eval, generate, init\n    get it pip install 'linmu\[torch\]'",
        text, re.M,
    )  # fmt: skip
    assert re.search(
        r"^  a GPU and NVIDIA's driver\n    for    running packages for CUDA\n    get it \S+", text, re.M
    )
    assert re.search(
        r"^  libavutil.so.57, .*\n    for    linmu answer, demo and eval, .*\n    get it .*apt-get install ffmpeg$",
        text,
        re.M,
    )


def test_a_setting_that_is_none_is_refused():
    done = subprocess.run(
        [BUILD / "bin" / "linmu", "doctor"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "LINMU_THREADS": "many"},
    )
    assert done.returncode == 1
    assert "environment variable LINMU_THREADS: expected a number" in done.stderr
