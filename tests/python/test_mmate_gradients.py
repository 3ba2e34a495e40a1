"""Gradients of M-MATE to every parameter, through the compiled kernels, against autograd of the fp64 transcription."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from decoder_support import run
from mmate_oracle import flex_branch, mmate
from mmate_support import (
    GROUPS,
    HEADS,
    PRESETS,
    PROBE,
    THETA,
    WIDTH,
    Sequence,
    flipped,
    random_hidden,
    random_weights,
)

# f32 sums over a hundred tokens: of the entry that is worst, relative to the root mean square of its gradient.
TOLERANCE = 1e-4
# Where terms of order 1 cancel: the gradient of a decay's logarithm is such a sum (docs/patterns.md), and a rate takes
# those of all tokens.
RATES, TOLERANCE_WHERE_TERMS_CANCEL = {"a_log_forward", "a_log_reverse"}, 1e-3

# Text, an image, another right after it, text, a video, text.
MIXED = Sequence(7 + 20 + 12 + 3 + 30 + 5, [(7, 1, 4, 5), (27, 1, 3, 4), (42, 5, 2, 3)])
TEXT = Sequence(61)
SHARED = ("positions", "media", "cotangent")
WINDOWS = {"W_Q", "b_Q", "W_K", "b_K", "W_V", "b_V", "W_O_swin", "b_O_swin"}


def write(folder, config, sequence, batch):
    given = random_weights() | {"hidden": random_hidden(batch, sequence.tokens)}
    given["positions"] = torch.arange(sequence.tokens)
    given["media"] = torch.tensor(sequence.media, dtype=torch.int64).reshape(-1, 4)
    given["cotangent"] = torch.randn(
        batch, sequence.tokens, WIDTH, generator=torch.Generator().manual_seed(5)
    )
    save_file({name: x.contiguous() for name, x in given.items()}, folder / "in.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return given


def command(folder, layer, branch):
    files = [folder / "config.json", folder / "in.safetensors", folder / "out.safetensors"]
    return [PROBE, "gradient", *files, str(HEADS), str(GROUPS), str(THETA), str(layer), branch]


def expected_gradients(given, config, layer, sequence, branch):
    """By name, of what the branch depends on."""
    leaves = {name: x.double().requires_grad_() for name, x in given.items() if name not in SHARED}
    arguments = (config, layer, sequence.media, HEADS, GROUPS)
    weights = {name: x for name, x in leaves.items() if name != "hidden"}
    rows = [
        flex_branch(z, weights, *arguments) if branch == "flex"
        else mmate(z, weights, *arguments, np.arange(sequence.tokens), THETA)
        for z in leaves["hidden"]
    ]  # fmt: skip
    torch.stack(rows).backward(given["cotangent"].double())
    return {name: x.grad for name, x in leaves.items() if x.grad is not None}


def agree(folder, config, layer, sequence, branch, batch=1, cancelling=frozenset()):
    given = write(folder, config, sequence, batch)
    run(command(folder, layer, branch), check=True)
    actual = load_file(folder / "out.safetensors")
    expected = expected_gradients(given, config, layer, sequence, branch)
    if branch == "block":  # without vision tokens windows get nothing
        assert all(not expected.pop(name).any() for name in WINDOWS & expected.keys())
    # What has no part in the output, as a direction in which no token writes, gets nothing.
    for name in [name for name, x in expected.items() if not x.any()]:
        del expected[name]
        assert "d_" + name not in actual or not actual["d_" + name].any()
    assert {name for name in expected if "d_" + name not in actual} == set()
    errors = {}
    for name, exact in expected.items():
        difference = (actual["d_" + name].double() - exact).abs().max()
        errors[name] = float(difference / exact.square().mean().sqrt())
    loose = RATES | cancelling
    wrong = {
        name: error
        for name, error in errors.items()
        if error > (TOLERANCE_WHERE_TERMS_CANCEL if name in loose else TOLERANCE)
    }
    assert not wrong
    return set(expected)


FLEX = {"hidden", "a_log_forward", "a_log_reverse", "W_O_flex", "b_O_flex"}
FLEX |= {f"{kind}_{name}" for kind in "Wb" for name in ("C", "B", "X", "dt_forward", "dt_reverse", "gate")}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("layer", range(4))
def test_every_parameter_of_the_flex_branch_of_a_mixed_sequence(tmp_path, preset, layer):
    known = agree(tmp_path, PRESETS[preset], layer, MIXED, "flex", batch=2)
    assert known == (FLEX | {"scan_norm"} if PRESETS[preset]["scan_norm"] else FLEX)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_convolution_before_the_scans(tmp_path, preset):
    known = agree(tmp_path, flipped(preset, "short_convolution"), 1, MIXED, "flex")
    assert known >= {"conv_C", "conv_B", "conv_X"}


@pytest.mark.parametrize(
    "key", ["reverse_target", "reverse_scope", "reverse_decays_over_text", "gate_is_one_on_text"]
)
def test_each_reading_of_the_reverse_direction(tmp_path, key):
    agree(tmp_path, flipped("safe", key), 2, MIXED, "flex")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_parameter_of_the_whole_block_on_text(tmp_path, preset):
    # The LayerNorm of `paper` hides a factor of a whole token: what lambda gets are differences of rounding.
    known = agree(tmp_path, PRESETS[preset], 1, TEXT, "block", batch=2, cancelling={"W_lambda", "b_lambda"})
    assert known >= {"hidden", "a_log_forward", "W_C", "W_B", "W_X", "W_O_flex"}
    assert (known >= {"W_lambda", "b_lambda", "output_norm", "b_output_norm"}) == (preset == "paper")


def test_flex_alone_is_a_block_that_has_gradients_on_any_sequence(tmp_path):
    config = flipped("safe", "output_norm") | {"branches": "flex"}
    assert agree(tmp_path, config, 1, MIXED, "block") == FLEX | {"scan_norm", "output_norm", "b_output_norm"}


def test_lambda_where_nothing_hides_it(tmp_path):
    assert agree(tmp_path, flipped("paper", "output_norm"), 1, TEXT, "block") >= {"W_lambda", "b_lambda"}


def test_windows_are_refused_in_one_sentence(tmp_path):
    write(tmp_path, PRESETS["safe"], MIXED, 1)
    result = run(command(tmp_path, 0, "block"), capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr == (
        "M-MATE with gradients: expected a sequence without media items, got 3, whose windows have no derived gradient "
        "yet\n"
    )
