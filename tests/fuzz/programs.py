"""Random programs of several ops, fused and apart, against the interpreter. Ends with `N passed, N failed`.

What one recurrence computes is fuzz.py's; here it is what stands between ops: maps that join scans, permutes that
become orders, lags with tails, masks, and values that several ops or the caller read. Every third program is one of
ragged batches. On half of the operands some values are not finite, which must stay where program_reach.py says.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

import linmu
from program_reach import Op, ProgramReach
from targets import TARGETS, add_target

TYPES = """!t = tensor<?x?x2x8xf32>
!i = tensor<?x?xi32>
!b = tensor<?x?xi1>
!p = tensor<2x8xf32>
!tail = tensor<?x3x2x8xf32>
!one = tensor<?x1xi32>
!cu = tensor<?xi32>
!s = tensor<?x2x8xf32>
!S = tensor<?x2x8x8xf32>
!v = tensor<8xf32>
!m = tensor<8x8xf32>
"""
LENGTHS = (0, 1, 2, 3, 15, 17, 40, 65)
# Sums of a few ops in f32; permuted and joined ones are summed in the same order.
TOLERANCE = 2e-5


class Program:
    """Ops on token tensors of two heads of eight features; each reads what came before it."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.inputs = {name: "!t" for name in ("x", "y", "z")} | {
            "i": "!i",
            "j": "!i",
            "live": "!b",
            "id": "!i",
        }
        self.inputs |= {"w": "!p", "xtail": "!tail", "idtail": "!one"}
        self.ragged = seed % 3 == 2
        if self.ragged:
            self.inputs["cu"] = "!cu"
        self.values, self.made, self.lines, self.results = ["x", "y", "z"], [], [], []
        self.ops: list[Op] = []
        for _ in range(self.rng.integers(2, 8)):
            [self.map, self.map, self.scan, self.permute][self.rng.integers(4)]()
        if self.ragged and not self.uses("cu"):
            # No loop: the batch is one of two.
            self.ragged = False
            del self.inputs["cu"]
        wanted = {self.made[-1], *self.some(self.made, 2)}
        self.results += [(name, "!t") for name in self.made if name in wanted]

    def uses(self, name: str) -> bool:
        return any(f"%{name} " in line for line in self.lines)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def some(self, names: list[str], most: int) -> list[str]:
        count = min(len(names), int(self.rng.integers(1, most + 1)))
        return [names[k] for k in self.rng.choice(len(names), count, replace=False)]

    def fresh(self) -> str:
        self.made.append(f"r{len(self.made)}")
        return self.made[-1]

    def clauses(self, op: Op, masked: bool) -> tuple[str, str, list]:
        """`reverse`, what stands behind the tokens, and a result that the caller may get: the segments' tail."""
        op.backward = self.chance(0.25)
        reverse = "reverse " if op.backward else ""
        op.order = self.some(["i", "j"], 1)[0] if self.chance(0.3) else ""
        text = f" order(%{op.order} : !i)" if op.order else ""
        more = []
        if self.ragged:
            text += " sequences(%cu : !cu)"
        op.segments = self.chance(0.15)
        if op.segments:
            if self.chance(0.5):
                more = [(f"i{len(self.made)}", "!one")]
            text += " segments(%id tail %idtail : !i, !one)" if more else " segments(%id : !i)"
        op.masked = masked and self.chance(0.15)
        if op.masked:
            text += " source_mask(%live : !b) zeroes(%a0)"
        op.live = self.chance(0.1)
        if op.live:
            text += " output_mask(%live : !b)"
        return reverse, text, more

    def operands(self, op: Op, most: int) -> tuple[str, list[str]]:
        """The clause `tokens(...)`, and the arguments; the first may have a tail."""
        op.inputs = self.some(self.values, most)
        op.tail = op.inputs[0] == "x" and self.chance(0.4)
        entries = [f"%a{k} = %{name} : !t" for k, name in enumerate(op.inputs)]
        if op.tail:
            entries[0] = "%a0 = %x tail %xtail : !t, !tail"
        return f"tokens({', '.join(entries)})", [f"a{k}" for k in range(len(op.inputs))]

    def body(self, op: Op, given: list[str], lagged: bool) -> tuple[list[str], list[str]]:
        """Element by element, bounded; the names of what was made, newest last."""
        lines, names = [], list(given)
        if lagged:
            op.lag = int(self.rng.integers(1, 4))
            lines.append(f"    %l = pattern.lag %{given[0]} by {op.lag} : !v")
            names.append("l")
        for step in range(self.rng.integers(1, 4)):
            a, b = (names[k] for k in self.rng.integers(len(names), size=2))
            op = self.rng.choice(["arith.addf", "arith.mulf", "arith.subf", "pattern.sigmoid", "math.tanh"])
            operands = f"%{a}, %{b}" if op.startswith("arith") else f"%{a}"
            lines.append(f"    %e{step} = {op} {operands} : !v")
            names.append(f"e{step}")
        lines.append(f"    %last = math.tanh %{names[-1]} : !v")
        return lines, [*names, "last"]

    def finish(self, op: Op, head: str, body: list[str], outputs: list[str], states: str, more: list) -> None:
        """One op with its results: outputs, then those of `more`, (name, type) that the caller may get."""
        names = op.results = [self.fresh() for _ in outputs]
        self.ops.append(op)
        results = ", ".join(f"%{name}" for name in [*names, *(name for name, _ in more)])
        types = ", ".join("!t" for _ in outputs)
        slices = ", ".join("!v" for _ in outputs)
        self.lines += [f"  {results} = pattern.{op.kind} {head} -> ({types}) {{", *body]
        self.lines += [
            f"    pattern.yield outputs({', '.join('%' + o for o in outputs)} : {slices}){states}",
            "  }",
        ]
        self.values += names
        self.results += [entry for entry in more if self.chance(0.7)]

    def map(self) -> None:
        op = Op("map")
        tokens, given = self.operands(op, 3)
        reverse, clauses, id_tail = self.clauses(op, masked=True)
        params = "params(%w0 = %w : !p) " if self.chance(0.3) else ""
        body, names = self.body(
            op, [*given, *(["w0"] if params else [])], lagged=op.tail or self.chance(0.25)
        )
        outputs = self.some(names[-2:], 2)
        more = [(f"t{len(self.made)}", "!tail")] if op.tail else []
        self.finish(op, f"{reverse}{params}{tokens}{clauses}", body, outputs, "", more + id_tail)

    def scan(self) -> None:
        op = Op("scan", state=f"s{len(self.made)}")
        tokens, given = self.operands(op, 3)
        reverse, clauses, id_tail = self.clauses(op, masked=True)
        body, names = self.body(op, given, lagged=op.tail or self.chance(0.2))
        matrix = self.chance(0.5)
        kind = "!m" if matrix else "!v"
        decay = self.some(["half", "gate"], 1)[0]
        body.append(f"    %half = arith.constant dense<0.5> : {kind}")
        if decay == "gate":
            body.append(f"    %soft = pattern.sigmoid %{given[-1]} : !v")
            body.append(
                "    %gate = pattern.broadcast %soft along 0 : !v to !m"
                if matrix
                else "    %gate = arith.addf %soft, %zero : !v"
            )
            if not matrix:
                body.insert(0, "    %zero = arith.constant dense<0.0> : !v")
        body.append(f"    %kept = arith.mulf %{decay}, %S : {kind}")
        if matrix:
            body.append(f"    %write = pattern.outer %{names[-1]}, %{given[0]} : !v, !v")
        body.append(f"    %next = arith.addf %kept, %{'write' if matrix else names[-1]} : {kind}")
        body.append(
            f"    %read = pattern.read %next, %{given[-1]} : !m, !v"
            if matrix
            else "    %read = math.tanh %next : !v"
        )
        body.append("    %out = math.tanh %read : !v")
        state = "!S" if matrix else "!s"
        more = [(op.state, state)] + ([(f"t{len(self.made)}", "!tail")] if op.tail else []) + id_tail
        head = f"{reverse}{tokens} states(%S = zero : {state}){clauses}"
        self.finish(
            op, head, body, ["out", "last"][: self.rng.integers(1, 3)], f" states(%next : {kind})", more
        )

    def permute(self) -> None:
        order, inverse = self.some(["i", "j"], 1)[0], "inverse " if self.chance(0.5) else ""
        # All of one program's recent values by one order, so that loops behind may take it as theirs.
        for source in self.some(self.values, 3):
            name = self.fresh()
            self.lines.append(f"  %{name} = pattern.permute {inverse}%{source} order(%{order} : !i) : !t")
            self.ops.append(Op("permute", [source], [name], order=order, backward=bool(inverse)))
            self.values.append(name)

    def text(self) -> str:
        inputs = ", ".join(f"%{name}: {kind}" for name, kind in self.inputs.items())
        types = ", ".join(kind for _, kind in self.results)
        names = ", ".join(f"%{name}" for name, _ in self.results)
        body = "\n".join(self.lines)
        return (
            f"{TYPES}func.func @program({inputs}) -> ({types}) {{\n{body}\n  return {names} : {types}\n}}\n"
        )

    def operands_of(self, tokens: int) -> dict[str, np.ndarray]:
        """Of a batch of two, or of up to six sequences in one, some of them empty."""
        batch = 1 if self.ragged else 2
        ends = np.sort(self.rng.integers(0, tokens + 1, self.rng.integers(0, 6)))
        table = np.array([0, *ends, tokens], np.int32)
        sequences = len(table) - 1 if self.ragged else batch

        def normal(*shape):
            return self.rng.standard_normal(shape).astype(np.float32)

        def order():
            return np.stack([self.rng.permutation(tokens) for _ in range(batch)]).astype(np.int32)

        result = {name: normal(batch, tokens, 2, 8) for name in ("x", "y", "z")}
        result |= {"i": order(), "j": order(), "live": self.rng.random((batch, tokens)) < 0.8}
        result["id"] = np.sort(self.rng.integers(0, 4, (batch, tokens)), axis=1).astype(np.int32)
        # A tail that no loop has belongs to no sequence.
        of = {name: sequences if self.uses(name) else batch for name in ("xtail", "idtail")}
        result["idtail"] = self.rng.integers(0, 2, (of["idtail"], 1)).astype(np.int32)
        result |= {"cu": table} if self.ragged else {}
        return result | {"w": normal(2, 8), "xtail": normal(of["xtail"], 3, 2, 8)}


