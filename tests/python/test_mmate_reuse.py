"""Weight reuse: what an attention layer's weights become (Eq. 4 and 5 of the paper)."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mmate_support import GROUPS, HEAD_DIM, HEADS, PROBE, run

HIDDEN = 48
ROWS = {"query": HEADS * HEAD_DIM, "key": GROUPS * HEAD_DIM, "value": GROUPS * HEAD_DIM}


def attention(biases: bool, seed=0) -> dict:
    random = torch.Generator().manual_seed(seed)
    weights = {name: torch.randn(rows, HIDDEN, generator=random) for name, rows in ROWS.items()}
    weights["output"] = torch.randn(HIDDEN, HEADS * HEAD_DIM, generator=random)
    if biases:
        weights |= {name + "_bias": torch.randn(rows, generator=random) for name, rows in ROWS.items()}
        weights["output_bias"] = torch.randn(HIDDEN, generator=random)
    return weights


def reuse(folder, weights, heads=HEADS, groups=GROUPS, seed=7):
    save_file(weights, folder / "in.safetensors")
    files = [folder / "in.safetensors", folder / "out.safetensors"]
    run([PROBE, "reuse", *files, str(heads), str(groups), str(HIDDEN), str(seed)], check=True)
    return load_file(folder / "out.safetensors")


@pytest.mark.parametrize("biases", [False, True])
def test_both_branches_start_from_the_attention_weights(tmp_path, biases):
    teacher = attention(biases)
    student = reuse(tmp_path, teacher)
    stacked = torch.cat([teacher[name] for name in ROWS])
    bias = torch.cat([teacher[name + "_bias"] for name in ROWS]) if biases else torch.zeros(len(stacked))
    rows = len(stacked)
    assert torch.equal(student["flex"][:rows], stacked) and torch.equal(student["swin"], stacked)
    assert torch.equal(student["flex_bias"][:rows], bias) and torch.equal(student["swin_bias"], bias)
    for branch in ("flex", "swin"):
        assert torch.equal(student[branch + "_output"], teacher["output"])
        assert (branch + "_output_bias" in student) == biases
        if biases:
            assert torch.equal(student[branch + "_output_bias"], teacher["output_bias"])


def test_the_rest_starts_in_the_standard_way(tmp_path):
    heads = 256
    random = torch.Generator().manual_seed(1)
    teacher = {name: torch.randn(heads, HIDDEN, generator=random) for name in ROWS}
    teacher["output"] = torch.randn(HIDDEN, heads, generator=random)
    student = reuse(tmp_path, teacher, heads, heads)
    rest, bias = student["flex"][3 * heads :], student["flex_bias"][3 * heads :].double()
    assert (rest == 0).all()  # weights of dt and gate
    steps = torch.nn.functional.softplus(bias[: 2 * heads]).numpy()
    assert steps.min() > 0.999e-3 and steps.max() < 1.001e-1
    # log-uniform: the logarithm's mean and spread, to three standard errors of 512 samples.
    assert abs(np.log(steps).mean() - np.log(1e-2)) < 3 * 1.33 / 512**0.5
    assert abs(np.log(steps).std() - 1.33) < 0.12
    assert (bias[2 * heads :] == 0).all()  # g = 0.5
    for name in ("forward_a_log", "reverse_a_log"):
        rates = student[name].exp().numpy()
        assert rates.min() >= 0.999 and rates.max() <= 16.001
        assert abs(rates.mean() - 8.5) < 3 * 4.33 / heads**0.5
    for name in ("conv_C", "conv_B", "conv_X"):
        assert (student[name][0] == 1).all() and (student[name][1:] == 0).all()
    assert (student["scan_norm"] == 1).all()
    assert (student["lambda"] == 0).all() and student["lambda_bias"].tolist() == [2]


def test_the_two_directions_start_apart_and_a_seed_repeats(tmp_path):
    first, again, other = (reuse(tmp_path, attention(True), seed=seed) for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["flex_bias"], other["flex_bias"])
    assert not torch.equal(first["forward_a_log"], other["forward_a_log"])
    assert not torch.equal(first["forward_a_log"], first["reverse_a_log"])
