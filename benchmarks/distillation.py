"""The tables of a distillation: stages, losses and branches, each over several seeds, from one recipe.

    python3 benchmarks/distillation.py distill/recipes/student.json --out build/tables --device cuda --precision bf16

Every run is the recipe with a few keys changed, which stand in OUT/NAME/recipe.json; `linmu distill` makes it, and
`linmu eval` asks its students the held-out questions of the recipe's validation sets, of a seed of its own. A run that was
interrupted goes on where it was, one that is done is not made again, so that the same command in pieces of `--seconds` ends
with all of them. Then OUT/tables.md has the tables: the mean over the seeds and the least and the largest of them.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INIT = "before training"
LOSSES = ("hidden", "token", "sequence", "supervised")


def merged(value, changes):
    """JSON merge patch, https://www.rfc-editor.org/rfc/rfc7396."""
    if not isinstance(changes, dict) or not isinstance(value, dict):
        return changes
    result = dict(value)
    for key, change in changes.items():
        result[key] = merged(result.get(key, {}), change)
    return result


def without(stages: list[dict], loss: str) -> list[dict]:
    """The stages, each without a weight for `loss`; one that would be left with none keeps its own."""
    usual = {"1": ("hidden", "token"), "2": ("hidden", "token"), "3": ("token", "sequence", "supervised")}
    result = []
    for stage in stages:
        left = [each for each in usual[stage["stage"]] if each != loss]
        result.append(merged(stage, {"losses": {loss: 0}}) if left else stage)
    return result


def variants(recipe: dict) -> dict[str, dict]:
    """What each run changes of the recipe, by its name."""
    stages = recipe["stages"]
    steps = sum(stage["steps"] for stage in stages)
    rates = {key: stages[0][key] for key in ("learning_rate",) if key in stages[0]}
    runs = {
        "staged": {},
        "init": {"stages": [{"stage": "1", "steps": 0}]},
        "all": {"stages": [{"stage": "all", "steps": steps, **rates}]},
    }
    for loss in LOSSES:
        runs[f"without-{loss}"] = {"stages": without(stages, loss)}
    for branch in ("flex", "swin"):
        runs[branch] = {"stages": [merged(stage, {"branches": branch}) for stage in stages]}
    return runs


def heldout(sets: list[dict], questions: int) -> list[dict]:
    """The recipe's validation sets with questions that no run has seen, not even to choose a checkpoint."""
    return [
        {**each, "count": questions, **({"seed": each["seed"] + 1000} if "seed" in each else {})}
        for each in sets
    ]


def name_of(spec: dict) -> str:
    return spec.get("generator") or next(key for key in ("easy-vqa", "jsonl") if key in spec)


