"""Two random recurrences, one in each direction, and a gate as one pattern. Ends with `N passed, N failed`.

Both may read the same operands; decays, masks, segments and orders are their own. The kernel, by an algorithm that
the schedule may force and with the gate fused or apart, and the interpreter are held against two loops in fp64, as a
batch or as a ragged one, with values that are not finite in half of the steps. `--target emulate` runs kernels for
CUDA on the host, on up to 130 tokens.
"""

import argparse
import re
import sys
from dataclasses import replace

import numpy as np
import torch

import linmu
from calls import call, interpret
from comparison import Mismatch, compare
from function_text import function_text
from generator import Generator
from loop import Loop
from not_finite import Reach, poisoned
from operands import sigmoid
from ragged import alone, joined, random_sequences
from recurrence import Recurrence
from targets import TARGETS, Target, add_target

LENGTHS = [0, 1, 2, 15, 16, 17, 33, 64, 65, 100, 255, 1000]
INTERPRETER_ELEMENTS = 400_000
NAMES = ("ahead", "back")
# Of schedules that do not suit every recurrence.
REFUSALS = ("needs all value columns at once", "its states are coupled")


def renamed(text: str, names: dict[str, str]) -> str:
    return re.sub(r"%(\w+)", lambda name: f"%{names.get(name[1], name[1])}", text)


