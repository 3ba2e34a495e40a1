"""`linmu distill` with a vision-language model as teacher: data with videos, resuming, a student that answers."""

import json
import shutil

import pytest
from safetensors.torch import load_file

from decoder_support import LINMU, ROOT, run

PROBE = ROOT / "build" / "bin" / "vlm_probe"


def linmu(*arguments, code=0):
    done = run([LINMU, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Four steps with Flex-MA on generated videos and pictures and on a file with a damaged line."""
    folder = tmp_path_factory.mktemp("vision")
    run([PROBE, "new", folder / "teacher", "5"], check=True)
    linmu(
        "data", "moving-shapes", "--count", "4", "--side", "32", "--frames", "16", "--out", folder / "clips"
    )
    with (folder / "clips" / "data.jsonl").open("a") as file:
        file.write('{"video": "media/none.gif"}\n')
    recipe = {
        "teacher": "teacher",
        "out": "out",
        "mixer": {"preset": "safe", "video_window": [4, 2, 2], "image_window": [2, 2]},
        "data": {
            "kind": "vision",
            "sets": [
                {"generator": "moving-shapes", "seed": 1, "count": 6},
                {"generator": "written-words", "seed": 1, "count": 5, "repeat": 2},
                {"jsonl": "clips/data.jsonl"},
            ],
        },
        "validation": {
            "kind": "vision",
            "sets": [{"generator": "moving-shapes", "split": "held-out", "seed": 2, "count": 2}],
        },
        "batch": 2,
        "accumulate": 2,
        "checkpoints": {"every": 2, "keep": 9},
        "stages": [{"stage": "1", "steps": 4}],
    }
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return folder, linmu("distill", folder / "recipe.json")


def test_the_student_is_a_vision_language_model_with_the_teachers_eyes(whole):
    folder, done = whole
    teacher, student = (load_file(folder / name / "model.safetensors") for name in ("teacher", "out/student"))
    seen = [name for name in teacher if name.startswith(("vision.", "projector."))]
    assert seen and all(student[name].equal(teacher[name]) for name in seen)
    assert "model.layers.1.mmate.flex.weight" in student
    assert not student["model.layers.1.mmate.flex.weight"][:32].equal(
        teacher["model.layers.1.self_attn.q_proj.weight"]
    )
    config = json.loads((folder / "out/student/config.json").read_text())
    assert config["architectures"] == ["LinMUVisionLanguageModel"]
    assert config["text_config"]["linmu"]["video_window"] == [4, 2, 2]
    assert "data.jsonl:5: " in done.stderr and "skipped as damaged" in done.stderr
    linmu("eval", folder / "teacher", folder / "out/student", "--max-tokens", "2", "--out", folder / "answers.jsonl",
          "--data", '{"generator": "moving-shapes", "split": "held-out", "seed": 3, "count": 2}')  # fmt: skip
    answers = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    assert [entry["model"].rsplit("/", 1)[1] for entry in answers] == ["teacher"] * 2 + ["student"] * 2
    assert answers[0]["question"] == answers[2]["question"]


def test_a_run_goes_on_from_a_checkpoint_as_if_nothing_had_happened(whole):
    folder, _ = whole
    checkpoints = sorted((folder / "out/checkpoints").iterdir())
    early = next(path for path in checkpoints if path.name.endswith("2"))
    shutil.copytree(early, folder / "again/checkpoints" / early.name)
    linmu("distill", folder / "recipe.json", "--out", folder / "again", "--resume")
    ours = (folder / "again/student/model.safetensors").read_bytes()
    assert ours == (folder / "out/student/model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "vision"}, "recipe.json: data.sets: expected a list of sets of samples"),
        (
            {"kind": "vision", "sets": [{"generator": "cats", "seed": 1, "count": 2}]},
            "no generator is named 'cats'",
        ),
        ({"kind": "vision", "sets": [{"jsonl": "none.jsonl"}]}, "none.jsonl"),
        ({"kind": "vision", "sets": [{"jsonl": "x", "shuffle": 1}]}, "x"),
        (
            {"kind": "vision", "sets": [{"generator": "moving-shapes", "seed": 1}]},
            "must have the key 'count'",
        ),
    ],
)
def test_data_that_do_not_fit_are_one_message(whole, tmp_path, data, message):
    folder, _ = whole
    recipe = json.loads((folder / "recipe.json").read_text()) | {
        "data": data,
        "teacher": str(folder / "teacher"),
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    done = linmu("distill", tmp_path / "recipe.json", code=1)
    said = [line for line in done.stderr.splitlines() if line.startswith("linmu: error: ")]
    assert len(said) == 1 and message in said[0]
