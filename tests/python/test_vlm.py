"""Small vision-language models: the encoder against a transcription in torch, their folders, and asking them."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional

from decoder_support import LINMU, ROOT, run

PROBE = ROOT / "build" / "bin" / "vlm_probe"
TINY = ("--side", "32", "--frames", "16")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """The unit tests' tiny model with random biases and norms, whose zeros and ones hide mistakes."""
    folder = tmp_path_factory.mktemp("model")
    run([PROBE, "new", folder, "5"], check=True)
    weights = load_file(folder / "model.safetensors")
    random = torch.Generator().manual_seed(2)
    for name, tensor in weights.items():
        if name.startswith(("vision.", "projector.")) and (name.endswith(".bias") or "norm" in name):
            weights[name] = tensor + 0.3 * torch.randn(tensor.shape, generator=random)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def patches_of(frames: torch.Tensor, depth: int, side: int) -> torch.Tensor:
    """The input of a 3-D convolution whose stride is its kernel, [1, 3, T, H, W]."""
    x = (frames.double() / 255 - 0.5) / 0.5
    if rest := -len(x) % depth:
        x = torch.cat([x, x[-1:].expand(rest, *x.shape[1:])])
    return x.permute(3, 0, 1, 2).unsqueeze(0)


def positions(t: int, h: int, w: int, d: int) -> torch.Tensor:
    n = d // 6
    table = torch.zeros(t, h, w, d, dtype=torch.float64)
    for a in range(t):
        for b in range(h):
            for c in range(w):
                for axis, p in enumerate((a, b, c)):
                    for i in range(n):
                        angle = torch.tensor(p * 100.0 ** (-i / n), dtype=torch.float64)
                        table[a, b, c, 2 * n * axis + i] = angle.sin()
                        table[a, b, c, 2 * n * axis + n + i] = angle.cos()
    return table


def transcription(weights: dict, config: dict, frames: torch.Tensor) -> torch.Tensor:
    """[1, t h w, d of the decoder] in f64, one time step after the other, with attention written out."""
    v, side, depth = (
        config["vision_config"],
        config["vision_config"]["patch_size"],
        config["vision_config"]["temporal_patch_size"],
    )
    d, heads = v["hidden_size"], v["num_attention_heads"]

    def linear(x, name):
        return x @ weights[name + ".weight"].T + weights[name + ".bias"]

    def norm(x, name):
        return functional.layer_norm(
            x, (d,), weights[name + ".weight"], weights[name + ".bias"], v["layer_norm_eps"]
        )

    kernel = weights["vision.patch_embed.weight"].view(d, 3, depth, side, side)
    x = functional.conv3d(
        patches_of(frames, depth, side),
        kernel,
        weights["vision.patch_embed.bias"],
        stride=(depth, side, side),
    )
    x = x[0].permute(1, 2, 3, 0)
    x = x + positions(*x.shape)
    steps = []
    for step in x.flatten(1, 2):
        for i in range(v["num_hidden_layers"]):
            layer = f"vision.layers.{i}."
            qkv = linear(norm(step, layer + "attention_norm"), layer + "attention.qkv_proj")
            mixed = []
            for head in range(heads):
                size = d // heads
                q, k, value = (
                    qkv[:, part * d + head * size : part * d + (head + 1) * size] for part in range(3)
                )
                mixed.append(torch.softmax(q @ k.T / size**0.5, -1) @ value)
            step = step + linear(torch.cat(mixed, -1), layer + "attention.o_proj")
            inner = functional.gelu(linear(norm(step, layer + "mlp_norm"), layer + "mlp.up_proj"))
            step = step + linear(inner, layer + "mlp.down_proj")
        steps.append(norm(step, "vision.norm"))
    x = torch.cat(steps)
    return linear(functional.gelu(linear(x, "projector.in_proj")), "projector.out_proj").unsqueeze(0)


@pytest.mark.parametrize("shape", [(6, 16, 24), (1, 32, 8), (3, 8, 8)])
def test_vision_tokens_and_gradients_equal_a_transcription(model, tmp_path, shape):
    random = torch.Generator().manual_seed(4)
    frames = torch.randint(0, 256, (*shape, 3), generator=random, dtype=torch.uint8)
    tokens = (shape[0] + 1) // 2 * (shape[1] // 8) * (shape[2] // 8)
    cotangent = torch.randn(1, tokens, 32, generator=random)
    save_file({"frames": frames, "cotangent": cotangent}, tmp_path / "in.safetensors")
    run([PROBE, "encode", model, tmp_path / "in.safetensors", tmp_path / "out.safetensors"], check=True)
    ours = load_file(tmp_path / "out.safetensors")
    weights = {
        name: tensor.double().requires_grad_()
        for name, tensor in load_file(model / "model.safetensors").items()
        if name.startswith(("vision.", "projector."))
    }
    expected = transcription(weights, json.loads((model / "config.json").read_text()), frames)
    (expected * cotangent).sum().backward()
    # f32 against f64, on values of magnitude 1.
    assert (ours["tokens"] - expected).abs().max() < 2e-5
    assert len(weights) == sum(name.startswith("gradient.") for name in ours)
    for name, tensor in weights.items():
        error = (ours["gradient." + name] - tensor.grad).abs().max()
        assert error < 1e-4 * tensor.grad.square().mean().sqrt() + 1e-6, name


