"""`linmu.models`: models of text and such that see, from Python, held against the commands."""

import json
import os
import subprocess
import sys
import threading

import av
import numpy as np
import pytest

import linmu
from decoder_support import LINMU, ROOT, run, smollm2_path
from test_forks import status_of

PROBE = ROOT / "build" / "bin" / "vlm_probe"
QUESTION = "which way does the red circle move?"


def answer(*arguments) -> dict:
    done = run([LINMU, *arguments, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    run([PROBE, "new", folder, "5"], check=True)
    for kind in ("moving-shapes", "written-words"):
        run(
            [LINMU, "data", kind, "--count", "1", "--side", "32", "--frames", "16", "--out", folder / kind],
            check=True,
        )
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return linmu.models.load(folder)


def asked(kind, value, text=QUESTION):
    return [{"role": "user", "content": [{"type": kind, kind: value}, {"type": "text", "text": text}]}]


def test_a_model_that_sees_answers_as_the_command_does(folder, model):
    clip, picture = folder / "moving-shapes/media/000000.gif", folder / "written-words/media/000000.png"
    assert model.sees
    for kind, path in (("video", clip), ("image", picture)):
        expected = answer("answer", folder, QUESTION, f"--{kind}", path, "--max-tokens", "5")
        said = model.generate(asked(kind, path), max_tokens=5)
        assert (said.text, said.prompt_tokens) == (expected["text"], expected["prompt_tokens"])
        assert len(said.ids) == expected["generated_tokens"] and said.stopped == expected["stopped"]
        assert "".join(model.stream(asked(kind, path), max_tokens=5)) == said.text


class Picture:
    """What PIL's images are for us: they convert, and numpy takes them."""

    def __init__(self, pixels):
        self.pixels = pixels

    def convert(self, mode):
        assert mode == "RGB"
        return self

    def __array__(self, dtype=None, copy=None):
        return self.pixels


def test_pixels_stand_for_files(folder, model):
    path = folder / "written-words/media/000000.png"
    with av.open(str(path)) as file:
        pixels = next(file.decode(video=0)).to_ndarray(format="rgb24")
    expected = model.generate(asked("image", path), max_tokens=5)
    for value in (pixels, Picture(pixels), str(path)):
        assert model.generate(asked("image", value), max_tokens=5).ids == expected.ids
    clip = np.stack([pixels] * 16)
    one = model.generate(asked("video", clip), max_tokens=5)
    assert one.ids == model.generate(asked("video", [Picture(frame) for frame in clip]), max_tokens=5).ids
    assert one.prompt_tokens > expected.prompt_tokens


def test_a_chat_about_a_video_keeps_its_state(folder, model):
    """The first turn is what `answer` says; the second prefills its own message alone."""
    clip = folder / "moving-shapes/media/000000.gif"
    done = run(
        [LINMU, "chat", folder, "--video", clip, "--max-tokens", "3", "--json"],
        input=f"{QUESTION}\nand what is it?\n", capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    one, two = (json.loads(line) for line in done.stdout.splitlines())
    assert one["text"] == model.generate(asked("video", clip), max_tokens=3).text
    assert two["prompt_tokens"] < 40 < one["prompt_tokens"]
    assert two["context_tokens"] > one["context_tokens"] >= one["prompt_tokens"]


def test_a_model_of_text_takes_conversations():
    model = linmu.models.load(smollm2_path(), weights="f32")
    assert not model.sees
    pieces = []
    messages = [
        {"role": "system", "content": "Answer in one word."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "The capital "}, {"type": "text", "text": "of France?"}],
        },
    ]
    said = model.generate(messages, max_tokens=8, on_text=pieces.append)
    assert said.text == "".join(pieces) and "Paris" in said.text
    expected = answer("generate", smollm2_path(), "Hello", "--max-tokens", "6", "--weights", "f32")
    assert model.generate("Hello", max_tokens=6).text == expected["text"]
    with pytest.raises(NotImplementedError, match="model of text, which takes no pictures and no videos"):
        model.generate(asked("image", np.zeros((8, 8, 3), np.uint8)))


def test_a_stream_that_nobody_reads_ends(folder, model):
    before = threading.active_count()
    stream = model.stream(asked("video", folder / "moving-shapes/media/000000.gif"), max_tokens=100000)
    next(stream)
    stream.close()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(20)
    assert threading.active_count() <= before


def test_an_error_of_a_callback_comes_back(folder, model):
    def fail(text):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        model.generate(asked("video", folder / "moving-shapes/media/000000.gif"), max_tokens=9, on_text=fail)


@pytest.mark.parametrize(
    ("messages", "error", "message"),
    [
        ([], TypeError, "a text or a list of dicts"),
        ([{"role": "user"}], TypeError, r"messages\[0\] must be a dict with 'role' and 'content'"),
        ([{"role": "user", "content": 3}], TypeError, r"messages\[0\]\['content'\] must be a text or a list"),
        (asked("sound", "a.wav"), TypeError, r"\['content'\]\[0\] must be a dict like"),
        (
            asked("image", np.zeros((8, 8, 3))),
            ValueError,
            r"uint8 pixels \[H, W, 3\], got float64 \[8, 8, 3\]",
        ),
        (asked("video", np.zeros((8, 8, 3), np.uint8)), ValueError, r"uint8 pixels \[T, H, W, 3\]"),
        (asked("video", "none.mp4"), OSError, "none.mp4"),
        (asked("image", np.zeros((9, 8, 3), np.uint8)), ValueError, "multiples? of"),
        ([{"role": "judge", "content": "?"}], ValueError, "'judge'"),
    ],
)
def test_what_is_no_conversation_is_one_message(model, messages, error, message):
    with pytest.raises(error, match=message):
        model.generate(messages, max_tokens=1)


def test_options_and_files_that_do_not_fit_are_named(model, tmp_path):
    with pytest.raises(ValueError, match="temperature"):
        model.generate("?", temperature=-1)
    for option, value, error in (
        ("max_tokens", "3", TypeError),
        ("max_tokens", -1, ValueError),
        ("seed", 2.5, TypeError),
        ("seed", 2**64, ValueError),
        ("top_p", None, TypeError),
    ):
        with pytest.raises(error, match=f"{option} must be .*got {value}".replace("got 3", "got '3'")):
            model.generate("?", **{option: value})
    with pytest.raises(OSError, match="nowhere"):
        linmu.models.load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="'cpu' or 'cuda', got 'tpu'"):
        linmu.models.load(tmp_path, device="tpu")
    with pytest.raises(ValueError, match="'packed', 'f32' or None, got 'int4'"):
        linmu.models.load(tmp_path, weights="int4")


