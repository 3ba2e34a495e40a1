"""`linmu distill` and `linmu train` as several ranks: what one process gives, resuming with any number of them,
one that dies."""

import fcntl
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest
from safetensors.torch import load_file

from decoder_support import LINMU, run
from test_distill import write_run
from test_train import PROBE, recipe_of, write_pictures


def environment(rank: int, ranks: int, port: int) -> dict:
    return os.environ | {
        "RANK": str(rank),
        "WORLD_SIZE": str(ranks),
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": str(ranks),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_WAIT_POLICY": "passive",
    }


def start(ranks: int, *arguments) -> list[subprocess.Popen]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return [
        subprocess.Popen([LINMU, *arguments], env=environment(rank, ranks, port), **pipes)
        for rank in range(ranks)
    ]


def ends(processes, timeout=240) -> list[tuple[int, str, str]]:
    """Status, output and messages of each rank."""
    said = [process.communicate(timeout=timeout) for process in processes]
    return [(process.returncode, *texts) for process, texts in zip(processes, said, strict=True)]


def together(ranks: int, *arguments):
    done = ends(start(ranks, *arguments))
    assert [code for code, _, _ in done] == [0] * ranks, done
    # The first alone speaks.
    assert all(out == said == "" for _, out, said in done[1:]), done
    return done[0]


