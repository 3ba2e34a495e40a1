"""What a run leaves to look at: TensorBoard's event file, which a resumed run goes on with, and the report."""

import json
import math
import re
import shutil
import subprocess
import time

import pytest

from decoder_support import ROOT
from event_files import crc32c, events
from test_distill import distill, write_run

EVENTS = "events.out.tfevents.linmu"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    validation = {"path": "data.jsonl", "batches": 2}
    recipe = write_run(folder, validation=validation, checkpoints={"every": 2, "keep": 20})
    began = time.time()
    return folder, distill(recipe, check=True), began


def log_of(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def assert_events_are_of(out) -> None:
    """One event for each line of the log, in its order, with its values in single precision."""
    found, lines = events(out / EVENTS), log_of(out)
    assert [event["step"] for event in found] == [line["step"] for line in lines]
    names = {
        "divergence": "validation/divergence",
        "likelihood": "validation/likelihood",
        "loss": "loss/total",
        "learning_rate": "step/learning_rate",
        "gradient_norm": "step/gradient_norm",
    } | {term: f"loss/{term}" for term in ("hidden", "token", "sequence", "supervised")}
    for event, line in zip(found, lines, strict=True):
        for key, tag in names.items():
            # Terms that a stage does not have are no curves.
            assert (tag in event["values"]) == (line.get(key, 0) != 0), (line, tag)
            if tag in event["values"]:
                assert math.isclose(event["values"][tag], line[key], rel_tol=1e-6)
        if "loss" in line:
            assert event["values"]["speed/tokens_per_second"] > 0
            assert event["values"]["speed/peak_memory_bytes"] > 2**20
            assert event["values"]["speed/data_seconds"] >= 0 and event["values"]["speed/ranks_seconds"] >= 0


def test_the_checksum_is_the_published_one():
    assert crc32c(b"123456789") == 0xE3069283


def test_tensorboard_has_each_line_of_the_log_once(whole):
    folder, _, began = whole
    assert_events_are_of(folder / "out")
    found = events(folder / "out" / EVENTS)
    times = [event["wall_time"] for event in found]
    assert times == sorted(times) and began - 1 <= times[0] and times[-1] <= time.time() + 1
    assert [event["values"]["step/stage"] for event in found if "loss/total" in event["values"]] == (
        [1] * 3 + [2] * 3 + [3] * 3
    )


@pytest.mark.parametrize("tail", [b"", b"\x07", b"\0" * 64, b"half of a record"])
def test_a_resumed_run_goes_on_without_double_steps(whole, tmp_path, tail):
    """From the checkpoint of step 4, with the events of all 9 steps and what a killed process wrote last."""
    folder, _, _ = whole
    shutil.copytree(folder, tmp_path / "run")
    out = tmp_path / "run/out"
    for place in (out / "checkpoints").glob("step-*"):
        if place.name > "step-00000004":
            shutil.rmtree(place)
    before = (out / EVENTS).read_bytes()
    (out / EVENTS).write_bytes(before + tail)
    distill(tmp_path / "run/recipe.json", "--resume", check=True)
    assert_events_are_of(out)
    assert (out / "log.jsonl").read_bytes() == (folder / "out/log.jsonl").read_bytes()
    kept = sum(event["step"] <= 4 for event in events(folder / "out" / EVENTS))
    assert events(out / EVENTS)[:kept] == events(folder / "out" / EVENTS)[:kept]


def test_the_report_has_stages_curves_and_samples(whole):
    folder, result, _ = whole
    assert f"{folder}/out/report.html has the curves" in result.stderr
    page = (folder / "out/report.html").read_text()
    # Nothing from elsewhere, and no script.
    assert not re.search(r"(src|href)=|@import|url\(|<script", page)
    assert set(re.findall(r"https?://[^\s\"<]+", page)) == {"http://www.w3.org/2000/svg"}
    assert page.count("<svg") == 4 and page.rstrip().endswith("</html>")
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]
    stages = [row for row in rows if len(row) == 9]
    assert [row[:2] for row in stages] == [["1", "3"], ["2", "3"], ["3", "3"]]
    lines = log_of(folder / "out")
    divergences = {line["step"]: line["divergence"] for line in lines if "divergence" in line}
    losses = {line["step"]: line["loss"] for line in lines if "loss" in line}
    for number, row in enumerate(stages):
        begin, end = 3 * number, 3 * number + 3
        assert row[7] == f"{divergences[begin]:.4g} → {divergences[end]:.4g}"
        ends = [(losses[step] + losses[step + 1]) / 2 for step in (begin + 1, begin + 2)]
        assert row[2] == f"{ends[0]:.4g} → {ends[1]:.4g}"
        assert (row[3] == "-") == (number == 2) and (row[5] == "-") == (number < 2)
    samples = [row for row in rows if len(row) == 4]
    data = [json.loads(line) for line in (folder / "data.jsonl").read_text().splitlines()]

    def plain(text):
        for name, sign in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("#39", "'"), ("amp", "&")):
            text = text.replace(f"&{name};", sign)
        return text.replace(" ", "")

    # Two batches of two.
    assert [(plain(row[0]), plain(row[1])) for row in samples] == [
        (line["prompt"].replace(" ", ""), line["answer"].replace(" ", "")) for line in data[:4]
    ]
    # Greedy answers of at most three letters; one that ends at once is empty.
    assert all(len(plain(text)) <= 3 for row in samples for text in row[2:])
    assert any(row[2] for row in samples) and any(row[3] for row in samples)


def test_the_report_appears_whole_or_not_at_all(whole, tmp_path):
    folder, _, _ = whole
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run/out/report.html").unlink()
    (tmp_path / "run/out/report.html").mkdir()
    done = distill(tmp_path / "run/recipe.json", "--resume")
    assert done.returncode == 1
    assert done.stderr.count("linmu: error: ") == 1 and "report.html" in done.stderr


def test_no_protobuf_is_linked():
    symbols = subprocess.run(
        ["nm", "-D", ROOT / "build/lib/liblinmu_models.so"], capture_output=True, text=True, check=True
    )
    assert "protobuf" not in symbols.stdout and "linmu" in symbols.stdout