def test_a_video_may_be_a_list_of_frames(model, folder):
    frames = [np.full((32, 32, 3), 16 * i, np.uint8) for i in range(16)]
    whole = model.generate(asked("video", np.stack(frames)), max_tokens=4)
    assert model.generate(asked("video", frames), max_tokens=4).ids == whole.ids


def test_kernels_need_no_models():
    """Models, and torch with them, are opened when they are asked for."""
    code = "import linmu, sys; assert not {'torch', 'linmu.models', '_linmu_models'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_of_files_are_bytes(model, folder, tmp_path):
    """Neither need they be UTF-8, nor is one cut at a character that no name has."""
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    os.symlink(folder, odd)
    again = linmu.models.load(odd)
    picture = asked("image", os.path.join(odd, "written-words/media/000000.png"))
    assert again.generate(picture, max_tokens=2).ids == model.generate(picture, max_tokens=2).ids
    with pytest.raises(ValueError, match="the path of a model must not hold the character U"):
        linmu.models.load(f"{folder}\0elsewhere")
    picture[0]["content"][0]["image"] += "\0elsewhere"
    with pytest.raises(ValueError, match=r"\['image'\] must not hold the character U"):
        model.generate(picture, max_tokens=2)


def test_texts_are_what_utf8_holds(model):
    content = [{"type": "text", "text": "a\udcff"}]
    for messages, place in (
        ("a\udcff", "messages"),
        ([{"role": "user", "content": "a\udcff"}], r"messages\[0\]\['content'\]"),
        ([{"role": "user", "content": content}], r"messages\[0\]\['content'\]\[0\]\['text'\]"),
    ):
        with pytest.raises(ValueError, match=rf"^{place} must be text that UTF-8 holds, got '.udcff' at 1$"):
            model.generate(messages, max_tokens=1)


def test_a_child_generates_what_its_parent_does():
    """Torch's OpenMP waits in a child for the threads that its parent has."""
    model = linmu.models.load(smollm2_path())
    expected = model.generate("The capital of France is", max_tokens=4).ids
    child = os.fork()
    if child == 0:
        os._exit(model.generate("The capital of France is", max_tokens=4).ids != expected)
    assert status_of(child) == "status 0"
    assert model.generate("The capital of France is", max_tokens=4).ids == expected