def log_of(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def steps_of(out):
    return [line["step"] for line in log_of(out) if "loss" in line]


def gradients(out, step: int) -> dict:
    """Of the first step of a stage, without clipping: exp_avg is a tenth of it."""
    state = load_file(out / f"checkpoints/step-{step:08}/optimizer.safetensors")
    return {name: 10 * value for name, value in state.items() if name.endswith(".exp_avg")}


def assert_gradients_are_those_of_one(one, many) -> None:
    ours, theirs = gradients(many, 1), gradients(one, 1)
    assert ours.keys() == theirs.keys() and len(ours) > 10
    # In text some of M-MATE's have none: scans in the order of pictures.
    assert sum(bool(value.any()) for value in theirs.values()) >= 10
    for name, expected in theirs.items():
        assert (ours[name] - expected).abs().max() <= 1e-6 * max(expected.abs().max(), 1), name
    first, second = (log_of(out)[-1] for out in (one, many))
    assert first["tokens"] == second["tokens"]
    for key in ("loss", "gradient_norm"):
        assert second[key] == pytest.approx(first[key], rel=1e-6)


STAGES = {
    "teacher-fed": {"stage": "1", "losses": {"token": 0.5}},
    "own stream": {"stage": "2", "recompute_activations": True},
    "answers": {"stage": "all", "losses": {"hidden": 0.5}},
}


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("stage", STAGES)
def test_ranks_have_the_gradients_of_one_process(tmp_path, stage, ranks):
    """Also where rows cannot be shared out evenly: four over three ranks."""
    # Two steps, as the optimiser of the last one of a stage is not kept.
    recipe = write_run(tmp_path, batch=4, checkpoints={"every": 1, "keep": 9})
    text = json.loads(recipe.read_text())
    text["stages"] = [STAGES[stage] | {"steps": 2, "clip": 0, "warmup": 0}]
    recipe.write_text(json.dumps(text))
    run([LINMU, "distill", recipe, "--out", tmp_path / "one"], check=True, capture_output=True)
    together(ranks, "distill", recipe, "--out", tmp_path / "many")
    for name in ("one", "many"):
        log = tmp_path / name / "log.jsonl"
        log.write_text(log.read_text().splitlines()[0])
    assert_gradients_are_those_of_one(tmp_path / "one", tmp_path / "many")
    stored = [
        {json.loads(line)["name"]: line for line in file.read_text().splitlines() if line}
        for file in (tmp_path / name / "teacher_decodings.jsonl" for name in ("one", "many"))
        if file.exists()
    ]
    assert len(stored) == (2 if stage == "answers" else 0)
    assert not stored or (stored[0] == stored[1] and len(stored[0]) >= 8)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    run([PROBE, "new", folder / "model", "5"], check=True)
    write_pictures(folder / "train", 24, 1)
    write_pictures(folder / "held-out", 7, 2)
    return folder


def test_pictures_are_shared_out_too(pictures, tmp_path):
    validation = {"kind": "vision", "sets": [{"jsonl": "held-out/data.jsonl"}], "batches": 3}
    recipe = recipe_of(2, batch=6, validation=validation, checkpoints={"every": 1, "keep": 9})
    recipe["stages"][0] |= {"clip": 0, "warmup": 0}
    (pictures / "recipe.json").write_text(json.dumps(recipe))
    one, many = tmp_path / "one", tmp_path / "many"
    run([LINMU, "train", pictures / "recipe.json", "--out", one], check=True, capture_output=True)
    _, out, said = together(2, "train", pictures / "recipe.json", "--out", many)
    assert out == f"{many}/model\n" and "report.html has the curves" in said
    # The last batch of the held-out data has one row, for one of the ranks.
    for first, second in zip(log_of(one), log_of(many), strict=True):
        if "likelihood" in first:
            assert second["likelihood"] == pytest.approx(first["likelihood"], rel=1e-5)
    for folder in (one, many):
        lines = [line for line in (folder / "log.jsonl").read_text().splitlines() if '"loss"' in line]
        (folder / "log.jsonl").write_text(lines[0])
    assert_gradients_are_those_of_one(one, many)
    assert (many / "report.html").exists() and (many / "events.out.tfevents.linmu").exists()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two ranks that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    recipe = write_run(folder, batch=3, checkpoints={"every": 2, "keep": 9})
    together(2, "distill", recipe)
    return folder


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_a_run_of_two_ranks_goes_on_with_any_number(whole, tmp_path, ranks):
    shutil.copytree(whole, tmp_path / "run")
    out = tmp_path / "run/out"
    for place in (out / "checkpoints").glob("step-*"):
        if place.name > "step-00000004":
            shutil.rmtree(place)
    (out / "checkpoints/best").unlink(missing_ok=True)
    before = (out / "student/model.safetensors").read_bytes()
    shutil.rmtree(out / "student")
    recipe = tmp_path / "run/recipe.json"
    if ranks == 1:
        done = run([LINMU, "distill", recipe, "--resume"], capture_output=True, text=True, check=True)
        said = done.stderr
    else:
        said = together(ranks, "distill", recipe, "--resume")[2]
    assert "going on after step 4 of 9" in said
    assert steps_of(out) == list(range(1, 10))
    ours, theirs = (load_file(folder / "student/model.safetensors") for folder in (out, whole / "out"))
    # Sums of f32 in another order, through five steps of Adam, whose steps have the size of the learning rate
    # also where a gradient is all rounding.
    assert all((ours[name] - theirs[name]).abs().max() < 1e-3 for name in theirs)
    if ranks == 2:
        assert (out / "student/model.safetensors").read_bytes() == before


def test_ctrl_c_stops_all_at_the_same_step_and_they_go_on_to_the_same_bytes(tmp_path):
    # Long enough for the signal to come before the end.
    keys = {"steps": 40, "batch": 3, "checkpoints": {"every": 30}}
    (tmp_path / "whole").mkdir()
    together(2, "distill", write_run(tmp_path / "whole", **keys))
    recipe = write_run(tmp_path, **keys)
    processes = start(2, "distill", recipe)
    wait_for_a_step(processes, tmp_path / "out")
    processes[1].send_signal(signal.SIGINT)  # one is enough
    (first, _, said), (second, _, _) = ends(processes)
    assert first == 0 and second == 130, said
    assert re.search(r"stopped after step \d+ of 120, which is saved; --resume goes on from there", said)
    together(2, "distill", recipe, "--resume")
    student = "out/student/model.safetensors"
    assert (tmp_path / student).read_bytes() == (tmp_path / "whole" / student).read_bytes()


def wait_for_a_step(processes, out) -> None:
    while not (out / "log.jsonl").exists() or not steps_of(out):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.01)


