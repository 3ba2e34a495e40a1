"""Random command lines over the options of `linmu` and `linmuc`, each with what is known of its end."""

import json
import random
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

from decoder_support import LINMU, ROOT

LINMUC = ROOT / "build" / "bin" / "linmuc"
VLM_PROBE = ROOT / "build" / "bin" / "vlm_probe"

PATTERNS = """
!t = tensor<?x?x2x4xf32>
!v = tensor<4xf32>
func.func @twice(%x: !t) -> !t {
  %y = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %s = arith.addf %xt, %xt : !v
    pattern.yield outputs(%s : !v)
  }
  return %y : !t
}
func.func @summed(%x: !t) -> (!t, tensor<?x2x4xf32>) {
  %o, %s = pattern.scan tokens(%xt = %x : !t) states(%S = zero : tensor<?x2x4xf32>) -> (!t) {
    %n = arith.addf %S, %xt : !v
    pattern.yield outputs(%n : !v) states(%n : !v)
  }
  return %o, %s : !t, tensor<?x2x4xf32>
}
"""


@dataclass
class Value:
    """Of an option. `bad`: no command line with it may succeed."""

    text: str
    bad: bool = False


@dataclass
class Line:
    program: Path
    arguments: list[str]
    stdin: bytes
    bad: bool  # it must fail
    outputs: list[str] = field(
        default_factory=list
    )  # files that only a success leaves behind, if it writes them

    def __str__(self) -> str:
        return f"{self.program.name} {' '.join(map(repr, self.arguments))} < {self.stdin!r}"


def write_model(folder: Path) -> None:
    """A decoder of the Llama family with random weights, and a tokenizer of the 256 bytes."""
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(
        models.BPE(vocab={letter: index for index, letter in enumerate(letters)}, merges=[])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    template = (
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + "
    )
    template += (
        "'<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
    )
    template += "{% endif %}"
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))


def write_inputs(folder: Path) -> None:
    (folder / "a b.mlir").write_text(PATTERNS)
    (folder / "one.mlir").write_text(PATTERNS[: PATTERNS.index("func.func @summed")])
    (folder / "broken.mlir").write_text(PATTERNS[:300])
    (folder / "empty").write_bytes(b"")
    (folder / "noise").write_bytes(random.Random(3).randbytes(5000))
    (folder / "noise.lmk").write_bytes(random.Random(4).randbytes(5000))
    save_file({"x": np.ones((2, 5, 2, 4), np.float32)}, folder / "in.safetensors")
    save_file({"z": np.ones((2, 5), np.float32)}, folder / "other.safetensors")
    (folder / "folder").mkdir()
    (folder / "model").mkdir()
    write_model(folder / "model")
    subprocess.run([VLM_PROBE, "new", folder / "vision", "5"], check=True)
    for generator, more in (("moving-shapes", ["--frames", "16"]), ("written-words", [])):
        made = [LINMU, "data", generator, "--out", folder / generator, "--count", "2", "--side", "32", *more]
        subprocess.run(made, check=True, capture_output=True)
    (folder / "asked.jsonl").write_text('{"prompt": "Hi", "answer": "Ho"}\n' * 3)
    recipe = {"teacher": "model", "out": "run", "data": {"path": "asked.jsonl"}, "batch": 1}
    recipe["stages"] = [{"stage": "1", "steps": 1}]
    (folder / "recipe.json").write_text(json.dumps(recipe))
    training = {"kind": "train", "model": "vision", "out": "run", "batch": 1, "stages": [{"steps": 1}]}
    training["data"] = {"kind": "vision", "sets": [{"jsonl": "written-words/data.jsonl"}]}
    (folder / "training.json").write_text(json.dumps(training))
    (folder / "wrong.json").write_text(json.dumps(recipe | {"precision": "f16"}))


GOOD, BAD = (
    (lambda *texts: [Value(text) for text in texts]),
    (lambda *texts: [Value(text, True) for text in texts]),
)

