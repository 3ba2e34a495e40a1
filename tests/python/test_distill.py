"""`linmu distill` from the outside: what it writes, Ctrl-C, `kill -9`, messages."""

import json
import os
import random
import re
import signal
import subprocess
import time

import pytest
from safetensors.torch import load_file

from decoder_support import LINMU, run
from test_distill_gradients import VOCABULARY, write_teacher

KILLS = 200 if os.environ.get("TEST_NIGHTLY") else 4


def write_run(folder, steps=3, **keys):
    """A teacher that knows single letters, data of them, and a recipe of three stages."""
    write_teacher(folder)
    letters = {chr(ord("!") + i): i for i in range(VOCABULARY)}
    (folder / "tokenizer.json").write_text(json.dumps({
        "model": {"type": "BPE", "vocab": letters, "merges": []},
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False}}))  # fmt: skip
    (folder / "generation_config.json").write_text('{"eos_token_id": 39}')
    draw = random.Random(6)

    def word(length):
        return "".join(draw.choice(list(letters)[:-1]) for _ in range(length))

    with open(folder / "data.jsonl", "w") as file:
        for _ in range(12):
            file.write(json.dumps({"prompt": word(6), "answer": word(3)}) + "\n")
    recipe = {
        "teacher": ".", "out": "out", "data": {"path": "data.jsonl"}, "batch": 2, "accumulate": 2,
        "checkpoints": {"every": 2}, "adapters": {"rank": 2}, "decode_tokens": 3,
        "stages": [{"stage": str(stage), "steps": steps} for stage in (1, 2, 3)]} | keys  # fmt: skip
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return folder / "recipe.json"


def distill(recipe, *options, **more):
    return run([LINMU, "distill", recipe, *options], capture_output=True, text=True, timeout=300, **more)


def start(recipe, *options):
    return subprocess.Popen(
        [LINMU, "distill", recipe, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def log_of(out):
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if "loss" in line]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupts: its folder, and the bytes of its student."""
    folder = tmp_path_factory.mktemp("whole")
    result = distill(write_run(folder), check=True)
    assert result.stdout == f"{folder}/out/student\n"
    return folder, result, (folder / "out/student/model.safetensors").read_bytes()


def test_the_run_shows_its_stages_and_writes_a_model_that_generates(whole):
    folder, result, _ = whole
    for stage in "123":
        assert f"Stage {stage}: 100%" in result.stderr
    assert "loss" in result.stderr and "tokens/s" in result.stderr and re.search(r"\d [MG]iB", result.stderr)
    assert [line["step"] for line in log_of(folder / "out")] == list(range(1, 10))
    student = folder / "out" / "student"
    config = json.loads((student / "config.json").read_text())
    assert config["architectures"] == ["LinmuForCausalLM"] and config["linmu"]["branches"] == "both"
    assert config["linmu_distillation"]["recipe"] == json.loads((folder / "recipe.json").read_text())
    assert "distilled from ." in (student / "README.md").read_text()
    names = load_file(student / "model.safetensors")
    assert "model.layers.0.mmate.flex.weight" in names and not any("lora" in name for name in names)
    generate = [LINMU, "generate", student, "ABC", "--raw", "--max-tokens", "5", "--json"]
    answer = json.loads(run(generate, capture_output=True, text=True, check=True).stdout)
    assert answer["generated_tokens"] == 5 or answer["stopped"]


def test_ctrl_c_saves_and_the_run_goes_on_to_the_same_bytes(tmp_path):
    # Long enough for the signal to come before the end.
    keys = {"steps": 40, "checkpoints": {"every": 30}}
    (tmp_path / "whole").mkdir()
    distill(write_run(tmp_path / "whole", **keys), check=True)
    recipe = write_run(tmp_path, **keys)
    process = start(recipe)
    while not (tmp_path / "out/log.jsonl").exists() or len(log_of(tmp_path / "out")) < 1:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "which is saved; --resume goes on from there" in said
    resumed = distill(recipe, "--resume", check=True)
    assert "going on after step " in resumed.stderr
    student = "out/student/model.safetensors"
    assert (tmp_path / student).read_bytes() == (tmp_path / "whole" / student).read_bytes()


def test_kill_at_any_moment_loses_at_most_an_interval(tmp_path):
    # Longer than all that the processes come to before they are killed.
    (tmp_path / "whole").mkdir()
    distill(write_run(tmp_path / "whole", steps=10 * KILLS), check=True)
    recipe = write_run(tmp_path, steps=10 * KILLS)
    draw = random.Random(7)
    before, killed = 0, 0
    for _ in range(KILLS):
        process = start(recipe, "--resume")
        while process.poll() is None and not (tmp_path / "out/log.jsonl").exists():
            time.sleep(0.005)
        # From the start of the process to beyond the next checkpoint.
        time.sleep(draw.uniform(0, 1.5))
        process.kill()
        _, said = process.communicate()
        assert process.returncode in (-signal.SIGKILL, 0), said
        killed += process.returncode != 0
        done = len(log_of(tmp_path / "out"))
        places = sorted((tmp_path / "out/checkpoints").glob("step-*"))
        newest = int(places[-1].name[5:13]) if places else 0
        assert newest >= done - 2 and newest >= before
        before = newest
    assert killed > KILLS // 2
    distill(recipe, "--resume", check=True)
    student = "out/student/model.safetensors"
    assert (tmp_path / student).read_bytes() == (tmp_path / "whole" / student).read_bytes()


def test_what_does_not_fit_is_one_message(tmp_path, whole):
    recipe = write_run(tmp_path, bathc=3)
    result = distill(recipe)
    assert result.returncode == 1
    assert result.stderr.startswith(f"linmu: error: {recipe}: bathc: there is no such key; known are ")
    assert result.stderr.count("\n") == 1
    again = distill(whole[0] / "recipe.json")
    assert again.returncode == 1
    assert again.stderr.startswith(
        f"linmu: error: {whole[0]}/out/checkpoints holds the checkpoints of a run, the newest of step 9\n"
    )
    lying = write_run(tmp_path)
    with open(tmp_path / "data.jsonl", "a") as file:
        file.write('{"prompt": "A"}\n')
    assert f"{tmp_path}/data.jsonl:13: expected an object with the texts" in distill(lying).stderr
