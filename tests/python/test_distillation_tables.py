"""benchmarks/distillation.py on a tiny model: runs in pieces, and the tables that they give."""

import json
import subprocess
import sys

import pytest

from decoder_support import LINMU, ROOT, run

sys.path.insert(0, str(ROOT / "benchmarks"))
import distillation

PROBE = ROOT / "build" / "bin" / "vlm_probe"


@pytest.fixture
def recipe(tmp_path):
    run([PROBE, "new", tmp_path / "teacher", "5"], check=True)
    sets = [{"generator": name, "seed": 1, "count": 6} for name in ("moving-shapes", "written-words")]
    text = {
        "teacher": "teacher",
        "out": "out",
        "mixer": {"preset": "safe", "video_window": [4, 2, 2], "image_window": [2, 2]},
        "data": {"kind": "vision", "sets": sets},
        "validation": {
            "kind": "vision",
            "sets": [{**each, "split": "held-out"} for each in sets],
            "batches": 1,
        },
        "batch": 2,
        "decode_tokens": 3,
        "stages": [{"stage": str(i), "steps": 1, "learning_rate": 1e-3} for i in (1, 2, 3)],
    }
    (tmp_path / "recipe.json").write_text(json.dumps(text))
    return tmp_path / "recipe.json"


def tables(recipe, *arguments):
    return subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "distillation.py", recipe, "--out", recipe.parent / "tables",
         "--linmu", LINMU, "--questions", "2", "--seeds", "0", "1", *arguments],
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip


def test_runs_go_on_and_make_tables(recipe):
    out = recipe.parent / "tables"
    cut = tables(recipe, "--only", "init", "staged", "--seconds", "6")
    assert cut.returncode == 2 and "the same command goes on" in cut.stderr
    done = tables(recipe, "--only", "init", "staged", "--parallel", "2")
    assert done.returncode == 0, done.stderr
    text = (out / "tables.md").read_text()
    assert text in done.stdout
    rows = {
        line.split(" | ")[0][2:]: line.split(" | ")[1:] for line in text.splitlines() if line.startswith("| ")
    }
    for title in ("before training", "stage 1", "stages 1 to 2", "stages 1 to 3", "both"):
        assert len(rows[title]) == 3 and " to " in rows[title][0] and rows[title][2].startswith("2"), rows[
            title
        ]
    assert rows["all in one stage"][0] == "not run"
    # The recipe of each run stands beside it, with its seed and what was changed.
    written = json.loads((out / "init-1" / "recipe.json").read_text())
    assert written["seed"] == 1 and written["stages"] == [{"stage": "1", "steps": 0}]
    # What was asked is of a seed that no run has seen.
    answers = [
        json.loads(line) for line in (out / "init-1" / "student-written-words.jsonl").read_text().splitlines()
    ]
    assert [each["name"].split(":")[0] for each in answers] == ["written-words-held-out-1001"] * 2
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.jsonl")}
    assert tables(recipe, "--only", "init", "staged").returncode == 0
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*.jsonl")}, "nothing is made again"


def test_what_a_run_leaves_out():
    recipe = {"stages": [{"stage": str(i), "steps": 10 * i, "learning_rate": 1e-3} for i in (1, 2, 3)]}
    runs = distillation.variants(recipe)
    assert runs["all"]["stages"] == [{"stage": "all", "steps": 60, "learning_rate": 1e-3}]
    assert [stage["branches"] for stage in runs["flex"]["stages"]] == ["flex"] * 3
    for loss in distillation.LOSSES:
        stages = runs[f"without-{loss}"]["stages"]
        assert all(stage["losses"][loss] == 0 for stage in stages)
    assert distillation.merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 4}}) == {
        "a": {"b": 4, "c": 2},
        "d": 3,
    }


def test_an_unknown_run_is_named(recipe):
    done = tables(recipe, "--only", "without-luck")
    assert done.returncode == 2 and "there is no run without-luck" in done.stderr