# Names of files that are never there, or never what is asked for.
NOWHERE = BAD("missing", "missing/deep", "folder", "a" * 300, "empty", "noise", "in.safetensors/x")
STRANGE = GOOD(
    "", " ", "-1", "0", "nan", "1e999", "9" * 30, "é東🙂", "%s%n", "--", "=", ",", "x=", "=x", "a=b=c", "\t\n"
)
NUMBERS = GOOD("0", "1", "2", "3") + BAD("-1", "nan", "x", "", "1e999", "9" * 30, "1.5.2", "0x", "2 3")

LINMUC_OPTIONS = {
    "--explain": GOOD("text", "json") + BAD("x", "JSON"),
    "--emit": GOOD("pattern", "normal", "tile", "llvm", "asm") + BAD("x", "source,tile"),
    "--package": GOOD("new.lmk", "folder/new.lmk") + BAD("folder", "missing/new.lmk"),
    "--run": GOOD("in.safetensors")
    + BAD("other.safetensors", "missing", "folder", "empty", "noise", "a b.mlir"),
    "--out": GOOD("new.safetensors", "folder/é.safetensors") + BAD("folder", "missing/new.safetensors"),
    "--target": GOOD("cpu", "interpreter") + BAD("gpu", "cpu:x", "cuda:sm_1", "cuda:", "emulate:x"),
    "--function": GOOD("twice", "summed") + BAD("thrice", "@"),
    "--define": GOOD("v=tensor<4xf32>", "t=tensor<?x?x2x4xf32>")
    + BAD("v", "nobody=f32", "v=", "=f32", "t=f32"),
    "--schedule": GOOD("chunk=16", "algorithm=recurrent", "fuse=false")
    + BAD("chunk=-1", "x=1", "chunk", "chunk=1,chunk=2"),
    "--cpu": GOOD("skylake-avx512", "x86-64-v3") + BAD("z80"),
    "--wrt": GOOD("x") + BAD("nobody", "x,x", ","),
    "--of": GOOD("y", "o") + BAD("nobody", "y,,y"),
    "--gradient": None,
    "--version": None,
    "--help": None,
    "--unknown": [Value("", True)],
}
LINMUC_FILES = (
    GOOD("a b.mlir", "one.mlir", "one.mlir", "-")
    + BAD("broken.mlir", "noise.lmk", "noise", "empty")
    + NOWHERE
)

