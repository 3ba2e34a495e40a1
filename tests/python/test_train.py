"""`linmu train`: a tiny model learns colours of pictures that it has not seen; resuming, M-MATE from the start,
random weights of a preset, messages."""

import json
import os
import random
import re
import select
import shutil
import socket
import struct
import subprocess
import zlib

import pytest
from safetensors.torch import load_file

from decoder_support import LINMU, ROOT, run

PROBE = ROOT / "build" / "bin" / "vlm_probe"
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220), "yellow": (220, 220, 30)}
SIDE = 32


def linmu(*arguments, code=0):
    done = run([LINMU, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr
    return done


def write_png(path, pixels: bytes) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + pixels[3 * SIDE * y : 3 * SIDE * (y + 1)] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def write_pictures(folder, count: int, seed: int) -> None:
    """A square of one colour on noise, at any place, and the question what colour it has."""
    draw = random.Random(seed)
    folder.mkdir()
    with (folder / "data.jsonl").open("w") as file:
        for i in range(count):
            name = list(COLOURS)[i % len(COLOURS)]
            pixels = bytearray(draw.randrange(256) for _ in range(3 * SIDE * SIDE))
            left, top = draw.randrange(SIDE - 12), draw.randrange(SIDE - 12)
            for y in range(top, top + 12):
                for x in range(left, left + 12):
                    pixels[3 * (y * SIDE + x) : 3 * (y * SIDE + x) + 3] = bytes(COLOURS[name])
            write_png(folder / f"{i}.png", bytes(pixels))
            talk = [
                {"from": "human", "value": "<image>\nwhat colour is the square?"},
                {"from": "gpt", "value": name},
            ]
            file.write(json.dumps({"image": f"{i}.png", "conversations": talk}) + "\n")


def recipe_of(steps: int, **keys) -> dict:
    return {
        "kind": "train",
        "model": "model",
        "out": "out",
        "data": {"kind": "vision", "sets": [{"jsonl": "train/data.jsonl"}]},
        "batch": 16,
        "stages": [{"steps": steps, "learning_rate": 4e-3, "warmup": 5}],
    } | keys


def log_of(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    run([PROBE, "new", folder / "model", "5"], check=True)
    write_pictures(folder / "train", 64, 1)
    write_pictures(folder / "held-out", 32, 2)
    validation = {"kind": "vision", "sets": [{"jsonl": "held-out/data.jsonl"}], "batches": 2}
    recipe = recipe_of(120, validation=validation, checkpoints={"every": 40, "keep": 9})
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return folder, linmu("train", folder / "recipe.json")


def test_the_loss_falls_and_pictures_that_it_has_not_seen_are_answered(trained):
    folder, done = trained
    assert done.stdout == f"{folder}/out/model\n"
    assert "validation: -log p of the answers" in done.stderr and "KL" not in done.stderr
    lines = log_of(folder / "out")
    losses = [line["loss"] for line in lines if "loss" in line]
    assert len(losses) == 120 and losses[0] > 2
    assert sum(losses[-10:]) / 10 < 0.1
    likelihoods = [line["likelihood"] for line in lines if "likelihood" in line]
    assert len(likelihoods) == 4 and likelihoods[0] > 2 and likelihoods[-1] < 0.3
    asked = linmu("eval", folder / "model", folder / "out/model", "--data", folder / "held-out/data.jsonl")
    before, after = (float(share) for share in re.findall(r"([\d.]+)% of 32", asked.stdout)[-2:])
    assert before <= 25 and after >= 90, asked.stdout
    # Grey in place of every picture leaves one answer to all of them.
    blind = linmu("eval", folder / "out/model", "--media", "blank", "--data", folder / "held-out/data.jsonl")
    assert re.findall(r"([\d.]+)% of 32", blind.stdout)[-1] == "25.0"
    config = json.loads((folder / "out/model/config.json").read_text())
    assert config["linmu_training"]["steps"] == 120 and config["text_config"]["model_type"] == "qwen2"
    start, end = (load_file(folder / name / "model.safetensors") for name in ("model", "out/model"))
    assert start.keys() == end.keys() and not any(start[name].equal(end[name]) for name in start)
    assert "trained from model by `linmu train`" in (folder / "out/model/README.md").read_text()


def test_a_run_goes_on_from_a_checkpoint_to_the_same_bytes(trained):
    folder, _ = trained
    early = folder / "out/checkpoints/step-00000080"
    shutil.copytree(early, folder / "again/checkpoints" / early.name)
    linmu("train", folder / "recipe.json", "--out", folder / "again", "--resume")
    ours = (folder / "again/model/model.safetensors").read_bytes()
    assert ours == (folder / "out/model/model.safetensors").read_bytes()


def test_the_model_that_was_trained_is_a_teacher_and_mmate_learns_from_the_start(trained):
    folder, _ = trained
    mixer = {"preset": "safe", "image_window": [2, 2]}
    recipe = recipe_of(3, out="linear", mixer=mixer, batch=4)
    (folder / "linear.json").write_text(json.dumps(recipe))
    linmu("train", folder / "linear.json")
    weights = load_file(folder / "linear/model/model.safetensors")
    start = load_file(folder / "model/model.safetensors")
    flex = weights["model.layers.0.mmate.flex.weight"]
    assert not flex[:32].equal(start["model.layers.0.self_attn.q_proj.weight"])
    assert not weights["model.layers.1.mmate.swin_output.weight"].equal(
        weights["model.layers.1.mmate.flex_output.weight"]
    )
    assert not weights["vision.patch_embed.weight"].equal(start["vision.patch_embed.weight"])
    asked = linmu(
        "eval", folder / "linear/model", "--data", folder / "held-out/data.jsonl", "--max-tokens", "1"
    )
    assert "of 32" in asked.stdout


def test_random_weights_of_a_preset_are_where_the_run_writes(trained, tmp_path):
    folder, _ = trained
    recipe = recipe_of(1, preset="demo", out="new", batch=2, seed=7)
    del recipe["model"]
    recipe["data"]["sets"] = [{"generator": "written-words", "seed": 1, "count": 4}]
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    linmu("train", tmp_path / "recipe.json", "--precision", "f32", "--device", "cpu")
    linmu("init", "--preset", "demo", "--seed", "7", "--out", tmp_path / "init")
    initial = (tmp_path / "new/initial/model.safetensors").read_bytes()
    assert initial == (tmp_path / "init/model.safetensors").read_bytes()
    assert initial != (tmp_path / "new/model/model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("command", "changes", "message"),
    [
        ("distill", {}, 'recipe.json: kind: expected "distill", got a recipe of a training'),
        ("train", {"kind": "distill", "teacher": "m", "model": None}, 'kind: expected "train"'),
        ("train", {"preset": "demo"}, "model: expected the folder of a model, or in its place a preset"),
        ("train", {"device": "cuda"}, 'device "cuda": torch finds no GPU here'),
    ],
)
def test_what_does_not_fit_is_one_message(trained, tmp_path, command, changes, message):
    folder, _ = trained
    recipe = recipe_of(1) | {"model": str(folder / "model")} | changes
    if "teacher" in changes:
        recipe["stages"] = [{"stage": "1", "steps": 1}]
    recipe = {key: value for key, value in recipe.items() if value is not None}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    done = linmu(command, tmp_path / "recipe.json", code=1)
    said = [line for line in done.stderr.splitlines() if line.startswith("linmu: error: ")]
    assert len(said) == 1 and message in said[0]


def test_a_folder_of_somebody_elses_is_left_as_it_is(trained, tmp_path):
    """The place of the result is looked at before the training, not after it."""
    folder, _ = trained
    recipe = recipe_of(1) | {"model": str(folder / "model"), "out": str(tmp_path / "out")}
    (folder / "elsewhere.json").write_text(json.dumps(recipe))
    (tmp_path / "out/model").mkdir(parents=True)
    (tmp_path / "out/model/mine.txt").write_text("mine")
    done = linmu("train", folder / "elsewhere.json", code=1)
    assert "out/model: the folder holds files, which the result would replace" in done.stderr
    assert "step 1" not in done.stderr
    assert [file.name for file in (tmp_path / "out/model").iterdir()] == ["mine.txt"]
    shutil.rmtree(tmp_path / "out/model")
    os.mkfifo(tmp_path / "out/log.jsonl")
    done = linmu("train", folder / "elsewhere.json", code=1)
    assert "log.jsonl: it is a FIFO, and a run goes on in a file" in done.stderr


def test_a_wait_for_other_ranks_is_said(trained, tmp_path):
    folder, _ = trained
    recipe = recipe_of(1) | {"model": str(folder / "model"), "out": str(tmp_path / "out")}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launched = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
    launched |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    alone = subprocess.Popen(
        [LINMU, "train", tmp_path / "recipe.json"],
        env=os.environ | launched,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert select.select([alone.stderr], [], [], 60)[0], "nothing was said"
        said = alone.stderr.readline()
        assert said == f"linmu: rank 0 of 2 waits for the others, who meet at 127.0.0.1:{port}\n"
    finally:
        alone.terminate()
        alone.communicate(timeout=60)
