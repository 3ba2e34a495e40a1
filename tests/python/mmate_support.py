"""Random M-MATE blocks and sequences, run by the product and by the fp64 transcription."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from decoder_support import ROOT, run
from mmate_oracle import mmate

PROBE = ROOT / "build" / "bin" / "mmate_probe"
HEADS, GROUPS, HEAD_DIM, THETA = 4, 2, 16, 1e4
WIDTH = HEADS * HEAD_DIM

PRESETS = {
    "paper": {
        "branches": "both", "reverse_target": "all", "reverse_scope": "sequence", "reverse_decays_over_text": True, "gate_is_one_on_text": False,
        "lambda_is_one_on_text": False, "short_convolution": False, "scan_norm": False, "output_norm": True,
        "join_wrapped": True, "norm_epsilon": 1e-6,
        "video_window": [16, 4, 4], "image_window": [8, 8]},
    "safe": {
        "branches": "both", "reverse_target": "vision", "reverse_scope": "segment", "reverse_decays_over_text": False, "gate_is_one_on_text": True,
        "lambda_is_one_on_text": True, "short_convolution": False, "scan_norm": True, "output_norm": False,
        "join_wrapped": False, "norm_epsilon": 1e-6,
        "video_window": [16, 4, 4], "image_window": [8, 8]},
}  # fmt: skip
OTHER = {
    "all": "vision",
    "vision": "all",
    "sequence": "segment",
    "segment": "sequence",
    True: False,
    False: True,
}
FLIPPED = [key for key in PRESETS["safe"] if key not in ("branches", "norm_epsilon")]
WINDOWS = {"video_window": [3, 2, 4], "image_window": [5, 3]}  # odd ones, whose halves are rounded down


def flipped(preset: str, key: str) -> dict:
    value = PRESETS[preset][key]
    return PRESETS[preset] | {key: WINDOWS[key] if key in WINDOWS else OTHER[value]}


@dataclass
class Sequence:
    tokens: int
    media: list = field(default_factory=list)  # (first token, t, h, w)


# Text, an image with ragged windows, another right after it, a video that is ragged in every axis, an image
# smaller than a window, text. Where the last window is more than half full (14 of 16, 7 of 8), wrapped tokens share it.
MIXED = Sequence(
    5 + 90 + 112 + 3 + 630 + 4 + 9 + 6, [(5, 1, 10, 9), (95, 1, 8, 14), (210, 18, 5, 7), (844, 1, 3, 3)])  # fmt: skip


def random_weights(seed=0, identity_output=False) -> dict:
    """Nothing is left at a default that could hide a mistake."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape, scale=1.0, offset=0.0):
        return offset + scale * torch.randn(shape, generator=random)

    weights = {}
    for name, rows in {"C": WIDTH, "B": GROUPS * HEAD_DIM, "X": GROUPS * HEAD_DIM}.items():
        weights["W_" + name], weights["b_" + name] = (
            normal(rows, WIDTH, scale=WIDTH**-0.5),
            normal(rows, scale=0.3),
        )
    for name, rows in {"Q": WIDTH, "K": GROUPS * HEAD_DIM, "V": GROUPS * HEAD_DIM}.items():
        weights["W_" + name], weights["b_" + name] = (
            normal(rows, WIDTH, scale=WIDTH**-0.5),
            normal(rows, scale=0.3),
        )
    for name in ("dt_forward", "dt_reverse"):
        # Steps around exp(-4) = 0.018, so that the slowest head still sees hundreds of tokens.
        weights["W_" + name], weights["b_" + name] = (
            normal(HEADS, WIDTH, scale=0.05),
            normal(HEADS, offset=-4.0),
        )
    weights["W_gate"], weights["b_gate"] = normal(HEADS, WIDTH, scale=0.1), normal(HEADS)
    for name in ("a_log_forward", "a_log_reverse"):
        weights[name] = torch.log(
            1 + 15 * torch.linspace(0, 1, HEADS)[torch.randperm(HEADS, generator=random)]
        )
    for name, rows in {"conv_C": HEADS, "conv_B": GROUPS, "conv_X": GROUPS}.items():
        weights[name] = normal(4, rows, HEAD_DIM, scale=0.5)
    weights["scan_norm"] = normal(HEADS, HEAD_DIM, scale=0.3, offset=1.0)
    for branch in ("flex", "swin"):
        weights["W_O_" + branch] = (
            torch.eye(WIDTH) if identity_output else normal(WIDTH, WIDTH, scale=WIDTH**-0.5)
        )
        weights["b_O_" + branch] = torch.zeros(WIDTH) if identity_output else normal(WIDTH, scale=0.3)
    weights["W_lambda"], weights["b_lambda"] = normal(1, WIDTH, scale=0.1), normal(1)
    weights["output_norm"], weights["b_output_norm"] = (
        normal(WIDTH, scale=0.3, offset=1.0),
        normal(WIDTH, scale=0.3),
    )
    return weights


def random_hidden(batch: int, tokens: int, seed=1) -> torch.Tensor:
    return torch.randn(batch, tokens, WIDTH, generator=torch.Generator().manual_seed(seed))


def product(folder: Path, hidden, weights, config, layer, media, pieces=None, positions=None):
    """y [B, N, d] of the compiled block, and the state's bytes after each piece."""
    tokens = hidden.shape[1]
    positions = torch.arange(tokens) if positions is None else positions
    given = {"hidden": hidden.contiguous(), "positions": positions}
    given["media"] = torch.tensor(media, dtype=torch.int64).reshape(-1, 4)
    # Weights of one value may share memory, which the format cannot say.
    tensors = {name: tensor.clone() for name, tensor in (given | weights).items()}
    save_file(tensors, folder / "in.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    arguments = [
        PROBE,
        "forward",
        folder / "config.json",
        folder / "in.safetensors",
        folder / "out.safetensors",
    ]
    arguments += [str(HEADS), str(GROUPS), str(THETA), str(layer)]
    run(arguments + [str(length) for length in pieces or [tokens]], check=True)
    out = load_file(folder / "out.safetensors")
    return out["y"].numpy(), out["state_bytes"].tolist()


def transcription(hidden, weights, config, layer, media, positions=None):
    positions = np.arange(hidden.shape[1]) if positions is None else np.asarray(positions)
    rows = [mmate(z, weights, config, layer, media, HEADS, GROUPS, positions, THETA) for z in hidden]
    return torch.stack(rows).numpy()


def worst_error(actual, expected, heads=1) -> float:
    """Of the worst token and head, relative to that head's root mean square."""
    shape = (*expected.shape[:2], heads, -1)
    difference = np.sqrt(np.mean((actual.astype(np.float64) - expected).reshape(shape) ** 2, axis=3))
    return (difference / np.sqrt(np.mean(expected.reshape(shape) ** 2, axis=(0, 1, 3)))).max()