ANSWER_OPTIONS = {
    "--max-tokens": GOOD("1", "2", "3") + BAD("-1", "x", "", "9" * 30, "1.5"),
    "--temperature": GOOD("0", "0.5", "1") + BAD("-1", "nan", "x", "inf"),
    "--top-p": GOOD("1", "0.5", "0.01") + BAD("-1", "2", "nan", "x"),
    "--seed": NUMBERS,
    "--json": None,
    "--help": None,
    "--unknown": [Value("", True)],
}
MODEL_OPTIONS = ANSWER_OPTIONS | {"--weights": GOOD("f32") + BAD("packed", "f16", ""), "--special": None}
MODELS = GOOD("model", "model", "model", "./model/") + NOWHERE + BAD("one.mlir", "model/model.safetensors")
PROMPTS = GOOD("Hi", "-", "é東🙂 \t", "x" * 200, "<|im_end|>")
VISION_MODELS = GOOD("vision", "vision", "vision", "./vision/") + NOWHERE + BAD("model", "one.mlir")
PICTURES = GOOD("written-words/media/000000.png", "written-words/media/000001.png")
VIDEOS = GOOD("moving-shapes/media/000000.gif", "moving-shapes/media/000001.gif")
SETS = (
    GOOD("moving-shapes/data.jsonl", "written-words/data.jsonl", '{"generator": "written-words", "count": 1}')
    + BAD("{", "{}", '{"generator": "x"}', '{"jsonl": 3}', '{"generator": "moving-shapes", "frames": -1}')
    + NOWHERE
)
SIZES = GOOD("16", "32", "48") + BAD("-1", "x", "", "9" * 30, "1.5")
FOLDERS = GOOD("new", "folder/é") + BAD("empty", "noise/new", "a" * 300, "")
RECIPE_OPTIONS = {
    "--out": FOLDERS,
    "--device": GOOD("cpu") + BAD("gpu", ""),
    "--precision": GOOD("f32", "bf16") + BAD("f16", ""),
    "--resume": None,
    "--help": None,
    "--unknown": [Value("", True)],
}
LINMU_COMMANDS = {
    "generate": MODEL_OPTIONS | {"--raw": None, "--model": MODELS, "--prompt": PROMPTS},
    "chat": MODEL_OPTIONS | {"--system": PROMPTS, "--model": MODELS},
    "answer": ANSWER_OPTIONS
    | {
        "--model": VISION_MODELS,
        "--question": PROMPTS,
        "--image": PICTURES + NOWHERE + BAD("one.mlir"),
        "--video": VIDEOS + NOWHERE + BAD("one.mlir"),
        "--weights": BAD("packed", "f32"),
    },
    "bench": {
        "--tokens": GOOD("4", "16,64") + BAD("0", "-4", "x", "6", "4,", "9" * 30),
        "--frame": GOOD("2,2") + BAD("0,2", "2", "2,2,2", "x,2", "65537,1"),
        "--batch": GOOD("1", "2") + BAD("0", "-1", "x"),
        "--repeats": GOOD("1", "2") + BAD("0", "x", "1.5"),
        "--mixer": GOOD("{}", '{"preset": "paper"}') + BAD("{", '{"window": 3}'),
        "--gradients": None,
        "--json": None,
        "--device": GOOD("cpu") + BAD("gpu", ""),
        "--precision": GOOD("f32", "bf16") + BAD("f16", ""),
        "--help": None,
    },
    "data": {
        "--out": FOLDERS + BAD("model", "moving-shapes"),
        "--seed": GOOD("0", "1", "2") + BAD("-1", "x", "", "1.5", "010"),
        "--count": GOOD("1", "2") + BAD("0", "-1", "x", "9" * 30),
        "--split": GOOD("train", "held-out") + BAD("test", ""),
        "--side": SIZES,
        "--frames": SIZES,
        "--help": None,
    },
    "eval": {
        "--data": SETS,
        "--out": GOOD("new.jsonl", "folder/new/é.jsonl") + BAD("folder", "empty/new", ""),
        "--media": GOOD("none", "shuffled", "blank") + BAD("grey", ""),
        "--max-tokens": GOOD("1", "2") + BAD("-1", "x", "", "9" * 30),
        "--help": None,
    },
    "init": {
        "--out": FOLDERS + BAD("vision", "."),
        "--preset": GOOD("demo") + BAD("large", ""),
        "--seed": GOOD("0", "1", "2") + BAD("-1", "x", "", "1.5"),
        "--help": None,
    },
    "distill": RECIPE_OPTIONS,
    "train": RECIPE_OPTIONS,
    "demo": {
        "--model": MODELS,
        "--video": NOWHERE + BAD("one.mlir", "in.safetensors"),
        "--out": GOOD("new.html"),
        "--preset": GOOD("safe", "paper") + BAD("x"),
        "--full": None,
    },
    "doctor": {"--help": None, "--unknown": [Value("", True)]},
    "settings": {"--help": None, "--unknown": [Value("", True)]},
}
# What comes by position, how often; and what an option is mostly there for.
POSITIONALS = {
    "generate": [(MODELS, 0.8), (PROMPTS, 0.7)],
    "chat": [(MODELS, 0.8)],
    "answer": [(VISION_MODELS, 0.8), (PROMPTS, 0.7)],
    "bench": [(GOOD("vision", "model") + NOWHERE + BAD("one.mlir"), 0.95)],
    "data": [(GOOD("moving-shapes", "written-words") + BAD("noise", ""), 0.95)],
    "eval": [(VISION_MODELS, 0.95)],
    "distill": [(GOOD("recipe.json", "./recipe.json") + BAD("wrong.json", "training.json") + NOWHERE, 0.95)],
    "train": [(GOOD("training.json", "./training.json") + BAD("recipe.json", "asked.jsonl") + NOWHERE, 0.95)],
}
NEEDED = {"data": "--out", "eval": "--data", "init": "--out"}
OFTEN = {"generate": 6, "chat": 5, "demo": 3, "answer": 3, "data": 3, "eval": 2, "train": 2}


