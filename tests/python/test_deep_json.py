"""JSON whose lists nest without end, in every file that a user gives: one message, and never a crash."""

import json
import shutil

import pytest

from decoder_support import LINMU, ROOT, run

PROBE = ROOT / "build" / "bin" / "vlm_probe"
DEEP = "[" * 200000 + "]" * 200000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    run([PROBE, "new", folder, "5"], check=True)
    return folder


def refuse(*arguments, says):
    done = run([LINMU, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done
    assert done.stdout == "" and says in done.stderr and done.stderr.count("error") <= 1, done.stderr[:500]


@pytest.mark.parametrize(
    "file", ["config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"]
)
@pytest.mark.parametrize("where", ["whole", "inside"])
def test_files_of_models(model, tmp_path, file, where):
    folder = shutil.copytree(model, tmp_path / "model")
    text = (folder / file).read_text()
    deep = DEEP if where == "whole" else text.rstrip().removesuffix("}") + ', "more": ' + DEEP + "}"
    (folder / file).write_text(deep)
    refuse("answer", folder, "is it red?", says="deeper than 200 levels")


def test_headers_of_weights(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    header = ('{"a": ' + DEEP + "}").encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    refuse("answer", folder, "is it red?", says="deeper than 200 levels")


def test_recipes_and_data(model, tmp_path):
    (tmp_path / "recipe.json").write_text('{"kind": ' + DEEP + "}")
    for command in ("train", "distill"):
        refuse(command, tmp_path / "recipe.json", says="deeper than 200 levels")
    lines = tmp_path / "data.jsonl"
    lines.write_text('{"conversations": ' + DEEP + "}\n" + json.dumps({"conversations": []}) + "\n")
    refuse("eval", model, "--data", lines, says="is not valid JSON")
    refuse(
        "eval", model, "--data", '{"jsonl": ' + DEEP[:1000] + DEEP[-1000:] + "}", says="--data begins like"
    )