class Both:
    """The pattern: two scans and a map that mixes their first outputs."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng([seed, 3])
        # Of five seeds the last is opaque.
        ahead = Generator(5 * seed).run()
        back = Generator(5 * seed + 1, like=ahead).run()
        self.ragged = bool(self.rng.random() < 0.3)
        for form in (ahead, back):
            form.ragged = self.ragged
            form.batch = 1 if self.ragged else ahead.batch
        ahead.reverse = bool(self.rng.random() < 0.5)
        back.reverse = not ahead.reverse
        self.forms = (ahead, back)
        self.longest = min(ahead.longest, back.longest)
        self.shared = {"order"} if ahead.ordered and back.ordered and self.rng.random() < 0.7 else set()
        self.shared |= {"cu"} if self.ragged else set()
        for name in ("k00", "v00", "q00"):
            if name in ahead.tokens and name in back.tokens and self.rng.random() < 0.7:
                same = ahead.tokens[name]
                back.tokens[name] = replace(back.tokens[name], heads=same.heads, dtype=same.dtype)
                self.shared.add(name)
        self.by_head = bool(self.rng.random() < 0.7)
        self.learnt, self.norm = self.rng.random() < 0.5, self.rng.random() < 0.4
        self.returned = [[], []]  # the results of each scan that the caller gets, by number
        for form, returned in zip(self.forms, self.returned):
            returned += [i for i in range(len(form.results())) if i or self.rng.random() < 0.2]
        self.text = self.write(seed)

    def operand(self, name: str, direction: int) -> str:
        return f"{name}_back" if direction and name not in self.shared else name

    def write(self, seed: int) -> str:
        arguments, scans, names, types = {}, [], ["y"], []
        for direction, form in enumerate(self.forms):
            text, _ = function_text(form, np.random.default_rng([seed, direction]))
            head, *lines = text.splitlines()
            inputs, results = head.removesuffix(") {").split(") -> (")
            inputs = dict(entry[1:].split(": ") for entry in inputs.partition("(")[2].split(", "))
            own = {name: self.operand(name, direction) for name in inputs}
            arguments |= {own[name]: kind for name, kind in inputs.items()}
            own |= {f"r{i}": f"{NAMES[direction]}{i}" for i in range(len(form.results()))}
            scans += [renamed(line, own) for line in lines[:-2]]
            results = results.split(", ")
            types = types or [results[0]]
            names += [f"{NAMES[direction]}{i}" for i in self.returned[direction]]
            types += [results[i] for i in self.returned[direction]]
        output = types[0]
        gate = f"tensor<?x?x{self.forms[0].heads}xf32>" if self.by_head else "tensor<?x?xf32>"
        arguments |= {"gate": gate} | ({"learnt": "tensor<?x?xi1>"} if self.learnt else {})
        listed = ", ".join(f"%{name}: {kind}" for name, kind in arguments.items())
        returned = f"{', '.join('%' + name for name in names)} : {', '.join(types)}"
        return "\n".join(
            [
                f"func.func @both({listed}) -> ({', '.join(types)}) {{",
                *scans,
                *self.mix(output, gate),
                f"  return {returned}",
                "}",
                "",
            ]
        )

    def mix(self, output: str, gate: str) -> list[str]:
        vector = f"tensor<{self.forms[0].outputs[0].features}xf32>"
        tokens = [f"%of = %ahead0 : {output}", f"%ob = %back0 : {output}", f"%gt = %gate : {gate}"]
        tokens += ["%lt = %learnt : tensor<?x?xi1>"] if self.learnt else []
        clause = " sequences(%cu : tensor<?xi32>)" if self.ragged else ""
        chosen = "arith.select %lt, %s, %one : f32" if self.learnt else "arith.mulf %s, %one : f32"
        lines = [
            f"  %y = pattern.map tokens({', '.join(tokens)}){clause} -> ({output}) {{",
            "    %one = arith.constant 1.0 : f32",
            "    %s = pattern.sigmoid %gt : f32",
            f"    %g = {chosen}",
            "    %rest = arith.subf %one, %g : f32",
            f"    %G = pattern.broadcast %g : f32 to {vector}",
            f"    %R = pattern.broadcast %rest : f32 to {vector}",
            f"    %a = arith.mulf %G, %of : {vector}",
            f"    %b = arith.mulf %R, %ob : {vector}",
            f"    %m = arith.addf %a, %b : {vector}",
        ]
        if self.norm:
            features = float(self.forms[0].outputs[0].features)
            lines += [
                f"    %p = pattern.dot %m, %m : {vector}",
                f"    %n = arith.constant {features!r} : f32",
                "    %mean = arith.divf %p, %n : f32",
                "    %half = arith.constant 0.5 : f32",
                "    %safe = arith.addf %mean, %half : f32",
                "    %inv = math.rsqrt %safe : f32",
                f"    %I = pattern.broadcast %inv : f32 to {vector}",
                f"    %out = arith.mulf %I, %m : {vector}",
            ]
        return [
            *lines,
            f"    pattern.yield outputs({'%out' if self.norm else '%m'} : {vector})",
            "  }",
        ]

    def mixed(self, ahead: np.ndarray, back: np.ndarray, gate: dict[str, torch.Tensor]) -> np.ndarray:
        g = sigmoid(gate["gate"].double().numpy())
        if self.learnt:
            learnt = gate["learnt"].numpy()
            g = np.where(learnt[..., None] if self.by_head else learnt, g, 1)
        g = g[..., None] if self.by_head else g[..., None, None]
        y = g * ahead + (1 - g) * back
        return y / np.sqrt((y**2).mean(-1, keepdims=True) + 0.5) if self.norm else y


class Case:
    """The operands of one batch, or of one sequence of a ragged batch, and what is expected of them."""

    def __init__(
        self, both: Both, operands: list[dict], gate: dict, reaches: tuple[Reach, Reach] | None = None
    ):
        self.operands, self.gate, self.reaches = operands, gate, reaches
        with np.errstate(all="ignore"):
            self.results = [Loop(form, own).run() for form, own in zip(both.forms, operands)]
            self.y = both.mixed(self.results[0]["o0"], self.results[1]["o0"], gate)

    def poisoned(self, both: Both, rng) -> "Case":
        """The same with some operands not finite, of one direction or of both."""
        operands, gate, kinds = list(self.operands), dict(self.gate), []
        for direction in ([0], [1], [0, 1])[rng.integers(3)]:
            operands[direction], kind = poisoned(both.forms[direction], operands[direction], rng)
            kinds.append(kind)
            for name in both.shared & operands[0].keys():
                operands[1 - direction] = {**operands[1 - direction], name: operands[direction][name]}
        if rng.random() < 0.3 and gate["gate"].numel():
            gate["gate"] = gate["gate"].clone()
            gate["gate"][tuple(int(rng.integers(extent)) for extent in gate["gate"].shape)] = float("nan")
        kind = "nan" if set(kinds) == {"nan"} else "inf"
        reaches = tuple(Reach(form, own, kind) for form, own in zip(both.forms, operands))
        return Case(both, operands, gate, reaches)


class Step:
    """One random pattern and what is checked of it."""

    def __init__(self, seed: int, target: Target):
        self.target = target
        self.both = Both(seed)
        self.rng = self.both.rng

    def schedules(self) -> list[dict[str, str]]:
        """The default, and one that forces what need not be chosen."""
        widest = max(1, *(state.value_size for form in self.both.forms for state in form.states))
        draws = [
            {"fuse": "false"},
            {"algorithm": "recurrent"},
            {"algorithm": "two_kernels"},
            {"algorithm": "segmented", "segments": str(self.rng.integers(2, 9))},
            {"algorithm": "chunked", "columns": str(self.rng.integers(1, widest + 1))},
        ]
        drawn = draws[self.rng.integers(len(draws))]
        if drawn.get("algorithm") not in (None, "recurrent"):
            drawn["chunk"] = str(self.rng.choice([8, 16, 24, 32]))
        return [{}, drawn]

    def check(self) -> None:
        both = self.both
        kernels = []
        for schedule in self.schedules():
            try:
                kernel = linmu.compile(both.text, schedule=schedule, target=self.target.name, cache=False)
                kernels.append((kernel, f"by {schedule}"))
            except linmu.PatternError as refused:
                if not any(reason in str(refused) for reason in REFUSALS):
                    raise
        self.results = [name for name, _, _ in kernels[0][0].results]
        size = both.forms[0].batch * both.forms[0].heads
        size *= sum(max(1, s.key_size) * max(1, s.value_size) for form in both.forms for s in form.states)
        most = min(both.longest, self.target.longest, max(20, self.target.elements // size))
        longest = int(self.rng.choice([n for n in LENGTHS if n <= most]))
        tokens = [longest]
        if both.ragged:
            tokens = [int(n) for n in self.rng.integers(0, longest + 1, self.rng.integers(1, 6))]
        cases = self.cases(tokens)
        runs = [(lambda operands, kernel=kernel: self.call(kernel, operands), by) for kernel, by in kernels]
        if sum(tokens) * size <= INTERPRETER_ELEMENTS:
            runs.append((lambda operands: interpret(both.text, operands, self.results), "by the interpreter"))
        self.check_cases(cases, cases, runs, f"{tokens} tokens")
        if self.target.poisons and self.rng.random() < 0.5:
            bad = [case.poisoned(both, self.rng) for case in cases]
            self.check_cases(bad, cases, runs, f"{tokens} tokens, some not finite")

    def cases(self, tokens: list[int]) -> list[Case]:
        both = self.both
        sequences = [random_sequences(form, tokens, self.rng) for form in both.forms]
        result = []
        for length, ahead, back in zip(tokens, *sequences):
            back.update({name: ahead[name] for name in both.shared & ahead.keys()})
            shape = [both.forms[0].batch, length, *([both.forms[0].heads] if both.by_head else [])]
            gate = {"gate": torch.tensor(self.rng.normal(size=shape), dtype=torch.float32)}
            if both.learnt:
                gate["learnt"] = torch.tensor(self.rng.random(shape[:2]) < 0.6)
            result.append(Case(both, [ahead, back], gate))
        return result

    def operands(self, cases: list[Case]) -> dict[str, torch.Tensor]:
        both, result = self.both, {}
        for direction, form in enumerate(both.forms):
            own = [case.operands[direction] for case in cases]
            whole = joined(form, own) if both.ragged else own[0]
            result |= {both.operand(name, direction): tensor for name, tensor in whole.items()}
        for name in cases[0].gate:
            result[name] = torch.cat([case.gate[name] for case in cases], dim=1)
        return result

    def call(self, kernel: linmu.Kernel, operands: dict[str, torch.Tensor]) -> list[torch.Tensor]:
        both = self.both
        tokens = {both.operand(name, d) for d, form in enumerate(both.forms) for name in form.tokens}
        sizes = {"B": both.forms[0].batch, "N": operands["gate"].shape[1]}
        if both.ragged:
            sizes["S"] = len(operands["cu"]) - 1
        return call(kernel, operands, {*tokens, "gate"}, sizes, self.rng, self.target.alignment)

    def check_cases(self, cases: list[Case], usual: list[Case], runs: list, what: str) -> None:
        operands = self.operands(cases)
        for run, by in runs:
            y, *rest = run(operands)
            for direction, form in enumerate(self.both.forms):
                names = [form.results()[i] for i in self.both.returned[direction]]
                own, rest = dict(zip(names, rest)), rest[len(names) :]
                for number, case in enumerate(cases):
                    at = f"{what}, sequence {number}, {by}, {NAMES[direction]}"
                    self.compare(self.part(own, operands, number), case, usual[number], direction, form, at)
            for number, case in enumerate(cases):
                part = self.part({"o": y}, operands, number)["o"]
                self.compare_mixed(part, case, usual[number], f"{what}, sequence {number}, {by}")

    def part(self, results: dict, operands: dict, number: int) -> dict:
        return alone(results, operands["cu"], number) if self.both.ragged else results

    def compare(
        self, actual: dict, case: Case, usual: Case, direction: int, form: Recurrence, what: str
    ) -> None:
        expected = {name: usual.results[direction][name] for name in actual}
        if case.reaches:
            reach = case.reaches[direction]
            actual, expected = reach.clean(actual, expected, what), reach.expected(expected)
        compare(actual, expected, what, form.storage, form.feedback, self.target.rounds_products)

    def compare_mixed(self, actual: torch.Tensor, case: Case, usual: Case, what: str) -> None:
        ahead, back = self.both.forms
        if case.reaches:
            gate = ~np.isfinite(case.gate["gate"].numpy())
            reached = gate[..., None] if self.both.by_head else gate[..., None, None]
            for reach in case.reaches:
                reached = reached | reach.reached["o0"]
            plain = torch.from_numpy(usual.y).to(actual.dtype)
            actual = torch.where(
                torch.from_numpy(np.broadcast_to(reached, usual.y.shape).copy()), plain, actual
            )
        feedback, rounded = ahead.feedback or back.feedback, self.target.rounds_products
        compare({"y": actual}, {"y": usual.y}, what, ahead.storage, feedback, rounded)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first step; each step has the next one")
    add_target(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    failed = 0
    for seed in range(arguments.seed, arguments.seed + arguments.steps):
        step = Step(seed, TARGETS[arguments.target])
        try:
            step.check()
        except (Mismatch, ValueError, RuntimeError) as problem:
            failed += 1
            print(f"FAILED: --seed {seed} --steps 1: {problem}\n{step.both.text}", flush=True)
    print(f"{arguments.steps - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
