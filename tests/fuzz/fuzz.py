"""Random recurrences: compiled code and the interpreter against a loop in fp64. Ends with `N passed, N failed`.

One in three also runs as a ragged batch, each of whose sequences has a loop of its own. Half of them run again with
values that are not finite, which must stay where not_finite.py says.

Four in five are normal forms written in some obfuscated way, and must come out chunked; the others leave the
normal form, and the report must name the op that does, at its line and column.

`--target emulate` runs the kernels for CUDA on the host, on up to 130 tokens: what is not in order in them is a
failure like a wrong result. One algorithm that need not be chosen and one walk in two parts are tried of each.
"""

import argparse
import json
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch

import linmu
from calls import call, interpret
from comparison import Mismatch, compare
from function_text import function_text
from generator import random_recurrence
from loop import Loop
from not_finite import Reach, poisoned
from operands import random_operands
from ragged import alone, joined, random_sequences
from recurrence import Recurrence
from targets import TARGETS, Target, add_target

LENGTHS = [0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 255, 256, 1000, 1024, 1025]

# How many elements of states the interpreter, which is slow, may visit in one step.
INTERPRETER_ELEMENTS = 400_000


class Step:
    """One random recurrence and what is checked of it."""

    def __init__(self, seed: int, target: Target):
        self.target = target
        self.form: Recurrence = random_recurrence(seed)
        self.text, self.culprits = function_text(self.form, np.random.default_rng([seed, 1]))
        self.rng = np.random.default_rng([seed, 2])

    def compile(self, **schedule: str) -> linmu.Kernel:
        return linmu.compile(self.text, schedule=schedule, target=self.target.name, cache=False)

    def check(self) -> None:
        self.check_report()
        usual = self.compile()
        forced = self.forced()
        self.results = [name for name, _, _ in usual.results]
        for tokens, small in self.lengths():
            more = int(self.rng.integers(1, 4)) if self.form.resumable else 0
            length = tokens + more
            # As prompts and decoders do, and at random: also beside each other and into nothing.
            some = sorted(int(cut) for cut in self.rng.integers(0, length + 1, 3))
            cuts = [[tokens + i for i in range(more)], some] if more else []
            operands = random_operands(self.form, length, self.rng)
            expected = self.expected(operands)
            runs = self.runs(usual, forced, cuts, small)
            for what, run in runs.items():
                self.compare(run(operands), expected, f"{length} tokens, {what}")
            if self.target.poisons and self.rng.random() < 1 / 2:
                bad, kind = poisoned(self.form, operands, self.rng)
                reach = Reach(self.form, bad, kind)
                for what, run in runs.items():
                    self.compare(run(bad), expected, f"{length} tokens, some {kind}, {what}", reach)
        if self.rng.random() < 1 / 3:
            self.check_ragged(self.short)

    def lengths(self) -> list[tuple[int, bool]]:
        """Those of calls, and whether the interpreter runs them as well; `short` is one that it runs in time."""
        size = self.form.batch * self.form.heads
        size *= sum(max(1, s.key_size) * max(1, s.value_size) for s in self.form.states)
        if self.target.name == "emulate":
            longest = min(self.form.longest, self.target.longest, max(20, self.target.elements // size))
            tokens = int(self.rng.integers(0, longest + 1))
            self.short = min(tokens, 40)
            return [(tokens, tokens * size <= INTERPRETER_ELEMENTS)]
        lengths = [n for n in LENGTHS if n <= self.form.longest]
        weights = np.array([1.0 + (n > 200) + 2 * (n > 500) for n in lengths])
        long = int(self.rng.choice(lengths, p=weights / weights.sum()))
        self.short = int(self.rng.choice([n for n in lengths if n <= max(1, INTERPRETER_ELEMENTS // size)]))
        return [(self.short, True), (long, False)]

    def runs(self, usual: linmu.Kernel, forced: tuple | None, cuts: list[list[int]], small: bool) -> dict:
        """The ways to get results from operands, by name."""

        def by(kernel, call, *more):
            def run(operands):
                self.kernel = kernel
                return call(operands, *more)

            return run

        result = {"by default": by(usual, self.call)}
        if forced:
            result[f"by {forced[1]}"] = by(forced[0], self.call)
        for places in cuts:
            result[f"cut at {places}"] = by(usual, self.call_in_parts, places)
        if small:
            result["by the interpreter"] = self.interpret
        return result

    def check_ragged(self, longest: int) -> None:
        """Sequences of up to `longest` tokens in one call, each against a loop over it."""
        self.form = replace(self.form, batch=1, ragged=True)
        self.text, _ = function_text(self.form, np.random.default_rng([self.form.seed, 1]))
        schedules = [{}, {"algorithm": "recurrent"}]
        if not self.form.opaque:
            algorithms = [{"algorithm": name} for name in ("chunked", "two_kernels", "segmented")]
            schedules += [{"cores": "8"}, *algorithms, {"algorithm": "chunked", "columns": self.columns()}]
        schedule = schedules[self.rng.integers(len(schedules))]
        kernel = self.compile_if_separable(schedule)
        if not kernel:
            return
        self.kernel = kernel
        lengths = [int(n) for n in self.rng.integers(0, longest + 1, self.rng.integers(1, 6))]
        sequences = random_sequences(self.form, lengths, self.rng)
        expected = [self.expected(operands) for operands in sequences]
        self.check_batch(sequences, expected, [None] * len(sequences), f"{schedule}")
        if self.target.poisons and self.rng.random() < 1 / 2:
            # In every second sequence, so that it has neighbours without.
            bad = [
                poisoned(self.form, operands, self.rng) if number % 2 else (operands, "inf")
                for number, operands in enumerate(sequences)
            ]
            reaches = [Reach(self.form, *own) for own in bad]
            self.check_batch([operands for operands, _ in bad], expected, reaches, f"{schedule}, not finite")

    def check_batch(self, sequences: list[dict], expected: list[dict], reaches: list, what: str) -> None:
        operands = joined(self.form, sequences)
        for results, by in ((self.call(operands), "kernel"), (self.interpret(operands), "interpreter")):
            for number, reach in enumerate(reaches):
                part = alone(results, operands["cu"], number)
                at = f"{what}, {by}, sequence {number} of {operands['cu'].tolist()}"
                self.compare(part, expected[number], at, reach)

    def forced(self) -> tuple[linmu.Kernel, dict[str, str]] | None:
        """A kernel by an algorithm that the cost model need not choose, and its schedule; none of an opaque form."""
        if self.form.opaque:
            return None
        draws = [
            {"algorithm": "two_kernels"},
            {"algorithm": "segmented", "segments": str(self.rng.integers(2, 9))},
            {"algorithm": "chunked", "columns": self.columns()},
        ]
        schedule = {**draws[self.rng.integers(len(draws))], "chunk": str(self.rng.choice([8, 16, 24, 32]))}
        kernel = self.compile_if_separable(schedule)
        return (kernel, schedule) if kernel else None

    def columns(self) -> str:
        widths = [state.value_size for state in self.form.states if state.value_size > 1]
        return str(self.rng.integers(1, max(widths, default=1) + 1))

    def compile_if_separable(self, schedule: dict[str, str]) -> linmu.Kernel | None:
        try:
            return self.compile(**schedule)
        except linmu.PatternError as refused:
            coupled = any(state.mixed for state in self.form.states)
            if "needs all value columns at once" not in str(refused) and not (
                coupled and "its states are coupled" in str(refused)
            ):
                raise
            return None

    def check_report(self) -> None:
        report = json.loads(linmu.explain(self.text, json=True))["ops"][0]
        opaque = report.get("opaque", {})
        if self.form.opaque:
            if report["algorithm"] != "recurrent":
                raise Mismatch(f"{self.form.opaque}: came out {report['algorithm']}")
            if opaque["location"].removeprefix("<pattern>:") not in self.culprits:
                raise Mismatch(f"{self.form.opaque}: expected to be found at {self.culprits}, got {opaque}")
        elif not report["algorithm"].startswith("chunked"):
            raise Mismatch(f"came out {report['algorithm']}: {opaque or report.get('reason')}")

    def expected(self, operands: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
        loop = Loop(self.form, operands)
        return loop.run()

    def call(self, operands: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        sizes = {"B": self.form.batch, "N": self.length(operands)}
        if self.form.ragged:
            sizes["S"] = len(operands["cu"]) - 1
        tokens = set(self.form.tokens)
        results = call(self.kernel, operands, tokens, sizes, self.rng, self.target.alignment)
        return dict(zip(self.form.results(), results, strict=True))

    def length(self, operands: dict[str, torch.Tensor]) -> int:
        return operands[next(iter(self.form.tokens))].shape[1]

    def call_in_parts(self, operands: dict[str, torch.Tensor], cuts: list[int]) -> dict[str, torch.Tensor]:
        """A call for the steps of the walk between each two cuts, on the tokens of these steps."""
        form, length = self.form, self.length(operands)
        order = operands["order"].long() if form.ordered else torch.arange(length).expand(form.batch, length)
        held = dict(operands)
        outputs = {}
        for begin, end in pairwise([0, *cuts, length]):
            low, high = (length - end, length - begin) if form.reverse else (begin, end)
            # The part's own tokens lie in the order of the whole.
            rows, ranks = order[:, low:high].sort(dim=1)
            for name in [*form.tokens, *{"segments", "mask", "live"} & operands.keys()]:
                whole = operands[name]
                # Where one operand serves every sequence, sequences may still visit other tokens of it.
                whole = whole.expand(form.batch, *whole.shape[1:]) if form.ordered else whole
                held[name] = torch.stack([row[at] for row, at in zip(whole, rows)])
            if form.ordered:
                held["order"] = ranks.argsort(dim=1).int()
            results = self.call(held)
            for state in form.states:
                held[f"{state.name}0"] = results[state.name]
            for name, result in results.items():
                if name.endswith("tail"):
                    held[name] = result
                elif name[0] == "o":
                    empty = result.new_empty(form.batch, length, *result.shape[2:])
                    whole = outputs.setdefault(name, empty)
                    for row, at, values in zip(whole, rows, result):
                        row[at] = values.to(whole.dtype)
        return {**results, **outputs}

    def interpret(self, operands: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return dict(zip(self.form.results(), interpret(self.text, operands, self.results), strict=True))

    def compare(
        self, actual: dict, expected: dict[str, np.ndarray], what: str, reach: Reach | None = None
    ) -> None:
        if reach:
            actual, expected = reach.clean(actual, expected, what), reach.expected(expected)
        rounded = self.target.rounds_products
        compare(actual, expected, what, self.form.storage, self.form.feedback, rounded)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first step; each step has the next one")
    add_target(parser)
    parser.add_argument("--print", action="store_true", help="the pattern of every step")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    failed = 0
    for seed in range(arguments.seed, arguments.seed + arguments.steps):
        step = Step(seed, TARGETS[arguments.target])
        if arguments.print:
            print(step.text)
        try:
            step.check()
        except (Mismatch, ValueError, RuntimeError) as problem:
            failed += 1
            print(f"FAILED: --seed {seed} --steps 1: {problem}\n{step.text}", flush=True)
    print(f"{arguments.steps - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