class Runs:
    def __init__(self, arguments):
        self.arguments = arguments
        self.end = time.monotonic() + arguments.seconds
        self.folder = Path(arguments.recipe).resolve().parent
        self.recipe = json.loads(Path(arguments.recipe).read_text())
        self.out = Path(arguments.out).resolve()
        self.linmu = arguments.linmu
        self.device = ["--device", arguments.device] if arguments.device else []
        self.precision = ["--precision", arguments.precision] if arguments.precision else []

    def absolute(self, spec: dict) -> dict:
        return {
            key: str(self.folder / value) if key in ("easy-vqa", "jsonl") else value
            for key, value in spec.items()
        }

    def run(self, command: list, log: Path) -> bool:
        """False if the time was over before its end, which it is then asked to come to."""
        left = self.end - time.monotonic()
        if left < 5:
            return False
        with log.open("a") as stream:
            process = subprocess.Popen([str(word) for word in command], stdout=stream, stderr=stream)
            try:
                code = process.wait(left)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
                process.wait()
                return False
        if code != 0:
            raise SystemExit(f"{' '.join(map(str, command))} ended with {code}; {log} says why")
        return True

    def make(self, name: str, changes: dict, seed: int) -> bool:
        """Distils and judges one run, or goes on with it; False if it is not done yet."""
        folder = self.out / f"{name}-{seed}"
        if (folder / "accuracy.json").exists():
            return True
        folder.mkdir(parents=True, exist_ok=True)
        recipe = merged(
            self.recipe, {**changes, "seed": seed, "export_stages": True, "out": str(folder / "run")}
        )
        recipe["teacher"] = str(self.folder / self.recipe["teacher"])
        for part in ("data", "validation"):
            recipe[part] = {**recipe[part], "sets": [self.absolute(spec) for spec in recipe[part]["sets"]]}
        (folder / "recipe.json").write_text(json.dumps(recipe, indent=1))
        if not (folder / "run" / "student").exists():
            resume = ["--resume"] if list((folder / "run" / "checkpoints").glob("step-*")) else []
            if not self.run(
                [self.linmu, "distill", folder / "recipe.json", *self.device, *self.precision, *resume],
                folder / "log.txt",
            ):
                return False
        students = {"student": folder / "run" / "student"}
        if name == "staged":
            students |= {path.name: path for path in sorted((folder / "run").glob("stage-*"))}
        accuracy = {}
        for label, student in students.items():
            found = self.judge(student, folder)
            if found is None:
                return False
            accuracy[label] = found
        (folder / "accuracy.json").write_text(json.dumps(accuracy, indent=1))
        return True

    def judge(self, model: Path, folder: Path) -> dict | None:
        accuracy = {}
        for spec in heldout(
            [self.absolute(spec) for spec in self.recipe["validation"]["sets"]], self.arguments.questions
        ):
            answers = folder / f"{model.name}-{name_of(spec)}.jsonl"
            if not answers.exists() and not self.run(
                [self.linmu, "eval", model, "--data", json.dumps(spec), "--out", answers, *self.device],
                folder / "log.txt",
            ):
                return None
            right = [json.loads(line)["right"] for line in answers.read_text().splitlines()]
            accuracy[name_of(spec)] = sum(right) / len(right)
        return accuracy

    def teacher(self) -> dict | None:
        folder = self.out / "teacher"
        folder.mkdir(parents=True, exist_ok=True)
        return self.judge((self.folder / self.recipe["teacher"]).resolve(), folder)

    def accuracy(self, name: str, seed: int, label: str = "student") -> dict | None:
        path = self.out / f"{name}-{seed}" / "accuracy.json"
        return json.loads(path.read_text()).get(label) if path.exists() else None

    def row(self, title: str, name: str, label: str = "student") -> str:
        found = [
            each for seed in self.arguments.seeds if (each := self.accuracy(name, seed, label)) is not None
        ]
        cells = []
        for spec in self.recipe["validation"]["sets"]:
            values = [100 * each[name_of(spec)] for each in found]
            spread = f" ({min(values):.1f} to {max(values):.1f})" if len(values) > 1 else ""
            cells.append(f"{sum(values) / len(values):.1f}{spread}" if values else "not run")
        return f"| {title} | " + " | ".join(cells) + f" | {len(found)} |"

    def tables(self, teacher: dict | None) -> str:
        sets = [name_of(spec) for spec in self.recipe["validation"]["sets"]]
        head = "| {} | " + " | ".join(sets) + " | seeds |\n|---|" + "---|" * (len(sets) + 1)
        stages = [f"stage-{stage.get('name', stage['stage'])}" for stage in self.recipe["stages"]]
        titles = ["stage 1"] + [f"stages 1 to {i + 1}" for i in range(1, len(stages))]
        lines = [
            f"Held-out questions answered, in percent, {self.arguments.questions} of each set: mean (least to largest of the seeds).",
            "",
        ]
        lines += [head.format("stages")]
        if teacher:
            lines += ["| teacher | " + " | ".join(f"{100 * teacher[each]:.1f}" for each in sets) + " | |"]
        lines += [self.row(INIT, "init")]
        lines += [self.row(title, "staged", stage) for title, stage in zip(titles, stages)]
        lines += [
            self.row("all in one stage", "all"),
            "",
            head.format("losses"),
            self.row("all four", "staged"),
        ]
        lines += [self.row(f"without {loss}", f"without-{loss}") for loss in LOSSES]
        lines += ["", head.format("branches"), self.row("both", "staged")]
        lines += [self.row(f"{branch} alone", branch) for branch in ("flex", "swin")]
        return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", help="of a distillation in stages 1, 2 and 3")
    parser.add_argument("--out", required=True, help="the folder of all runs and the tables")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--questions", type=int, default=500, help="of each held-out set")
    parser.add_argument(
        "--only", nargs="+", help="some of the runs: staged, init, all, without-LOSS, flex, swin"
    )
    parser.add_argument(
        "--seconds", type=float, default=1e9, help="after which it stops, to go on another time"
    )
    parser.add_argument("--parallel", type=int, default=1, help="runs beside each other")
    parser.add_argument("--device", choices=["cpu", "cuda"])
    parser.add_argument("--precision", choices=["f32", "bf16"])
    parser.add_argument("--linmu", default=str(ROOT / "build" / "bin" / "linmu"))
    arguments = parser.parse_args()
    runs = Runs(arguments)
    wanted = variants(runs.recipe)
    if unknown := set(arguments.only or []) - set(wanted):
        parser.error(f"--only: there is no run {', '.join(sorted(unknown))}; there are {', '.join(wanted)}")
    jobs = [(name, wanted[name], seed) for name in arguments.only or wanted for seed in arguments.seeds]
    runs.out.mkdir(parents=True, exist_ok=True)
    teacher = runs.teacher()
    with ThreadPoolExecutor(arguments.parallel) as pool:
        done = list(pool.map(lambda job: runs.make(*job), jobs))
    text = runs.tables(teacher)
    (runs.out / "tables.md").write_text(text)
    print(text)
    if not all(done):
        print(
            f"{done.count(False)} of {len(done)} runs are not done yet; the same command goes on",
            file=sys.stderr,
        )
        sys.exit(2)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
