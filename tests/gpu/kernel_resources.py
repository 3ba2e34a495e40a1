"""Registers and spills of every kernel of the case list on six architectures, held against a table in the tree.

`./dev resources` compares all of them (some minutes), `./dev resources gla mamba2` those; with `--write` the table
takes what was measured. A number that has fallen is not an error: write the table then, so that it stays so.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("kernel_resources.txt")
ARCHITECTURES = ["sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120"]

sys.path.insert(0, str(ROOT / "benchmarks"))
from patterns import scan, window  # noqa: E402


class Resources(NamedTuple):
    """Of a kernel: registers of a thread, and the bytes that it spills to memory and fetches back."""

    registers: int
    spilled: int

    def __str__(self) -> str:
        return f"{self.registers}+{self.spilled}"


def cases() -> dict[str, str]:
    """Texts by names: the published recurrences, and the benchmarks' patterns in bf16 with 28 heads of 128."""
    folder = ROOT / "tests/recurrences"
    texts = {path.stem: path.read_text() for path in sorted(folder.glob("*.mlir"))}
    return texts | {
        "bf16_scalar_decay": scan(28, 128, dtype="bf16"),
        "bf16_row_decay": scan(28, 128, decay="row", dtype="bf16"),
        "bf16_gated_delta": scan(28, 128, feedback=True, dtype="bf16"),
        "bf16_windows": window(28, 128, dtype="bf16"),
    }


def measure(case: str, architecture: str) -> dict[str, Resources]:
    """By kernel, as the compiler of this tree prints it and NVRTC compiles it."""
    build = ROOT / "build"
    with tempfile.TemporaryDirectory() as folder:
        pattern, source = Path(folder) / "case.mlir", Path(folder) / "case.cu"
        pattern.write_text(cases()[case])
        command = [build / "bin/linmuc", pattern, "--target=cuda", "--emit=source"]
        source.write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        environment = {"VIRTUAL_ENV": str(Path(sys.prefix)), **os.environ}
        done = subprocess.run(
            [build / "tests/kernel_resources", source, architecture],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{case} on {architecture}: {done.stderr.strip()}")
    found = {}
    for line in done.stdout.splitlines():
        _, kernel, registers, stored, loaded = line.split()
        found[kernel] = Resources(int(registers), int(stored) + int(loaded))
    return found


def read_table() -> dict[tuple[str, str, str], Resources]:
    """By case, kernel and architecture."""
    table = {}
    for line in TABLE.read_text().splitlines():
        if line.startswith("#"):
            continue
        case, kernel, *columns = line.split()
        for architecture, column in zip(ARCHITECTURES, columns, strict=True):
            table[case, kernel, architecture] = Resources(*map(int, column.split("+")))
    return table


def write_table(table: dict[tuple[str, str, str], Resources]) -> None:
    rows = sorted({(case, kernel) for case, kernel, _ in table})
    lines = [
        "# Registers of a thread + bytes spilled and fetched back, by NVRTC 13.0. Written by ./dev resources --write.",
        f"# {'case':20} {'kernel':20} " + " ".join(f"{name:>9}" for name in ARCHITECTURES),
    ]
    for case, kernel in rows:
        columns = " ".join(f"{table[case, kernel, name]!s:>9}" for name in ARCHITECTURES)
        lines.append(f"{case:22} {kernel:20} {columns}")
    TABLE.write_text("\n".join(lines) + "\n")


def faults(case: str, architecture: str, found: dict[str, Resources]) -> list[str]:
    """What has grown, or is not as the table says."""
    table = read_table()
    pinned = {kernel for name, kernel, at in table if (name, at) == (case, architecture)}
    again = f"look at why; if it must be so, run ./dev resources --write {case}"
    if pinned != found.keys():
        return [f"{case}: expected the kernels {sorted(pinned)}, got {sorted(found)}; {again}"]
    grown = []
    for kernel, now in found.items():
        before = table[case, kernel, architecture]
        if now.registers > before.registers or now.spilled > before.spilled:
            grown.append(f"{case}, {kernel} on {architecture}: expected at most {before}, got {now}; {again}")
    return grown


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev resources", description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help="default: all")
    parser.add_argument("--write", action="store_true", help="put what is measured into the table")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - cases().keys():
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(cases())}")
    chosen = list(itertools.product(arguments.cases or cases(), ARCHITECTURES))
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        measured = list(pool.map(lambda pair: measure(*pair), chosen))
    problems = []
    if arguments.write:
        table = read_table() if TABLE.exists() else {}
        names = set(arguments.cases) or {case for case, _, _ in table} | cases().keys()
        kept = {key: value for key, value in table.items() if key[0] not in names}
        for (case, architecture), found in zip(chosen, measured, strict=True):
            kept |= {(case, kernel, architecture): value for kernel, value in found.items()}
        write_table(kept)
    else:
        for (case, architecture), found in zip(chosen, measured, strict=True):
            problems += faults(case, architecture, found)
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"{len(chosen) - len(problems)} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
