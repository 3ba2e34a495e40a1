"""M-MATE against the fp64 transcription of Algorithm 1, and what follows from the algorithm alone."""

import json
import subprocess

import numpy as np
import pytest
import torch

from mmate_oracle import rotary_major_scan, rotate
from mmate_support import (
    FLIPPED,
    GROUPS,
    HEAD_DIM,
    HEADS,
    MIXED,
    PRESETS,
    PROBE,
    THETA,
    WIDTH,
    Sequence,
    flipped,
    product,
    random_hidden,
    random_weights,  # fmt: skip
    run,
    transcription,
    worst_error,
)

# f32 sums over up to some 900 tokens, against fp64.
TOLERANCE = 2e-5


def agree(folder, config, layer, sequence=MIXED, batch=1, identity_output=False, positions=None):
    weights = random_weights(identity_output=identity_output)
    hidden = random_hidden(batch, sequence.tokens)
    actual, _ = product(folder, hidden, weights, config, layer, sequence.media, positions=positions)
    expected = transcription(hidden, weights, config, layer, sequence.media, positions)
    heads = HEADS if identity_output and not config["output_norm"] else 1
    assert worst_error(actual, expected, heads) < TOLERANCE
    return expected


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("layer", range(4))
def test_every_order_and_shift_equals_the_transcription(tmp_path, preset, layer):
    agree(tmp_path, PRESETS[preset], layer)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("key", FLIPPED)
def test_each_key_flipped_equals_the_transcription(tmp_path, preset, key):
    assert PRESETS[preset][key] != flipped(preset, key)[key]
    agree(tmp_path, flipped(preset, key), layer=3)


@pytest.mark.parametrize("key", FLIPPED)
def test_each_key_of_the_paper_preset_changes_the_output(tmp_path, key):
    weights, hidden = random_weights(), random_hidden(1, MIXED.tokens)
    base = dict(PRESETS["paper"])
    if key == "lambda_is_one_on_text":
        base["output_norm"] = False  # the LayerNorm hides a factor of a whole token
    one, _ = product(tmp_path, hidden, weights, base, 3, MIXED.media)
    other, _ = product(tmp_path, hidden, weights, base | {key: flipped("paper", key)[key]}, 3, MIXED.media)
    assert worst_error(one, other) > 1e-2


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("branch", ["flex", "swin"])
def test_one_branch_alone_equals_the_transcription(tmp_path, preset, branch):
    agree(tmp_path, PRESETS[preset] | {"branches": branch}, layer=1)


@pytest.mark.parametrize("key", [None, "short_convolution", "scan_norm"])
def test_each_head_of_a_batch_equals_the_transcription(tmp_path, key):
    config = PRESETS["safe"] if key is None else flipped("safe", key)
    agree(tmp_path, config, layer=2, batch=3, identity_output=True)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    "sequence",
    [Sequence(1), Sequence(70), Sequence(1, [(0, 1, 1, 1)]), Sequence(90, [(0, 1, 10, 9)]), Sequence(40, [(0, 5, 2, 4)])],
    ids=["one_text", "text", "one_vision", "image", "video"])  # fmt: skip
def test_sequences_of_one_kind_equal_the_transcription(tmp_path, preset, sequence):
    for layer in (1, 2):
        agree(tmp_path, PRESETS[preset], layer, sequence)


def test_rotary_positions_are_the_given_ones(tmp_path):
    positions = torch.arange(MIXED.tokens) * 3 + 11
    agree(tmp_path, PRESETS["safe"], 1, positions=positions)


def test_orders_are_the_four_of_the_paper():
    """Written out by hand for a grid of 2 x 2 x 3 after one text token."""
    expected = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11],
        [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11],
        [0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11],
    ]
    for layer in range(8):
        order = rotary_major_scan(layer, 14, [(1, 2, 2, 3)])
        assert order.tolist() == [0] + [1 + token for token in expected[layer % 4]] + [13]


@pytest.mark.parametrize("grid", [(16, 4, 4), (1, 8, 8), (5, 3, 2), (1, 2, 7)])
@pytest.mark.parametrize("layer", [0, 1])
def test_one_window_over_the_grid_equals_sdpa(tmp_path, grid, layer):
    """lambda = 0 leaves Local-Swin alone; a window no smaller than the grid does not shift."""
    weights = random_weights()
    weights["W_lambda"], weights["b_lambda"] = torch.zeros(1, WIDTH), torch.tensor([-1e4])
    tokens = int(np.prod(grid))
    hidden = random_hidden(2, tokens)
    actual, _ = product(tmp_path, hidden, weights, PRESETS["safe"], layer, [(0, *grid)])
    exact = {name: value.double() for name, value in weights.items()}

    def heads(name, count):
        return (hidden.double() @ exact["W_" + name].T + exact["b_" + name]).unflatten(2, (count, HEAD_DIM))

    positions = np.arange(tokens)
    q, k = (
        torch.stack([rotate(row, positions, THETA) for row in heads(name, count)])
        for name, count in (("Q", HEADS), ("K", GROUPS))
    )
    y = torch.nn.functional.scaled_dot_product_attention(
        q.transpose(1, 2), k.transpose(1, 2), heads("V", GROUPS).transpose(1, 2), enable_gqa=True)  # fmt: skip
    expected = y.transpose(1, 2).flatten(2) @ exact["W_O_swin"].T + exact["b_O_swin"]
    assert worst_error(actual, expected.numpy()) < TOLERANCE


