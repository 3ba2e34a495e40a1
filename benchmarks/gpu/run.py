"""`./dev bench gpu`: LinMU's kernels, the peers that are installed, and the floor that memory sets, in one run.

Every result is checked against a loop in fp64 before it is timed. Times are medians over rounds in which all take
turns, of graph replays on operands that change from call to call; the floor is each operand and result once, at the
bandwidth of a copy measured in the same run.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from peers import PEERS, Absent, with_gradients
from references import errors, errors_of_gradients, fault, gradients, reference
from report import line, notes, table, write
from rows import Row, rows
from timing import Timed, ceilings, medians

import linmu

# Operands of consecutive calls together exceed the last cache of every GPU by far.
CACHED_BYTES, MOST_SETS = 400 << 20, 8


def scaled(row: Row, tokens: int | None, heads: int | None) -> Row:
    """The row at a size for a slow device: at most so many tokens and heads; along no axis one window alone."""
    if tokens and row.kind == "window":
        tokens = max(tokens, 32 * 256)
    if tokens and row.lengths:
        lengths = [max(1, length * tokens // row.tokens) for length in row.lengths]
        row = replace(row, lengths=tuple(lengths), tokens=sum(lengths), goal=None)
    elif tokens and row.tokens > tokens:
        row = replace(row, tokens=tokens, goal=None)
    if heads and row.heads > heads:
        row = replace(row, heads=heads, groups=min(row.groups, 1), goal=None)
    return row


def ours(row: Row, sets: list[dict], target: str):
    kernel = linmu.compile(row.text(), target=target)
    outputs = [kernel(**inputs) for inputs in sets]

    def call(inputs, out):
        out = list(out) if isinstance(out, tuple) else [out]
        return lambda: kernel(**inputs, out=out)

    calls = [call(inputs, out) for inputs, out in zip(sets, outputs, strict=True)]
    return calls, outputs[0]


def ours_with_gradients(row: Row, sets: list[dict], cotangents: list, target: str):
    """Each call is the forward pass and the gradients; gives these of the first, by operand."""
    kernel = linmu.compile(row.text(), target=target)
    backward = kernel.gradient()
    (sent_back,) = [name for name, _, _ in backward.inputs if name not in sets[0]]

    def call(inputs, cotangent):
        given = inputs | {sent_back: cotangent}
        output, found = kernel(**inputs), list(backward(**given))
        return lambda: (kernel(**inputs, out=[output]), backward(**given, out=found)), found

    calls = [call(inputs, cotangent) for inputs, cotangent in zip(sets, cotangents, strict=True)]
    names = [name.removeprefix("d_") for name, _, _ in backward.results]
    return [run for run, _ in calls], dict(zip(names, calls[0][1], strict=True))


def first(output) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output


def measure(row: Row, device: str, target: str, rounds: int, bandwidth: float, wanted: list[str]) -> dict:
    count = max(1, min(MOST_SETS, CACHED_BYTES // row.bytes())) if device == "cuda" else 1
    sets = [row.inputs(device, seed) for seed in range(count)]
    cotangents = [row.cotangent(device, seed) for seed in range(count)] if row.gradient else []
    exact = gradients(row, sets[0], cotangents[0]) if row.gradient else reference(row, sets[0])
    result = {
        "row": row.name,
        "goal": row.goal,
        "floor": row.bytes() / bandwidth * 1e6,
        "bytes": row.bytes(),
        "operations": row.operations(),
        "ours": None,
        "fault": None,
        "errors": {},
        "peers": {},
        "absent": {},
        "how": {},
    }
    timed = {}

    def take(name: str, calls, output) -> str | None:
        if row.gradient:
            worst, whole = errors_of_gradients(output, exact, row)
        else:
            worst, whole = errors(first(output), exact, row)
        result["errors"][name] = [worst, whole]
        wrong = fault(worst, whole)
        if not wrong:
            timed[name] = Timed(calls, device)
            result["how"][name] = timed[name].how
        return wrong

    try:
        own = ours_with_gradients(row, sets, cotangents, target) if row.gradient else ours(row, sets, target)
        result["fault"] = take("ours", *own)
    except Exception as problem:  # the other rows are measured all the same; the exit status tells
        result["fault"] = f"{type(problem).__name__}: {problem}".splitlines()[0]
    for name in wanted:
        try:
            if row.gradient:
                each = zip(sets, cotangents, strict=True)
                calls = [with_gradients(name, row, inputs, cotangent) for inputs, cotangent in each]
            else:
                calls = [PEERS[name](row, inputs) for inputs in sets]
            if wrong := take(name, calls, calls[0]()):
                result["absent"][name] = wrong
        except Absent as why:
            result["absent"][name] = str(why)
        except Exception as problem:  # whatever a peer's code raises, it is named
            result["absent"][name] = f"{type(problem).__name__}: {problem}".splitlines()[0][:160]
    times = medians(timed, rounds)
    result["ours"] = times.pop("ours", None)
    result["peers"] = times
    return result


def machine_of(device: str) -> dict:
    found = {"device": device, "torch": torch.__version__, "linmu": linmu.__version__, **ceilings(device)}
    if device == "cuda":
        found |= {"device": torch.cuda.get_device_name(), "cuda": torch.version.cuda}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench gpu", description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="parts of names; default: all rows")
    parser.add_argument("--list", action="store_true", help="the rows and their goals, nothing else")
    parser.add_argument("--peers", default=",".join(PEERS), help="by name, separated by commas; '' for none")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--out", type=Path, default=Path("bench-gpu"), help="folder of gpu.json, gpu.md, roofline.svg"
    )
    parser.add_argument(
        "--target", choices=["cuda", "cpu", "emulate"], default="cuda", help="what runs our kernels"
    )
    parser.add_argument("--tokens", type=int, help="of a row at most, for slow targets")
    parser.add_argument("--heads", type=int, help="of a row at most")
    arguments = parser.parse_args()
    # A whole name is that row alone.
    names = {row.name for row in rows()}
    chosen = [
        row
        for row in rows()
        if not arguments.rows
        or any(part == row.name if part in names else part in row.name for part in arguments.rows)
    ]
    wanted = [name.strip() for name in arguments.peers.split(",") if name.strip()]
    if unknown := set(wanted) - PEERS.keys():
        parser.error(f"no peer {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    if not chosen:
        parser.error(f"no row holds any of {arguments.rows}; --list shows them")
    if arguments.list:
        for row in chosen:
            print(f"{row.name:40} {row.bytes() / 2**20:9.1f} MiB   goal {row.goal or '-'}")
        return 0
    device = "cuda" if arguments.target == "cuda" else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        parser.error(
            "torch sees no GPU here; --target=cpu or --target=emulate with --tokens try the program out"
        )
    torch.set_grad_enabled(False)
    machine = machine_of(device)
    results = []
    for row in chosen:
        row = scaled(row, arguments.tokens, arguments.heads)
        results.append(measure(row, device, arguments.target, arguments.rounds, machine["bytes"], wanted))
        print(" | ".join(line(results[-1])), flush=True)
        write(arguments.out, results, machine)  # what a run that is cut short has measured stays
        if device == "cuda":
            torch.cuda.empty_cache()
    print("\n" + table(results) + "\n" + notes(results) + f"{arguments.out}/gpu.json, gpu.md, roofline.svg")
    return 1 if any(result["fault"] for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
