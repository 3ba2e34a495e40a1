"""What a function of the gallery is held against: a step in fp64, random operands, and functions that steps are written with.

`@case` says what the function of that name takes: tensors by axes, `q:HK` is [batch, tokens, H, K], `u:HK!` is without batch
and tokens; states by axes; and functions of standard normal tensors.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch.nn.functional import softplus

SIZES = {"H": 4, "G": 2, "K": 8, "V": 12, "M": 5, "N": 8, "P": 12, "D": 8, "C": 6}


@dataclass
class Case:
    function: str
    step: Callable
    tensors: dict[str, str]
    states: list[str]
    make: dict[str, Callable] = field(default_factory=dict)
    feedback: bool = False
    scaled_by: str = "k"  # the tensor whose features the default scale is of; empty: no scale


CASES: dict[str, Case] = {}


def case(function, tensors, *states, feedback=False, scaled_by="k", **make):
    def register(step):
        axes = dict(entry.split(":") for entry in tensors.split())
        CASES[function] = Case(function, step, axes, list(states), make, feedback, scaled_by)
        return step

    return register


def log_decay(x):
    return -softplus(x - 2)


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def outer(a, b):
    return a[..., :, None] * b[..., None, :]


def read(k, S):
    return torch.einsum("bhk,bhkv->bhv", k, S)


def column(x):
    return x[..., None]


def matrix(x):
    return x[..., None, None]


def eye(k):
    return torch.eye(k.shape[-1], dtype=k.dtype)


def silu(x):
    return x * torch.sigmoid(x)


def half(x):
    return unit(x) / 2
