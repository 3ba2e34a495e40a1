"""`linmu bench`: times of one layer's mixers, from a configuration alone."""

import json
import re

import pytest

from decoder_support import LINMU, run

CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "vocab_size": 16,
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
}
SMALL = ["--tokens", "64,128", "--frame", "4,4", "--repeats", "1", "--mixer", '{"video_window": [2, 2, 2]}']


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("shape") / "config.json"
    path.write_text(json.dumps(CONFIG))
    return path


def bench(*arguments):
    return run([LINMU, "bench", *arguments], capture_output=True, text=True)


@pytest.mark.parametrize(
    "more", [[], ["--gradients"], ["--gradients", "--precision", "bf16", "--batch", "2"]]
)
def test_each_mixer_is_timed_on_each_number_of_tokens(config, more):
    done = bench(config.parent, *SMALL, *more, "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    mixers = ["attention", "flex", "swin", "both"]
    assert [(line["tokens"], line["mixer"]) for line in lines] == [
        (tokens, mixer) for tokens in (64, 128) for mixer in mixers
    ]
    assert all(0 < line["seconds"] < 60 for line in lines)
    assert not any("bytes" in line for line in lines), "what a CPU's tensors take is not counted"


def test_without_json_it_is_a_table(config):
    done = bench(config, *SMALL)
    header, rule, *rows = done.stdout.splitlines()
    assert header.split() == ["tokens", "attention", "flex", "swin", "both"]
    assert [row.split()[0] for row in rows] == ["64", "128"] and set(rule) == {"-", " "}
    assert all(len(re.findall(r"[0-9.]+ ms", row)) == 4 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tokens", "64,72", "--frame", "4,4"], "--tokens: expected whole frames of 4x4, got 72"),
        (["--frame", "0,4"], "--frame: Value 0 not in range"),
        (["--mixer", '{"window": 1}'], "no key 'window'"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_timed(config, arguments, message):
    done = bench(config, *arguments)
    assert done.returncode != 0 and done.stdout == "" and message in done.stderr


def test_a_file_that_is_no_configuration_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"text_config": 3}')
    done = bench(tmp_path)
    assert done.returncode == 1 and "config.json" in done.stderr and len(done.stderr.splitlines()) == 1
