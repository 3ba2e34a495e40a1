"""Formatting and linting of the source files: `./dev format`, `./dev lint` and the style part of `./dev test`."""

import argparse
import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLANG_FORMAT = "clang-format-22"
CLANG_TIDY = "clang-tidy-22"
# A unit with MLIR or LibTorch takes clang-tidy some ten seconds, so that a large change is linted by `./dev lint`.
MOST_FILES_IN_TESTS = 8


def git(*arguments: str) -> list[str]:
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.stdout.split() if result.returncode == 0 else []


def sources(*endings: str) -> list[str]:
    """Files of the repository, new ones included, ignored ones not."""
    files = git("ls-files", "--cached", "--others", "--exclude-standard")
    return sorted({f for f in files if f.endswith(endings) and (ROOT / f).exists()})


def changed_sources() -> list[str]:
    """C++ units that differ from where this branch left main; on main itself, from the last commit."""
    base = next(iter(git("merge-base", "HEAD", "origin/main") or git("merge-base", "HEAD", "main")), "HEAD")
    changed = set(git("diff", "--name-only", base)) | set(git("ls-files", "--others", "--exclude-standard"))
    return [f for f in sources(".cpp") if f in changed]


def call(*command: str) -> tuple[bool, str]:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode == 0, result.stdout + result.stderr


def ruff(*arguments: str) -> tuple[bool, str]:
    return call(str(Path(sys.executable).parent / "ruff"), *arguments)


def check_format() -> list[tuple[str, bool, str]]:
    """Rows (name, passed, output)."""
    rows = []
    files = sources(".cpp", ".h", ".c")
    if files:
        rows.append(("clang-format", *call(CLANG_FORMAT, "--dry-run", "-Werror", *files)))
    if sources(".py"):
        rows.append(("ruff format", *ruff("format", "--check", "--diff", *sources(".py"))))
        rows.append(("ruff check", *ruff("check", *sources(".py"))))
    return rows


def tidy(files: list[str]) -> list[tuple[str, bool, str]]:
    build = str(ROOT / "build")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda f: call(CLANG_TIDY, "--quiet", "-p", build, f), files)
        return [(f"clang-tidy {f}", *result) for f, result in zip(files, results, strict=True)]


def compiled(files: list[str]) -> list[str]:
    """Those that this configuration compiles: clang-tidy needs the command."""
    database = ROOT / "build" / "compile_commands.json"
    text = database.read_text() if database.exists() else ""
    return [f for f in files if f'"{ROOT / f}"' in text]


def check_tests_style() -> list[tuple[str, bool, str]]:
    files = compiled(changed_sources())
    if len(files) > MOST_FILES_IN_TESTS:
        print(
            f"clang-tidy: the first {MOST_FILES_IN_TESTS} of {len(files)} changed files; ./dev lint checks all"
        )
    return check_format() + tidy(files[:MOST_FILES_IN_TESTS])


def apply_format() -> int:
    files = sources(".cpp", ".h", ".c")
    ok, output = call(CLANG_FORMAT, "-i", *files) if files else (True, "")
    if sources(".py"):
        for step in (("check", "--fix"), ("format",)):
            done, text = ruff(*step, "--quiet", *sources(".py"))
            ok, output = ok and done, output + text
    print(output, end="")
    return 0 if ok else 1


def report(rows: list[tuple[str, bool, str]]) -> int:
    for name, passed, output in rows:
        if not passed:
            print(f"{name}:\n{output}")
    failed = sum(not passed for _, passed, _ in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("format").add_argument(
        "--check", action="store_true", help="only say what would change"
    )
    commands.add_parser("lint")
    arguments = parser.parse_args()
    if arguments.command == "lint":
        return report(check_format() + tidy(compiled(sources(".cpp"))))
    return report(check_format()) if arguments.check else apply_format()


if __name__ == "__main__":
    sys.exit(main())
