"""Random patterns whose launches draw_launches.py writes: each gives its text, its operands' pools, and launches of random
sizes with what a loop in fp64, or the interpreter, gives for them."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/fuzz"), str(ROOT / "tests/python")]

import linmu  # noqa: E402
import programs  # noqa: E402
import window_cases  # noqa: E402
from both_directions import NAMES, Both  # noqa: E402
from calls import interpret  # noqa: E402
from comparison import FEEDBACK_TOLERANCE, ROUNDED_TOLERANCE, TOLERANCE, worst  # noqa: E402
from function_text import function_text  # noqa: E402
from generator import random_recurrence  # noqa: E402
from launch_check import as_rows, operand_of, signs  # noqa: E402
from loop import Loop  # noqa: E402
from operands import random_operands  # noqa: E402
from recurrence import Recurrence  # noqa: E402

CLAUSES = {"order", "segments", "segmentstail", "mask", "live", "cu"}
POOL_BYTES = 300_000  # of a kernel's operands, and of each of its initial states
VALUES = 2_000  # of a launch's results that are kept
STEP_ELEMENTS = 40_000_000  # of states that a launch may visit


def tolerance_of(storage: str, feedback: bool) -> float:
    return ROUNDED_TOLERANCE if storage != "f32" else FEEDBACK_TOLERANCE if feedback else TOLERANCE


def kept(values: np.ndarray, head_axis: int, tolerance: float, most: int, rng) -> dict:
    """What launch_check.errors() needs of a result; at most so many values of it."""
    others = tuple(axis for axis in range(values.ndim) if axis != head_axis)
    scale = np.maximum(np.sqrt((values**2).mean(axis=others)), 0.1) if values.size else np.ones(1)
    rows = as_rows(torch.from_numpy(np.ascontiguousarray(values)), head_axis)
    count = min(len(rows), most // max(1, rows.shape[1]))
    # The first and the last, and as many others as there is room for.
    chosen = rng.permutation(len(rows))[:count]
    chosen[: min(2, count)] = [len(rows) - 1, 0][: min(2, count)]
    chosen = torch.from_numpy(np.unique(chosen))
    return {
        "head_axis": head_axis,
        "tolerance": tolerance,
        "scale": torch.from_numpy(scale).float(),
        "rows": chosen.int(),
        "values": rows[chosen].float(),
        "sums": (rows @ signs(rows.shape[1]).T).float() if rows.numel() else rows.float(),
    }


def sequence(form: Recurrence, operands: dict, number: int) -> dict:
    """The operands of one sequence of a ragged batch."""
    begin, end = (int(n) for n in operands["cu"][number : number + 2])
    states = {f"{state.name}0" for state in form.states}
    result = {}
    for name, x in operands.items():
        if name == "cu" or name in form.params:
            result[name] = x
        elif name.endswith("tail") or name in states:
            result[name] = x[number : number + 1]
        else:
            result[name] = x[:, begin:end]
    if "order" in result:
        result["order"] = result["order"] - begin
    return result


def looped(form: Recurrence, operands: dict) -> dict[str, np.ndarray]:
    """Results by name, of a batch or of a ragged one."""
    if not form.ragged:
        return Loop(form, operands).run()
    each = [Loop(form, sequence(form, operands, i)).run() for i in range(len(operands["cu"]) - 1)]
    return {name: np.concatenate([r[name] for r in each], axis=int(name[0] == "o")) for name in each[0]}


def clauses(form: Recurrence, tokens: int, table: np.ndarray | None, rng) -> dict[str, torch.Tensor]:
    """Orders, segments and masks of a launch; of a ragged batch, of its sequences one behind the other."""
    if table is None:
        drawn = random_operands(form, tokens, rng)
        return {name: x for name, x in drawn.items() if name in CLAUSES}
    parts = [random_operands(form, int(n), rng) for n in np.diff(table)]
    result = {"cu": torch.from_numpy(table).int()}
    for name in CLAUSES & parts[0].keys():
        own = [
            part[name] + int(begin) if name == "order" else part[name] for part, begin in zip(parts, table)
        ]
        result[name] = torch.cat(own, dim=0 if name.endswith("tail") else 1)
    return result


def pool_rows(form: Recurrence) -> int:
    return max(
        8, min(64, POOL_BYTES // max(1, sum(8 * t.heads * max(1, t.features) for t in form.tokens.values())))
    )


class Subject:
    """A pattern: its text, schedule and pools, and the launches that are drawn of it."""

    what = ""
    schedule: dict[str, str]

    def sizes(self, rng, longest: int, size: int, ragged: bool) -> dict:
        """`size`: elements of the states of one sequence."""
        batch = 1 if ragged else int(rng.integers(1, 4))
        most = max(1, min(longest, STEP_ELEMENTS // (size * batch)))
        tokens = (
            int(rng.integers(0, min(130, most) + 1))
            if rng.random() < 0.75
            else int(rng.integers(0, most + 1))
        )
        table = None
        sequences = 1
        if ragged:
            sequences = int(rng.integers(1, 6))
            table = np.array([0, *np.sort(rng.integers(0, tokens + 1, sequences - 1)), tokens], np.int32)
        return {"batch": batch, "tokens": tokens, "sequences": sequences, "table": table}

    def launch(self, rng) -> dict:
        """One launch: what its operands are, and what is expected."""
        sizes = self.drawn_sizes(rng)
        table = sizes.pop("table", None)
        launch = {**sizes, "start": int(rng.integers(0, 1000)), "fused": bool(rng.random() < 1 / 3)}
        launch["given"] = self.given(launch, table, rng)
        symbolic = [
            name
            for name, _, shape in self.inputs
            if shape and shape[0] == "B" and name not in launch["given"]
        ]
        ragged = launch["sequences"] > 1 or table is not None
        launch["once"] = [] if ragged else [name for name in symbolic if rng.random() < 0.1]
        operands = dict(launch["given"])
        for name, _, shape in self.inputs:
            if name not in operands:
                operands[name] = operand_of(self.pools[name], list(shape), launch, name)
        self.operands = operands
        expected = self.expected(operands, launch)
        launch["expected"] = [
            {"copy": torch.from_numpy(np.ascontiguousarray(expected[name])).to(operands[source].dtype)}
            if (source := self.copies(name))
            else kept(expected[name], *self.measure(name), VALUES // len(self.names), rng)
            for name in self.names
        ]
        return launch

    def copies(self, name: str) -> str:
        """The operand whose values a result holds, or ""."""
        return ""

    def confirm(self, launch: dict) -> None:
        """The interpreter says the same as `expected`."""
        results = [name for name, _, _ in self.signature.results]
        got = interpret(self.text, self.operands, results)
        for name, tensor, expected in zip(self.names, got, self.last):
            axis = min(self.measure(name)[0], expected.ndim - 1)
            if not worst(tensor, expected, axis) < 1e-6:
                raise RuntimeError(f"the interpreter gives another '{name}'\n{self.text}")

    def trim_pools(self) -> None:
        """To what the pattern takes, and large states to one for all sequences."""
        self.pools = {name: self.pools[name] for name, _, _ in self.inputs if name in self.pools}
        for name, _, shape in self.inputs:
            if name in self.pools and "N" not in shape and shape and shape[0] in ("B", "S"):
                one = self.pools[name][0]
                count = max(1, POOL_BYTES // (4 * one.numel()))
                self.pools[name] = self.pools[name][:count].clone()

    def open(self) -> None:
        self.signature = linmu.compile(self.text, schedule=self.schedule, cache=False)
        self.inputs = self.signature.inputs


class OneRecurrence(Subject):
    @staticmethod
    def storage(seed: int) -> str:
        return random_recurrence(seed).storage

    def __init__(self, seed: int, rng):
        form = random_recurrence(seed)
        ragged = bool(rng.random() < 0.2)
        self.form = replace(form, batch=1, ragged=True) if ragged else form
        self.text, _ = function_text(self.form, np.random.default_rng([seed, 1]))
        self.schedule = schedule_of(self.form, rng)
        self.open()
        self.pools = random_operands(replace(self.form, batch=1 if ragged else 3), pool_rows(form), rng)
        if ragged:
            again = [random_operands(self.form, 1, rng) for _ in range(3)]
            self.pools |= {
                name: torch.cat([o[name] for o in again]) for name in again[0] if self.of_sequence(name)
            }
        self.names = self.form.results()
        self.size = form.heads * sum(max(1, s.key_size) * max(1, s.value_size) for s in form.states)
        kind = "opaque" if form.opaque else "delta" if form.feedback else "scan"
        self.what = f"{kind}-{form.storage}{'-ragged' if ragged else ''}"

    def of_sequence(self, name: str) -> bool:
        return name.endswith("tail") or name in {f"{state.name}0" for state in self.form.states}

    def drawn_sizes(self, rng) -> dict:
        return self.sizes(rng, max(130, self.form.longest), self.size, self.form.ragged)

    def given(self, launch: dict, table, rng) -> dict:
        self.form = replace(self.form, batch=launch["batch"])
        return clauses(self.form, launch["tokens"], table, rng)

    def expected(self, operands: dict, launch: dict) -> dict:
        results = looped(self.form, operands)
        self.last = [results[name] for name in self.names]
        return results

    def copies(self, name: str) -> str:
        return name if name.endswith("tail") else ""

    def measure(self, name: str) -> tuple[int, float]:
        return 1 if name[0] == "S" else 2, tolerance_of(self.form.storage, self.form.feedback)


class BothDirections(Subject):
    @staticmethod
    def storage(seed: int) -> str:
        return random_recurrence(5 * seed).storage

    def __init__(self, seed: int, rng):
        self.both = both = Both(seed)
        self.text = both.text
        self.schedule = {"chunk": "16"} | ({} if rng.random() < 0.6 else {"fuse": "false"})
        self.open()
        ragged = both.ragged
        self.pools = {}
        for direction, form in reversed(list(enumerate(both.forms))):
            rows = min(pool_rows(each) for each in both.forms) // 2
            own = random_operands(replace(form, batch=1 if ragged else 3), max(8, rows), rng)
            if ragged:
                again = [random_operands(form, 1, rng) for _ in range(3)]
                states = {f"{state.name}0" for state in form.states}
                for name in again[0]:
                    if name.endswith("tail") or name in states:
                        own[name] = torch.cat([o[name] for o in again])
            self.pools |= {both.operand(name, direction): x for name, x in own.items()}
        heads = [both.forms[0].heads] if both.by_head else []
        self.pools["gate"] = torch.tensor(rng.normal(size=(2, 32, *heads)), dtype=torch.float32)
        self.pools["learnt"] = torch.tensor(rng.random((2, 32)) < 0.6)
        self.names = ["y"]
        for direction, form in enumerate(both.forms):
            self.names += [f"{NAMES[direction]}.{form.results()[i]}" for i in both.returned[direction]]
        form = both.forms[0]
        self.size = sum(
            f.heads * max(1, s.key_size) * max(1, s.value_size) for f in both.forms for s in f.states
        )
        self.what = f"both-{form.storage}{'-ragged' if ragged else ''}"

    def drawn_sizes(self, rng) -> dict:
        return self.sizes(rng, max(130, self.both.longest), self.size, self.both.ragged)

    def given(self, launch: dict, table, rng) -> dict:
        result = {}
        for direction in (1, 0):
            form = self.both.forms[direction]
            form.batch = launch["batch"]
            own = clauses(form, launch["tokens"], table, rng)
            result |= {self.both.operand(name, direction): x for name, x in own.items()}
        return result

    def expected(self, operands: dict, launch: dict) -> dict:
        both, results = self.both, {}
        for direction, form in enumerate(both.forms):
            own = {}
            for name in self.pools_of(form):
                if (outer := both.operand(name, direction)) in operands:
                    own[name] = operands[outer]
            values = looped(form, own)
            results |= {f"{NAMES[direction]}.{name}": x for name, x in values.items()}
        gate = {name: operands[name] for name in ("gate", "learnt") if name in operands}
        results["y"] = both.mixed(results[f"{NAMES[0]}.o0"], results[f"{NAMES[1]}.o0"], gate)
        self.last = [results[name] for name in self.names]
        return results

    @staticmethod
    def pools_of(form: Recurrence) -> list[str]:
        names = [*form.tokens, *form.params, *(f"{state.name}0" for state in form.states), *CLAUSES]
        return names + [f"{token.name}tail" for token in form.tokens.values() if token.tail]

    def copies(self, name: str) -> str:
        if not name.endswith("tail"):
            return ""
        direction, own = NAMES.index(name.split(".")[0]), name.split(".")[1]
        return self.both.operand(own, direction)

    def measure(self, name: str) -> tuple[int, float]:
        ahead, back = self.both.forms
        feedback = ahead.feedback or back.feedback
        return 1 if ".S" in name else 2, tolerance_of(ahead.storage, feedback)


class Windows(Subject):
    @staticmethod
    def storage(seed: int) -> str:
        return "f32" if window_cases.random_case(seed).dtype == torch.float32 else "bf16"

    def __init__(self, seed: int, rng):
        self.case = replace(window_cases.random_case(seed), poison=0)
        self.text, self.schedule = self.case.text(), dict(self.case.schedule)
        self.schedule = {key: str(value) for key, value in self.schedule.items()}
        self.open()
        big = replace(self.case, grids=[(1, 1, 60)], batch=3)
        self.pools = big.operands(seed)
        self.names = [name for name, _, _ in self.signature.results]
        self.what = f"windows-{'bf16' if self.case.dtype == torch.bfloat16 else 'f32'}-{self.case.score}"

    def drawn_sizes(self, rng) -> dict:
        longest = int(rng.choice([4, 6, 9]))
        grids = [tuple(int(n) for n in rng.integers(1, longest, 3)) for _ in range(rng.integers(4))]
        self.case = replace(self.case, grids=grids, batch=int(rng.integers(1, 3)))
        return {"batch": self.case.batch, "tokens": self.case.tokens, "sequences": 1}

    def given(self, launch: dict, table, rng) -> dict:
        return {"m": torch.tensor(self.case.media, dtype=torch.int32).reshape(-1, 4)}

    def expected(self, operands: dict, launch: dict) -> dict:
        whole = {
            name: x.expand(launch["batch"], *x.shape[1:]) if name in "qkv" else x
            for name, x in operands.items()
        }
        self.last = [self.case.expected(whole)]
        return dict(zip(self.names, self.last))

    def measure(self, name: str) -> tuple[int, float]:
        return 2, ROUNDED_TOLERANCE if self.case.dtype == torch.bfloat16 else TOLERANCE


class Programs(Subject):
    """Of several ops; its results are the interpreter's."""

    def __init__(self, seed: int, rng):
        self.program = programs.Program(seed)
        self.text, self.schedule = self.program.text(), {"fuse": str(rng.choice(["true", "false"]))}
        self.open()
        self.pools = {
            name: torch.from_numpy(np.ascontiguousarray(x))
            for name, x in self.program.operands_of(64).items()
        }
        self.names = [name for name, _, _ in self.signature.results]
        self.what = f"program{'-ragged' if self.program.ragged else ''}"

    def drawn_sizes(self, rng) -> dict:
        self.drawn = self.program.operands_of(int(rng.integers(0, 131)))
        sequences = len(self.drawn["cu"]) - 1 if self.program.ragged else 1
        return {"batch": len(self.drawn["x"]), "tokens": self.drawn["x"].shape[1], "sequences": sequences}

    def given(self, launch: dict, table, rng) -> dict:
        return {
            name: torch.from_numpy(np.ascontiguousarray(x))
            for name, x in self.drawn.items()
            if name not in ("x", "y", "z", "w")
        }

    def expected(self, operands: dict, launch: dict) -> dict:
        whole = {
            name: x.expand(launch["batch"], *x.shape[1:]) if name in ("x", "y", "z") else x
            for name, x in operands.items()
        }
        results = programs.interpret(self.text, {name: x.numpy() for name, x in whole.items()})
        return {
            name: results[name].astype(np.int32 if results[name].dtype.kind == "i" else np.float64)
            for name in results
        }

    def copies(self, name: str) -> str:
        return "xtail" if name[0] == "t" else "idtail" if name[0] == "i" else ""

    def measure(self, name: str) -> tuple[int, float]:
        return 1 if name[0] == "s" else 2, TOLERANCE

    def confirm(self, launch: dict) -> None:
        pass


def schedule_of(form: Recurrence, rng) -> dict[str, str]:
    """Half of them by default, the others by what need not be chosen. Chunks of 64 tokens with feedback, or of several
    states in f32, are texts that NVRTC compiles for minutes."""
    if form.opaque:
        return {}
    long = form.feedback or len(form.states) > 1
    widest = max(1, *(state.value_size for state in form.states))
    draws = [
        {"algorithm": "two_kernels"},
        {"algorithm": "segmented", "segments": str(rng.integers(2, 9))},
        {"algorithm": "chunked", "columns": str(rng.integers(1, widest + 1))},
    ]
    drawn = {} if rng.random() < 0.5 else draws[rng.integers(len(draws))]
    if long:
        return {**drawn, "chunk": str(rng.choice([16, 16, 32])) if form.storage != "f32" else "16"}
    return {**drawn, "chunk": str(rng.choice([16, 32, 64]))} if drawn else {}