@pytest.mark.parametrize(("ranks", "dying"), [(2, 0), (2, 1), (3, 1)])
def test_a_rank_that_dies_ends_the_others_by_its_name(tmp_path, ranks, dying):
    recipe = write_run(tmp_path, steps=100000, batch=3)
    processes = start(ranks, "distill", recipe)
    wait_for_a_step(processes, tmp_path / "out")
    time.sleep(random.Random(ranks + dying).uniform(0, 0.5))
    killed = time.monotonic()
    processes[dying].kill()
    done = ends(processes, timeout=60)
    assert time.monotonic() - killed < 60
    for rank, (code, _, said) in enumerate(done):
        if rank == dying:
            assert code == -signal.SIGKILL
            continue
        errors = [line for line in said.splitlines() if line.startswith("linmu: error: ")]
        assert code == 1 and errors == [
            f"linmu: error: rank {dying} of {ranks} is gone: process {processes[dying].pid} on "
            f"{socket.gethostname()} has been killed, or its machine cannot be reached"
        ], done
        assert "go on from the newest checkpoint with --resume, with any number of ranks" in said


def test_a_rank_that_fails_says_why_and_the_others_that_it_did(whole):
    """The first alone locks the checkpoints, which another process has locked here."""
    with (whole / "out/checkpoints/lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (first, _, why), (second, _, said) = ends(start(2, "distill", whole / "recipe.json", "--resume"))
    assert first == second == 1
    assert why == f"linmu: error: {whole}/out/checkpoints: another process is training there\n"
    assert said.startswith("linmu: error: rank 0 of 2 has ended with an error, which it has said\n")


@pytest.mark.skipif(not os.environ.get("TEST_NIGHTLY"), reason="takes a minute")
def test_a_rank_that_does_not_come_is_named(tmp_path):
    environment_of_first = environment(0, 2, 29871)
    done = subprocess.run(
        [LINMU, "distill", write_run(tmp_path)],
        env=environment_of_first,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 1 and done.stderr.count("linmu: error: ") == 1
    assert "linmu: error: rank 1 of 2 has not come within 60 s" in done.stderr


@pytest.mark.parametrize(
    ("batch", "changes", "message"),
    [
        (1, {}, "batch: 1 samples of a micro-batch are shared out over 2 ranks"),
        (2, {"RANK": "7"}, 'RANK: expected a whole number from 0 to 1, got "7"'),
        (2, {"MASTER_ADDR": ""}, "MASTER_ADDR: expected the address of the machine of rank 0, got none"),
    ],
)
def test_what_does_not_fit_is_one_message(tmp_path, batch, changes, message):
    recipe = write_run(tmp_path, batch=batch)
    if changes:
        alone = environment(0, 2, 1234) | changes
        done = subprocess.run(
            [LINMU, "distill", recipe], env=alone, capture_output=True, text=True, check=False
        )
        code, said = done.returncode, done.stderr
    else:
        code, _, said = ends(start(2, "distill", recipe))[0]
    assert code == 1 and said.count("linmu: error: ") == 1 and message in said


def test_torchrun_starts_them_and_a_dead_one_ends_all(tmp_path):
    recipe = write_run(tmp_path, batch=2)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--no-python"]
    torchrun += ["--nproc-per-node", "2", LINMU, "distill", recipe]
    done = run([*torchrun, "--out", tmp_path / "done"], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path}/done/student\n" and done.stderr.count("Stage 3: 100%") == 1
    long = json.loads(recipe.read_text())
    long["stages"][0]["steps"] = 100000
    recipe.write_text(json.dumps(long))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    launcher = subprocess.Popen(list(map(str, torchrun)), **pipes)
    wait_for_a_step([launcher], tmp_path / "out")
    ranks = subprocess.run(
        ["pgrep", "-P", str(launcher.pid), "linmu"], capture_output=True, text=True, check=True
    )
    victim = int(ranks.stdout.split()[1])
    os.kill(victim, signal.SIGKILL)
    _, said = launcher.communicate(timeout=60)
    assert launcher.returncode != 0
    assert re.search(rf"linmu: error: rank \d of 2 is gone: process {victim} on ", said), said
