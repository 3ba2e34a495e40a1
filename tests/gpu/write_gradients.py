"""Packages of scans and their gradients for a machine with a GPU, written where there is none.

    write_gradients.py FOLDER [--target cuda:sm_90a] [--cases scalar,row] [--schedule KEY=VALUE,...]

For each case, 28 heads of 128 features in bf16, `CASE.forward.lmk.gz` and `CASE.gradient.lmk.gz`; gradient_check.py, which
is put beside them with what it needs, launches them. Needs linmuc on the PATH, and NVRTC. The schedule is that of the
gradients.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from patterns import both, scan  # noqa: E402

HEADS, SIZE = 28, 128


def texts(heads: int = HEADS, size: int = SIZE, dtype: str = "bf16") -> dict[str, str]:
    return {
        "scalar": scan(heads, size, dtype=dtype),
        "row": scan(heads, size, decay="row", dtype=dtype),
        "delta": scan(heads, size, feedback=True, dtype=dtype),
        "both": both(heads, size, dtype),
    }


def write(folder: Path, name: str, target: str, options: list[str]) -> str:
    """A package, compressed; gives its size in words."""
    case, kind = name.split(".")
    with tempfile.TemporaryDirectory() as temporary:
        pattern, package = Path(temporary) / f"{case}.mlir", Path(temporary) / "package.lmk"
        pattern.write_text(texts()[case])
        command = ["linmuc", pattern, f"--target={target}", "--package", package]
        if kind == "gradient":
            command += ["--gradient", *options]
        subprocess.run(command, check=True, env={"VIRTUAL_ENV": sys.prefix, **os.environ})
        content = gzip.compress(package.read_bytes())
    (folder / f"{name}.lmk.gz").write_bytes(content)
    return f"{name}: {len(content) / 2**20:.1f} MiB"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--target", default="cuda:sm_90a")
    parser.add_argument("--cases", default=",".join(texts()), help="by name, with commas")
    parser.add_argument("--schedule", default="", help="KEY=VALUE,... of the gradients")
    arguments = parser.parse_args()
    cases = arguments.cases.split(",")
    if unknown := set(cases) - texts().keys():
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(texts())}")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    options = [f"--schedule={arguments.schedule}"] if arguments.schedule else []
    names = [f"{case}.{kind}" for case in cases for kind in ("forward", "gradient")]
    with ThreadPoolExecutor() as pool:
        for line in pool.map(lambda name: write(arguments.folder, name, arguments.target, options), names):
            print(line, flush=True)
    here = Path(__file__).parent
    for file in (here / "gradient_check.py", here / "launch_check.py"):
        shutil.copy(file, arguments.folder)
    library = ROOT / "build/lib/liblinmu_runtime.so.1"
    shutil.copy(library.resolve(), arguments.folder / library.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
