"""The pages of docs/gallery, from the files of python/linmu/gallery and the figures in docs/gallery/*.json.

python3 tools/gallery.py                    # writes the pages
python3 tools/gallery.py --measure [RULE]   # first checks the rules and takes their times on this CPU: cpu.json
python3 tools/gallery.py --measure --target cuda [RULE]      # on this machine's GPU: gpu.json
"""

import argparse
import importlib
import inspect
import json
import textwrap
from pathlib import Path

import linmu.gallery

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "gallery"
TOKENS = (1, 1024, 8192)
# Of the figures: heads and features; SIZES of a rule's file goes over them.
SIZES = {"H": 8, "G": 8, "K": 64, "V": 64, "D": 64, "P": 64, "N": 64, "M": 32}
FILES = {"cpu": "cpu.json", "cuda": "gpu.json"}


def rules() -> dict:
    return {name: getattr(linmu.gallery, name) for name in linmu.gallery.RULES}


def module_of(rule):
    return importlib.import_module(rule.function.__module__)


def functions_of(module) -> list:
    """The functions of the gallery that a file defines, by the names that are its own."""
    names = [name for name in linmu.gallery.FUNCTIONS if name in vars(module)]
    return [(name, vars(module)[name]) for name in names if vars(module)[name].__module__ == module.__name__]


# Measuring.


def sizes_of(rule) -> dict:
    sizes = SIZES | getattr(module_of(rule), "SIZES", {})
    return {letter: sizes[letter] for letter in rule.letters()}


def measure(rule, target: str) -> dict:
    """Errors against the definition, how it runs and milliseconds by the number of tokens, in f32."""
    example = module_of(rule).EXAMPLE
    table = rule.check(tokens=200, target=target, **example)
    if not table:
        raise SystemExit(f"{table}\nthe rule is wrong: nothing is written")
    errors = {}
    for row in table.rows:
        errors[row.what] = max(errors.get(row.what, 0.0), row.error)
    bench = rule.bench(tokens=TOKENS, seconds=0.3, target=target, **sizes_of(rule), **example)
    return {
        "errors": {what: float(f"{error:.1e}") for what, error in errors.items()},
        "algorithm": rule.kernel(target=target, **sizes_of(rule)).algorithm(TOKENS[-1]),
        "milliseconds": {str(row.tokens): float(f"{1e3 * row.seconds:.3g}") for row in bench.rows},
    }