# Figure 3. Two items of different kinds with text before, between and behind.
FIELD = Sequence(3 + 20 + 2 + 24 + 3, [(3, 1, 4, 5), (25, 2, 3, 4)])


def receptive_field(config) -> np.ndarray:
    """seen[i, j]: the output of token i depends on the input of token j."""
    item = np.full(FIELD.tokens, -1)
    for number, (first, t, h, w) in enumerate(FIELD.media):
        item[first : first + t * h * w] = number
    i, j = np.indices((FIELD.tokens, FIELD.tokens))
    same_item = (item[i] == item[j]) & (item[i] >= 0)
    seen = (j <= i) | same_item
    if config["reverse_scope"] == "sequence":
        vision_after = np.array([(item[token:] >= 0).any() for token in range(FIELD.tokens)])
        reads = (item[i] >= 0) | (config["reverse_target"] == "all")
        # A text token is seen backwards only where it lets the state decay, and there must be a state.
        passes = (item[j] >= 0) | (config["reverse_decays_over_text"] & vision_after[j])
        seen |= (j > i) & reads & passes
    return seen


FIELD_CONFIGS = {
    "paper": PRESETS["paper"],
    "paper_state_held_over_text": flipped("paper", "reverse_decays_over_text"),
    "paper_text_causal": flipped("paper", "reverse_target"),
    "safe": PRESETS["safe"],
    "safe_with_convolution": flipped("safe", "short_convolution"),
    "safe_over_the_sequence": flipped("safe", "reverse_scope"),
}


@pytest.mark.parametrize("name", FIELD_CONFIGS)
@pytest.mark.parametrize("layer", range(4))
def test_perturbing_one_token_moves_exactly_its_receptive_field(tmp_path, name, layer):
    weights = random_weights()
    # Short steps, so that nothing in the field decays below f32.
    weights["b_dt_forward"] = weights["b_dt_reverse"] = torch.full((HEADS,), -4.0)
    base = random_hidden(1, FIELD.tokens)
    hidden = base.repeat(FIELD.tokens + 1, 1, 1)
    change = 3 * random_hidden(1, FIELD.tokens, seed=9)[0]
    for token in range(FIELD.tokens):
        hidden[token, token] += change[token]
    y, _ = product(tmp_path, hidden, weights, FIELD_CONFIGS[name], layer, FIELD.media)
    moved = np.abs(y[:-1] - y[-1]).max(axis=2).T  # [output token, input token]
    seen = receptive_field(FIELD_CONFIGS[name])
    # Rows of a batch may differ by the rounding of a matrix product, and by no more.
    assert moved[~seen].max(initial=0) < 1e-5
    assert moved[seen].min() > 2e-5


@pytest.mark.parametrize("config", ["paper", "safe", "safe_with_convolution"])
@pytest.mark.parametrize("layer", [0, 3])
def test_decode_steps_equal_one_prefill(tmp_path, config, layer):
    weights, hidden = random_weights(), random_hidden(2, MIXED.tokens + 8)
    arguments = (tmp_path, hidden, weights, FIELD_CONFIGS[config], layer, MIXED.media)
    whole, _ = product(*arguments)
    parts, state_bytes = product(*arguments, pieces=[MIXED.tokens] + 8 * [1])
    assert worst_error(parts, whole) < TOLERANCE
    assert len(set(state_bytes)) == 1


@pytest.mark.parametrize("config", ["safe", "safe_with_convolution"])
@pytest.mark.parametrize("pieces", [[95, 112, 3, 630, 19], [1] * 5 + [205, 634, 9, 6], [5, 90, 764]])
def test_prefill_in_pieces_between_items_equals_one_prefill(tmp_path, config, pieces):
    weights, hidden = random_weights(), random_hidden(1, MIXED.tokens)
    arguments = (tmp_path, hidden, weights, FIELD_CONFIGS[config], 2, MIXED.media)
    whole, _ = product(*arguments)
    parts, _ = product(*arguments, pieces=pieces)
    assert sum(pieces) == MIXED.tokens
    assert worst_error(parts, whole) < TOLERANCE


@pytest.mark.parametrize("key", [None, "short_convolution"])
def test_state_bytes_are_the_same_at_1k_and_64k_tokens(tmp_path, key):
    config = PRESETS["safe"] if key is None else flipped("safe", key)
    hidden = random_hidden(1, 65536)
    _, state_bytes = product(tmp_path, hidden, random_weights(), config, 0, [], pieces=[1024, 64512])
    tail = 3 * (HEADS + 2 * GROUPS) * HEAD_DIM if key else 0
    assert state_bytes == 2 * [4 * (HEADS * HEAD_DIM**2 + tail)]


def test_configuration_presets_are_those_of_the_design(tmp_path):
    for name, expected in PRESETS.items():
        (tmp_path / "config.json").write_text(json.dumps({"preset": name}))
        printed = subprocess.run([PROBE, "config", tmp_path / "config.json"], check=True, capture_output=True)
        assert json.loads(printed.stdout) == expected


def test_an_unknown_key_is_one_message_and_a_failure(tmp_path):
    (tmp_path / "config.json").write_text('{"scan_nrom": true}')
    result = run([PROBE, "config", tmp_path / "config.json"], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr == "M-MATE configuration: there is no key 'scan_nrom'\n"