def test_the_tokenizer_gives_the_ids_of_the_library_tokenizers(model, tmp_path):
    theirs = Tokenizer.from_file(str(model / "tokenizer.json"))
    texts = [
        "which shape comes after the red circle?",
        "is the word BAK in the picture?",
        " 417",
        "where does the cyan ring go from the top left?",
        "what is the color of the rectangle? é 😀  two  spaces\n\nlines",
        "<|im_end|> is text",
        "",
    ]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    run([ROOT / "build" / "bin" / "models_probe", "tokens", model / "tokenizer.json", tmp_path / "texts.json",
         tmp_path / "ids.json"], check=True)  # fmt: skip
    ours = json.loads((tmp_path / "ids.json").read_text())
    for text, ids in zip(texts[:-2], ours, strict=False):
        assert ids == theirs.encode(text).ids, text
        assert theirs.decode(ids) == text
    words = theirs.encode("which shape comes after the red circle?")
    assert len(words.ids) == 8, "a word is a token"


def linmu(*arguments) -> list[str]:
    done = run([LINMU, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_new_model_is_made_asked_and_evaluated(model, tmp_path):
    assert "1.17M" in linmu("init", "--preset", "demo", "--seed", "3", "--out", tmp_path / "demo")[0]
    linmu("data", "moving-shapes", "--count", "3", "--out", tmp_path / "clips", *TINY)
    with (tmp_path / "clips" / "data.jsonl").open("a") as file:
        file.write('{"video": "media/none.gif", "conversations": []}\nno json\n')
    done = run(
        [LINMU, "eval", tmp_path / "demo", model, "--data", tmp_path / "clips" / "data.jsonl", "--max-tokens", "3",
         "--out", tmp_path / "answers.jsonl"], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    skipped = [line for line in done.stderr.splitlines() if line.startswith("skipped ")]
    assert [line.split(": ")[0].rsplit(":", 1)[1] for line in skipped] == ["4", "5"]
    assert "2 of 5 questions were skipped as damaged" in done.stderr
    answers = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert [entry["model"] for entry in answers] == [str(tmp_path / "demo")] * 3 + [str(model)] * 3
    lines = [json.loads(line) for line in (tmp_path / "clips" / "data.jsonl").read_text().splitlines()[:3]]
    for entry, line in zip(answers, lines * 2, strict=True):
        assert entry["question"] == line["conversations"][0]["value"].split("\n")[1]
        assert entry["expected"] == line["conversations"][1]["value"]
        assert entry["right"] == (entry["answer"].strip() == entry["expected"])
    assert done.stdout.splitlines()[-2].split()[:4] == ["all", "0.0%", "of", "3"]
    # The same question by itself has the same answer.
    said = json.loads(
        linmu("answer", model, answers[3]["question"], "--video", tmp_path / "clips" / lines[0]["video"],
              "--max-tokens", "3", "--json")[0]
    )  # fmt: skip
    assert said["text"] == answers[3]["answer"] and said["generated_tokens"] <= 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json is not valid JSON"),
    ],
)
def test_a_folder_that_is_no_model_is_one_message(tmp_path, change, message):
    run([PROBE, "new", tmp_path / "model", "1"], check=True)
    change(tmp_path / "model")
    done = run([LINMU, "answer", tmp_path / "model", "is it red?"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    said = [line for line in done.stderr.splitlines() if line.startswith("linmu: error: ")]
    assert len(said) == 1 and message in said[0]


def test_easy_vqa_is_read_as_its_package_has_it(model, tmp_path):
    spec = importlib.util.find_spec("easy_vqa")
    assert spec and spec.origin, "the package easy-vqa must be installed (pip install --no-deps)"
    data = Path(spec.origin).parent / "data"
    # Of the 9,673 questions that are held out, the first few: the rest differ in nothing but their number.
    questions = json.loads((data / "test" / "questions.json").read_text())[:4]
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "questions.json").write_text(json.dumps(questions))
    (tmp_path / "test" / "images").symlink_to(data / "test" / "images")
    object_ = json.dumps({"easy-vqa": str(tmp_path), "split": "held-out"})
    linmu("eval", model, "--data", object_, "--max-tokens", "2", "--out", tmp_path / "answers.jsonl")
    answers = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert [[entry["question"], entry["expected"]] for entry in answers] == [entry[:2] for entry in questions]
    assert np.unique([entry["kind"] for entry in answers]).tolist() <= ["colour", "shape", "yes-no"]
