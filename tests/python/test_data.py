"""`linmu data`: the answers that it writes are true, equally likely, and the same each time.

Pictures are read by readers of our own, and answers worked out from pixels, without what the generator says it drew."""

import collections
import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from decoder_support import LINMU, run
from picture_files import read_gif, read_png

NIGHT = bool(os.environ.get("TEST_NIGHTLY"))
COLOURS = {
    "red": (225, 40, 40),
    "green": (40, 190, 60),
    "blue": (70, 90, 250),
    "yellow": (245, 225, 50),
    "purple": (170, 60, 215),
    "orange": (250, 140, 25),
    "white": (245, 245, 245),
    "cyan": (45, 215, 225),
}
DIRECTIONS = ("left", "right", "up", "down")


def generate(folder: Path, generator: str, count: int, *more: str) -> list[dict]:
    done = run(
        [LINMU, "data", generator, "--out", folder, "--count", str(count), *more],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (folder / "data.jsonl").read_text().splitlines()]


def question(line: dict) -> str:
    return line["conversations"][0]["value"].split("\n")[1]


def answer(line: dict) -> str:
    return line["conversations"][1]["value"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    lines = generate(
        folder, "moving-shapes", 2400 if NIGHT else 120, "--seed", "11", "--side", "48", "--frames", "16"
    )
    return folder, lines


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    return folder, generate(folder, "written-words", 4200 if NIGHT else 420, "--seed", "11")


def mask(frames: np.ndarray, colour: str) -> np.ndarray:
    return (frames == COLOURS[colour]).all(-1)


def movement(shown: np.ndarray) -> str:
    """Which way a mask [T, H, W] moves on a torus: the step of 1 or 2 pixels that takes each frame to the next."""
    steps = {
        f"{name}": [(axis, sign * size) for size in (1, 2)]
        for name, axis, sign in (("left", 2, -1), ("right", 2, 1), ("up", 1, -1), ("down", 1, 1))
    }
    fits = [
        name
        for name, options in steps.items()
        if any((np.roll(shown[:-1], step, axis) == shown[1:]).all() for axis, step in options)
    ]
    assert len(fits) == 1, fits
    return fits[0]


def corner(shown: np.ndarray) -> str:
    rows, columns = np.nonzero(shown)
    height, width = shown.shape
    return (
        f"{'top' if rows.max() < height / 2 else 'bottom'} {'left' if columns.max() < width / 2 else 'right'}"
    )


def work_out(frames: np.ndarray, line: dict) -> str:
    """The answer to a question about a clip, from its pixels."""
    asked, kind = question(line), line["kind"]
    colour = next((word for word in asked.replace("?", "").split() if word in COLOURS), None)
    if kind == "count":
        visible = mask(frames, colour).any((1, 2)).astype(int)
        assert visible.sum() == len(frames) // 2
        return str(int(visible[0] + (np.diff(visible) == 1).sum()))
    if kind == "direction":
        return movement(mask(frames, colour))
    if kind == "colour":
        way = asked.removesuffix("?").split()[-1]
        found = [name for name in COLOURS if mask(frames, name).any() and movement(mask(frames, name)) == way]
        assert len(found) == 1
        return found[0]
    if kind == "position":
        start = asked.removesuffix("?").split("from the ")[1]
        path = [corner(shown) for shown in mask(frames, colour)]
        stays = [place for i, place in enumerate(path) if i == 0 or place != path[i - 1]]
        assert sorted(stays) == sorted(set(stays)) and len(stays) == 4
        return stays[stays.index(start) + 1]
    raise AssertionError(kind)


def test_answers_about_clips_are_what_the_pixels_show(clips):
    folder, lines = clips
    seen = collections.Counter()
    for line in lines:
        if line["kind"] == "order":
            continue  # forms, not colours: below
        assert work_out(read_gif(folder / line["video"]), line) == answer(line), line
        seen[line["kind"]] += 1
    assert set(seen) == {"count", "direction", "colour", "position"} and min(seen.values()) == len(lines) // 5


def test_the_order_of_shapes_is_what_the_pixels_show(clips):
    """Forms are told by what is drawn under their names: one form never looks like another."""
    folder, lines = clips
    looks = collections.defaultdict(set)
    for line in (line for line in lines if line["kind"] == "order"):
        frames = read_gif(folder / line["video"])
        names = line["facts"]["order"]
        slot = len(frames) // 4
        for i, name in enumerate(names):
            colour, form = name.split()
            shown = mask(frames[i * slot : (i + 1) * slot], colour)
            assert shown[0].any() and (shown == shown[0]).all()
            assert (frames[i * slot] != frames[i * slot, 0, 0]).any(-1).sum() == shown[0].sum(), (
                "one shape at a time"
            )
            rows, columns = np.nonzero(shown[0])
            cut = shown[0][rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            looks[cut.shape + tuple(cut.flatten())].add(form)
        way, told = re.fullmatch(r"which shape comes (after|before) the (.*)\?", question(line)).groups()
        at = names.index(told) + (1 if way == "after" else -1)
        assert names[at].split()[1] == answer(line)
    assert all(len(forms) == 1 for forms in looks.values())


def test_no_answer_is_likelier_than_another(clips):
    _, lines = clips
    counts = collections.defaultdict(collections.Counter)
    for line in lines:
        counts[line["kind"]][answer(line)] += 1
    assert {kind: len(found) for kind, found in counts.items()} == {
        "order": 6, "count": 4, "direction": 4, "colour": 8, "position": 4,
    }  # fmt: skip
    for kind, found in counts.items():
        assert max(found.values()) == min(found.values()), (kind, found)


def test_the_words_of_a_question_do_not_tell_its_answer(clips):
    """Of the whole text of a question, the best guess is hardly better than the best guess without it."""
    _, lines = clips
    for kind, answers in (("direction", 4), ("count", 4)):
        told = collections.defaultdict(collections.Counter)
        for line in lines:
            if line["kind"] == kind:
                told[re.sub(r"the \w+ \w+", "the X", question(line))][answer(line)] += 1
        right = sum(max(found.values()) for found in told.values())
        total = sum(sum(found.values()) for found in told.values())
        assert len(told) == 1 and right / total == 1 / answers


def glyphs(picture: np.ndarray, line: dict, scale: int):
    """The characters of a written line as dots of 7 x 5, beside their names."""
    height, step = 7 * scale, 6 * scale
    for i, letter in enumerate(line["text"]):
        x = line["x"] + i * step
        cut = mask(picture, line["colour"])[line["y"] : line["y"] + height, x : x + 5 * scale]
        yield letter, tuple(cut[::scale, ::scale].flatten())


def test_what_is_written_can_be_read(pictures):
    """Each letter always looks the same and no two look alike, so that a picture has one reading: that of `facts`."""
    folder, lines = pictures
    looks = {}
    for line in lines[:120]:
        picture = read_png(folder / line["image"])
        for written in line["facts"]["lines"]:
            shown = mask(picture, written["colour"])
            drawn = 0
            for letter, dots in glyphs(picture, written, line["facts"]["scale"]):
                assert looks.setdefault(dots, letter) == letter
                drawn += sum(dots)
            assert shown.sum() == drawn * line["facts"]["scale"] ** 2, "nothing else is of this colour"
    assert len(looks) == len(set(looks.values())) == 36


def read(line: dict) -> str:
    """The answer from what is written."""
    asked, written = question(line), line["facts"]["lines"]
    by_colour = {entry["colour"]: entry["text"] for entry in written}
    if line["kind"] == "line":
        return written[("top", "middle", "bottom").index(asked.split()[5])]["text"]
    if line["kind"] == "colour":
        return by_colour[asked.removesuffix("?").split()[-1]]
    if line["kind"] == "letter":
        _, _, _, which, _, _, _, colour, _ = asked.split()
        return by_colour[colour][0 if which == "first" else -1]
    if line["kind"] == "larger":
        return "top" if int(written[0]["text"]) > int(written[2]["text"]) else "bottom"
    assert line["kind"] == "contains"
    return "yes" if asked.split()[3] in [entry["text"] for entry in written] else "no"


def test_answers_about_words_are_true_and_even(pictures):
    _, lines = pictures
    counts = collections.defaultdict(collections.Counter)
    for line in lines:
        assert read(line) == answer(line), line
        counts[line["kind"]][answer(line)] += 1
    for kind in ("larger", "contains"):
        assert len(set(counts[kind].values())) == 1 and len(counts[kind]) == 2
    assert (
        len(counts["letter"]) == 21 and max(counts["letter"].values()) - min(counts["letter"].values()) <= 1
    )
    for kind in ("line", "colour"):
        # Words are made up: guessing the commonest is right once in a few dozen at most.
        assert counts[kind].most_common(1)[0][1] <= max(5, len(lines) // 5 // 40), counts[kind].most_common(3)


@pytest.mark.parametrize("generator", ["moving-shapes", "written-words"])
def test_the_same_seed_writes_the_same_bytes(tmp_path, generator):
    def files(folder):
        generate(
            folder, generator, 10, "--seed", "5", "--side", "32", "--frames", "16", "--split", "held-out"
        )
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = files(tmp_path / "a")
    assert len(first) == 11 and first == files(tmp_path / "b")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("shapes",), "no generator is named 'shapes'; there are: moving-shapes, written-words"),
        (
            ("moving-shapes", "--frames", "12"),
            "16 to 4096 frames, a multiple of 8; got 64 pixels and 12 frames",
        ),
        (("written-words", "--side", "8"), "a side of 32 to 1024 pixels, got 8"),
        (("moving-shapes", "--split", "test"), "a split is 'train' or 'held-out', got 'test'"),
        (("moving-shapes", "--count", "0"), "the number of examples must be 1 or more, got 0"),
    ],
)
def test_what_does_not_fit_is_one_message(tmp_path, arguments, message):
    done = subprocess.run(
        [LINMU, "data", *arguments, "--out", tmp_path / "out"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("linmu: ")]
    assert len(said) == 1 and said[0].startswith("linmu: error: ") and message in said[0]
    assert not (tmp_path / "out" / "data.jsonl").exists()
