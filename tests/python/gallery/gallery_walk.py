"""Random tensors of a case, the loop over its step in fp64, and the gallery's function for it by one signature."""

from itertools import pairwise
from types import SimpleNamespace

import gallery_steps  # noqa: F401 the cases
import torch
from gallery_cases import SIZES, Case

import linmu.gallery


def _axes(text: str) -> list[int]:
    return [SIZES.get(letter) or int(letter) for letter in text.rstrip("!")]


def is_param(text: str) -> bool:
    return text.endswith("!")


def rows_of(text: str) -> int:
    """How many entries of the function's argument a token has."""
    return 2 if text.startswith("2") else 1


def tensors_of(case: Case, batch: int, tokens: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """f32 operands, [batch, tokens, ...]; of two rows a token [batch, 2 * tokens, ...]."""
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for name, text in case.tensors.items():
        axes = _axes(text)
        if rows_of(text) == 2:
            axes = axes[1:]
        front = () if is_param(text) else (batch, tokens * rows_of(text))
        x = torch.randn(*front, *axes, generator=generator, dtype=torch.float64)
        made[name] = case.make.get(name, lambda x: x)(x).float()
    return made


def states_of(case: Case, count: int, seed: int = 1) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    states = [torch.randn(count, *_axes(text), generator=generator) for text in case.states]
    if case.function in ("chunk_linear_attn", "slstm"):
        states[1] = states[1].abs() + 1  # what is divided by
    return states


def loop(case: Case, tensors: dict, states: list) -> tuple[torch.Tensor, list]:
    """The output [batch, tokens, ...] and the final states, in fp64."""
    exact = {name: x.double() for name, x in tensors.items()}
    heads = SIZES["H"]
    for name, text in case.tensors.items():
        if rows_of(text) == 2:
            exact[name] = exact[name].unflatten(1, (-1, 2))
        if text.startswith("G"):
            exact[name] = exact[name].repeat_interleave(heads // SIZES["G"], dim=2)
    params = {name: exact[name] for name, text in case.tensors.items() if is_param(text)}
    moving = {name: x for name, x in exact.items() if name not in params}
    states, outputs = [x.double() for x in states], []
    scale = SIZES["K"] ** -0.5
    tokens = next(x.shape[1] for x in moving.values())
    for t in range(tokens):
        x = SimpleNamespace(scale=scale, **params, **{name: x[:, t] for name, x in moving.items()})
        output, *states = case.step(x, *states)
        outputs.append(output)
    return torch.stack(outputs, dim=1) if outputs else None, states


def part(case: Case, tensors: dict, begin: int, end: int) -> dict:
    """The tensors of those tokens."""
    return {
        name: x if is_param(case.tensors[name]) else x[:, begin * rows_of(case.tensors[name]) : end * rows_of(case.tensors[name])]
        for name, x in tensors.items()
    }  # fmt: skip


def loop_of_each(case: Case, tensors: dict, states: list, cu: list[int]) -> tuple[torch.Tensor, list]:
    """The loop over each sequence of a ragged batch."""
    walks = [
        loop(case, part(case, tensors, a, b), [x[s : s + 1] for x in states])
        for s, (a, b) in enumerate(pairwise(cu))
    ]
    output = torch.cat([out for out, _ in walks if out is not None], dim=1)
    return output, [torch.cat(ends) for ends in zip(*(ends for _, ends in walks), strict=True)]


# What a function takes and gives that is not (initial_state, output_final_state) of the states as they are.
_EXTRA = {
    "chunk_lightning_attn": {"layer_idx": 1, "num_layers": 4},
    "chunk_gated_delta_product": {"num_householder": 2},
    "mamba_chunk_scan_combined": {"chunk_size": 64, "dt_softplus": True},
}


def call(case: Case, tensors: dict, states: list | None, cu=None, **options) -> tuple[torch.Tensor, list]:
    """The gallery's output and final states."""
    target = getattr(linmu.gallery, case.function)
    if isinstance(target, linmu.Rule):
        out, *ends = target(*tensors.values(), *states, sequences=None if cu is None else cu.int())
        return out, ends
    options = {**_EXTRA.get(case.function, {}), **options}
    if case.function == "mamba_chunk_scan_combined":
        out, end = target(
            **tensors, initial_states=states and states[0], return_final_states=True, cu_seqlens=cu, **options
        )
        return out, [end]
    given = None if states is None else states[0] if len(states) == 1 else tuple(states)
    if given is not None and case.function == "chunk_linear_attn":
        given = (given[0], given[1][:, None])
    out, ends = target(**tensors, initial_state=given, output_final_state=True, cu_seqlens=cu, **options)
    if case.function == "chunk_linear_attn":
        ends = (ends[0], ends[1][:, 0])
    return out, list(ends) if isinstance(ends, tuple) else [ends]


def error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference, relative to the number or, where that is small, to the root mean square of all."""
    assert actual.shape == expected.shape, (actual.shape, expected.shape)
    scale = expected.square().mean().sqrt().clamp(min=1e-30)
    return float(((actual.double() - expected).abs() / expected.abs().clamp(min=scale)).max())