def machine(target: str) -> str:
    if target == "cuda":
        import torch

        return torch.cuda.get_device_name()
    import os

    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = next(
        (line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")), "a CPU"
    )
    return f"{name}, {os.cpu_count()} threads"


def figures(target: str) -> dict:
    path = FOLDER / FILES[target]
    return json.loads(path.read_text()) if path.exists() else {"machine": "", "rules": {}}


def measured(target: str, names: list[str]) -> None:
    known = figures(target)
    known["machine"] = machine(target)
    for name in names:
        known["rules"][name] = measure(rules()[name], target)
        print(name, known["rules"][name])
        FOLDER.mkdir(exist_ok=True)
        known["rules"] = {
            rule: known["rules"][rule] for rule in linmu.gallery.RULES if rule in known["rules"]
        }
        (FOLDER / FILES[target]).write_text(json.dumps(known, indent=1) + "\n")


# Writing.


def parts_of(module) -> tuple[str, str]:
    """The title of a file's description, and the rest with its equation as a block of text."""
    title, rest = module.__doc__.strip().split("\n", 1)
    blocks = []
    for block in rest.strip().split("\n\n"):
        equation = block.startswith("    ")
        blocks.append(f"```\n{textwrap.dedent(block)}\n```" if equation else block)
    return title, "\n\n".join(blocks)


def code_of(rule) -> str:
    return inspect.getsource(rule.function).rstrip().replace("  # fmt: skip", "")


def signature_of(name: str, function) -> str:
    return f"{name}{inspect.signature(function)}"


def times_of(name: str) -> str:
    """A table of milliseconds: this CPU's, and where figures of a GPU lie there, those and its peer's."""
    columns = [("CPU", figures("cpu")["rules"].get(name, {}))]
    gpu = figures("cuda")
    if name in gpu["rules"]:
        of_rule = gpu["rules"][name]
        columns.append((gpu["machine"], of_rule))
        columns += [
            (f"{peer} on it", {"milliseconds": times}) for peer, times in of_rule.get("peers", {}).items()
        ]
    lines = [
        "| tokens | " + " | ".join(f"{title}, ms" for title, _ in columns) + " |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for tokens in map(str, TOKENS):
        row = [str(entry.get("milliseconds", {}).get(tokens, "")) for _, entry in columns]
        lines.append(f"| {int(tokens):,} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def page(name: str, rule) -> str:
    module, cpu = module_of(rule), figures("cpu")["rules"].get(name)
    title, description = parts_of(module)
    text = f"# {title}\n\n{description}\n\n## The rule\n\n`linmu.gallery.{name}`, of "
    text += f"[{Path(module.__file__).name}](../../python/linmu/gallery/{Path(module.__file__).name}):\n\n"
    text += f"```python\n{code_of(rule)}\n```\n"
    if functions := functions_of(module):
        text += (
            "\n## Functions\n\n```python\n"
            + "\n".join(signature_of(*entry) for entry in functions)
            + "\n```\n"
        )
    if cpu:
        errors = ", ".join(f"{what} {error:.1e}" for what, error in cpu["errors"].items())
        sizes = ", ".join(f"{letter} = {size}" for letter, size in sizes_of(rule).items())
        text += f"\n## Figures\n\nLargest relative errors against the definition in fp64, 200 tokens: {errors}.\n\n"
        text += f"A batch of 1, {sizes}, f32; it runs as `{cpu['algorithm']}`.\n\n{times_of(name)}\n"
    return text


def index() -> str:
    text = textwrap.dedent("""\
        # Gallery

        Published rules in Python, each in a file of [python/linmu/gallery](../../python/linmu/gallery), checked against a loop
        of its paper's equation in fp64: prompts, initial and final states, ragged batches, decoding. Functions have the names,
        arguments and results of flash-linear-attention's (fla-core 0.6) and mamba_ssm's: `from linmu.gallery import
        chunk_gated_delta_rule`. They take torch tensors, under autograd as well, on the CPU or a GPU; what one does not support is
        an error that names the argument.

        `./dev gallery` writes these pages, `./dev gallery --measure` takes the figures first.

        """)
    cpu = figures("cpu")
    text += (
        f"Milliseconds at {TOKENS[-1]:,} tokens in f32 on {cpu['machine']}, shared with others:\n\n"
        if cpu["machine"]
        else ""
    )
    text += "| rule | | runs as | ms |\n|---|---|---|---|\n"
    for name, rule in rules().items():
        entry = cpu["rules"].get(name, {"algorithm": "", "milliseconds": {}})
        title, _ = parts_of(module_of(rule))
        text += f"| [{name}]({name}.md) | {title} | {entry['algorithm']} | {entry['milliseconds'].get(str(TOKENS[-1]), '')} |\n"
    return text


def pages() -> dict[str, str]:
    """The text of every page by its name."""
    return {"README.md": index()} | {f"{name}.md": page(name, rule) for name, rule in rules().items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rules", nargs="*", help="what to measure, by default all")
    parser.add_argument("--measure", action="store_true", help="check the rules and take their times first")
    parser.add_argument("--target", choices=FILES, default="cpu")
    given = parser.parse_args()
    if unknown := [name for name in given.rules if name not in linmu.gallery.RULES]:
        parser.error(f"expected rules among {', '.join(linmu.gallery.RULES)}; got {unknown[0]}")
    if given.measure:
        measured(given.target, given.rules or linmu.gallery.RULES)
    FOLDER.mkdir(exist_ok=True)
    written = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
