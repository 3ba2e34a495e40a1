"""Random kernels and launches of them, for a machine with a GPU: written where there is none, by the fuzz tests' drawing.

    draw_launches.py FOLDER [--kernels 60] [--launches 35] [--seed 0] [--target cuda:sm_90a]

Each kernel is a package `NN-what.lmk.gz` and a file `NN-what.launches` with what its launches take and what is expected
of them, by a loop in fp64 that the interpreter confirms. launch_check.py runs them; it and the runtime's library are
put beside. Needs NVRTC. So that a folder stays below 60 MB, operands are rows out of one pool a kernel, and of large
results a sample of rows and signed sums of every row are kept.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path

import numpy as np
import torch

import linmu
from launch_subjects import BothDirections, OneRecurrence, Programs, Subject, Windows

ROOT = Path(__file__).resolve().parents[2]
TEXT_BYTES = 1_600_000  # of a pattern's CUDA C++: NVRTC takes some ten seconds for it

# Of ten kernels: so many of each kind, those of one kind in f32 and in 16 bits by turns.
KINDS = [OneRecurrence] * 6 + [BothDirections] + [Windows] * 2 + [Programs]


def subjects(seed: int):
    """Random patterns and what draws their launches; what does not suit a place is drawn again."""
    draw = 1000 * seed
    for number in count():
        while True:
            draw += 1
            kind, rng = KINDS[number % len(KINDS)], np.random.default_rng([draw, 9])
            if kind is not Programs and (kind.storage(draw) == "f32") != (number % 2 == 0):
                continue
            try:
                subject = kind(draw, rng)
            except linmu.PatternError as refused:
                if "needs all value columns at once" not in str(refused):
                    raise
                continue
            size = text_bytes(subject)
            if size is not None and size <= TEXT_BYTES:
                break
        yield subject, rng


def text_bytes(subject: Subject) -> int | None:
    """Of the CUDA C++ that NVRTC gets; None where a schedule asks for more shared memory than there is."""
    with tempfile.TemporaryDirectory() as folder:
        pattern = Path(folder) / "pattern.mlir"
        pattern.write_text(subject.text)
        command = ["linmuc", pattern, "--target=cuda", "--emit=source", *schedule_option(subject)]
        done = subprocess.run(command, capture_output=True, check=False)
    if b"bytes of shared memory in a block" in done.stderr:
        return None
    if done.returncode:
        raise RuntimeError(f"{done.stderr.decode()}\n{subject.schedule}\n{subject.text}")
    return len(done.stdout)


def schedule_option(subject: Subject) -> list[str]:
    text = ",".join(f"{key}={value}" for key, value in subject.schedule.items())
    return [f"--schedule={text}"] if text else []


def write_package(subject: Subject, path: Path, target: str) -> float:
    """Seconds that it took."""
    begun = time.monotonic()
    pattern = path.with_suffix(".mlir")
    pattern.write_text(subject.text)
    command = ["linmuc", pattern, f"--target={target}", "--package", path, *schedule_option(subject)]
    environment = {"VIRTUAL_ENV": sys.prefix, **os.environ}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    pattern.unlink()
    if done.returncode:
        raise RuntimeError(f"{path.stem}: {done.stderr}\n{subject.text}")
    with gzip.open(path.with_suffix(".lmk.gz"), "wb") as stream:
        stream.write(path.read_bytes())
    path.unlink()
    return time.monotonic() - begun


def write_launches(subject: Subject, rng, path: Path, number_of: int) -> float:
    begun = time.monotonic()
    subject.trim_pools()
    launches = []
    for number in range(number_of):
        launches.append(subject.launch(rng))
        if number == 0:
            subject.confirm(launches[0])
    pools = subject.pools
    with gzip.open(path, "wb", compresslevel=6) as stream:
        torch.save({"pools": pools, "launches": launches}, stream)
    return time.monotonic() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kernels", type=int, default=60)
    parser.add_argument("--launches", type=int, default=35, help="of each kernel")
    parser.add_argument("--seed", type=int, default=0, help="of the first kernel; each has the next one")
    parser.add_argument("--target", default="cuda:sm_90a")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        packages = []
        for number, (subject, rng) in enumerate(islice(subjects(arguments.seed), arguments.kernels)):
            path = arguments.folder / f"{number:02}-{subject.what}.lmk"
            packages.append((path, pool.submit(write_package, subject, path, arguments.target)))
            seconds = write_launches(subject, rng, path.with_suffix(".launches"), arguments.launches)
            size = path.with_suffix(".launches").stat().st_size / 1e6
            print(f"{path.stem:34} {size:5.2f} MB of launches in {seconds:5.1f} s", flush=True)
        failed = 0
        for path, package in packages:
            try:
                seconds = package.result()
                size = path.with_suffix(".lmk.gz").stat().st_size / 1e6
                print(f"{path.stem:34} {size:5.2f} MB of code in {seconds:5.1f} s", flush=True)
            except RuntimeError as problem:
                print(f"FAILED: {problem}", flush=True)
                path.with_suffix(".launches").unlink()
                failed += 1
    library = ROOT / "build/lib/liblinmu_runtime.so.1"
    shutil.copy(library.resolve(), arguments.folder / library.name)
    shutil.copy(Path(__file__).with_name("launch_check.py"), arguments.folder)
    print(f"{sum(file.stat().st_size for file in arguments.folder.iterdir()) / 1e6:.1f} MB")
    print(f"{len(packages) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