class Writer:
    """Draws command lines; the same seed, the same lines."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def option(self, name: str, values: list[Value] | None, line: Line) -> None:
        if values is None:
            line.arguments.append(name)
            return
        # Mostly what is meant: lines with several faults show the first only.
        meant = [value for value in values if not value.bad]
        draw = self.random.random()
        value = self.random.choice(meant if draw < 0.8 and meant else values if draw < 0.95 else STRANGE)
        line.bad |= value.bad
        if name in ("--package", "--out"):
            line.outputs.append(value.text)
        if self.random.random() < 0.6:
            line.arguments.append(f"{name}={value.text}")
        else:
            line.arguments += [name, value.text]

    def positional(self, values: list[Value], line: Line, chance: float) -> None:
        if self.random.random() > chance:
            return
        value = self.random.choice(
            values if self.random.random() < 0.3 else [value for value in values if not value.bad]
        )
        line.bad |= value.bad
        line.arguments.insert(self.random.randrange(len(line.arguments) + 1), value.text)

    def linmuc(self) -> Line:
        line = Line(LINMUC, [], self.random.choice([b"", PATTERNS.encode(), b"func", b"\xff\0"]), False)
        if self.random.random() < 0.7:  # what does something
            doing = self.random.choice(["--explain", "--emit", "--package", "--run", "--gradient"])
            self.option(doing, LINMUC_OPTIONS[doing], line)
            if doing == "--run":
                self.option("--out", LINMUC_OPTIONS["--out"], line)
        for name in self.random.sample(sorted(LINMUC_OPTIONS), self.random.choice([0, 0, 0, 1, 1, 2, 3])):
            self.option(name, LINMUC_OPTIONS[name], line)
        self.positional(LINMUC_FILES, line, 0.95)
        self.positional(LINMUC_FILES, line, 0.05)
        return line

    def linmu(self) -> Line:
        line = Line(LINMU, [], self.random.choice([b"", b"Hi\n", b"\n\n", b"\xff\0\n", b"Hi\nHo"]), False)
        commands = [*LINMU_COMMANDS, "", "--help", "--version", "bake"]
        command = self.random.choices(commands, [OFTEN.get(each, 1) for each in commands])[0]
        options = LINMU_COMMANDS.get(command, {})
        names = self.random.sample(sorted(options), min(len(options), self.random.choice([0, 1, 1, 2, 3])))
        if command in NEEDED and NEEDED[command] not in names and self.random.random() < 0.9:
            names.append(NEEDED[command])
        for name in names:
            self.option(name, options[name], line)
        for values, chance in POSITIONALS.get(command, []):
            self.positional(values, line, chance)
        if command == "bench":
            line.arguments += [
                each for each in ("--tokens=4", "--frame=2,2") if each.split("=")[0] not in names
            ]
        if "--max-tokens" not in names and command in ("generate", "chat", "answer", "eval"):
            line.arguments += ["--max-tokens", "2"]
        if command:
            line.arguments.insert(0, command)
        line.bad |= command in ("", "bake")
        return line

    def line(self) -> Line:
        line = self.linmuc() if self.random.random() < 0.6 else self.linmu()
        # Of what asks for help nothing else is done.
        if any(argument in ("--help", "--version") for argument in line.arguments):
            line.bad = False
        return line