def interpret(text: str, operands: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        pattern, inputs, outputs = (Path(folder) / name for name in ("program.mlir", "in", "out"))
        pattern.write_text(text)
        save_file({name: np.ascontiguousarray(array) for name, array in operands.items()}, inputs)
        command = ["linmuc", pattern, "--run", inputs, "--out", outputs, "--target=interpreter"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the interpreter: {done.stderr}")
        return load_file(outputs)


def poisoned(operands: dict[str, np.ndarray], rng) -> tuple[dict[str, np.ndarray], float]:
    """The operands with up to three elements replaced, and by what: NaN, or infinities of either sign."""
    result, value = dict(operands), float(rng.choice([np.nan, np.inf]))
    for name in rng.choice(["x", "y", "z", "xtail"], int(rng.integers(1, 4))):
        if result[name].size:
            result[name] = result[name].copy()
            place = tuple(int(rng.integers(extent)) for extent in result[name].shape)
            result[name][place] = value * rng.choice([-1, 1])
    return result, value


def wrong(actual: np.ndarray, expected: np.ndarray) -> str | None:
    """The error of one result; what is not finite must be so in both."""
    with np.errstate(invalid="ignore"):
        distance = np.where(actual == expected, 0, np.abs(actual - expected))
    distance = distance[~(np.isnan(actual) & np.isnan(expected))]
    error = distance.max(initial=0)
    # Values are bounded by tanh, states by twice that.
    finite = np.abs(expected[np.isfinite(expected)])
    return None if error < TOLERANCE * max(1, finite.max(initial=0)) else f"error {error:.1e}"


def check(seed: int, target: str) -> str | None:
    """What is wrong, if anything is."""
    program = Program(seed)
    text = program.text()
    try:
        kernels = {
            fuse: linmu.compile(text, schedule={"fuse": fuse}, target=target, cache=False)
            for fuse in ("true", "false")
        }
        tokens = int(program.rng.choice(LENGTHS))
        operands = program.operands_of(tokens)
        expected = interpret(text, operands)
        bad, exact, reach = None, None, {}
        if TARGETS[target].poisons and program.rng.random() < 1 / 2:
            bad, value = poisoned(operands, program.rng)
            exact, reach = interpret(text, bad), ProgramReach(program.ops, bad).where
        for fuse, kernel in kernels.items():
            for name, actual in by_name(kernel, operands).items():
                if problem := wrong(actual, expected[name]):
                    return f"fuse={fuse}, {tokens} tokens: '{name}' has {problem}\n{text}"
            for name, actual in by_name(kernel, bad).items() if bad else ():
                usual, what = expected[name], f"fuse={fuse}, {tokens} tokens, some {value}: '{name}'"
                if name[0] == "t":
                    usual = exact[name]  # a copy
                elif name in reach:
                    # Nothing is asked where they may reach: the normal form of x - x is 0.
                    reached = reach[name].reshape(reach[name].shape + (1,) * (actual.ndim - reach[name].ndim))
                    actual = np.where(reached, usual, actual)
                if problem := wrong(actual, usual):
                    return f"{what} has {problem}\n{text}"
    except (ValueError, RuntimeError) as problem:
        return f"{problem}\n{text}"
    return None


def by_name(kernel: linmu.Kernel, operands: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    results = kernel(**operands)
    results = results if isinstance(results, tuple) else (results,)
    return {name: actual for (name, _, _), actual in zip(kernel.results, results, strict=True)}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first program; each has the next one")
    add_target(parser)
    arguments = parser.parse_args()
    failed = 0
    for seed in range(arguments.seed, arguments.seed + arguments.steps):
        if problem := check(seed, arguments.target):
            failed += 1
            print(f"FAILED: --seed {seed} --steps 1: {problem}", flush=True)
    print(f"{arguments.steps - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
