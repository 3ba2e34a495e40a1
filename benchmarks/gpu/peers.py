"""What people run today for a row, where it is installed: each a function that takes a row's operands and makes a
call without arguments. None is a dependency."""

import importlib
import os

import torch
from references import partition, regions, unpartition
from rows import Row

# fla hands over to these where they are installed, without a word; they are measured under their own names.
os.environ.setdefault("FLA_FLASH_QLA", "0")
os.environ.setdefault("FLA_TILELANG", "0")


class Absent(Exception):
    """A peer that is not installed, or does not do a row; says why."""


def load(module: str, name: str):
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as problem:  # a package may fail in any way while it is imported
        raise Absent(f"{module}: {type(problem).__name__}: {problem}".splitlines()[0][:160]) from problem


def require(condition: bool, what: str) -> None:
    if not condition:
        raise Absent(f"does not do {what}")


def _spread(row: Row, x: torch.Tensor) -> torch.Tensor:
    """k and v for all heads: peers repeat them."""
    return x.repeat_interleave(row.heads // row.groups, 2) if row.groups else x


def fla(row: Row, x: dict):
    require(row.kind in ("scalar", "row", "delta") and not row.ordered and not row.step, "this row")
    module, name = {
        "scalar": ("fla.ops.simple_gla", "chunk_simple_gla"),
        "row": ("fla.ops.gla", "chunk_gla"),
        "delta": ("fla.ops.gated_delta_rule", "chunk_gated_delta_rule"),
    }[row.kind]
    scan = load(module, name)
    more = (x["b"],) if row.kind == "delta" else ()
    table = {"cu_seqlens": x["cu"].long()} if row.lengths else {}
    return lambda: scan(
        x["q"], _spread(row, x["k"]), _spread(row, x["v"]), x["g"], *more, scale=1.0, **table
    )[0]


def fla_twice(row: Row, x: dict, compiled: bool):
    """Both directions by two scans, flips and a lerp; compiled: flips and lerp by torch.compile."""
    require(row.kind == "both", "this row")
    scan = load("fla.ops.simple_gla", "chunk_simple_gla")
    gate = x["c"].bfloat16()[..., None]

    def flips(*tensors):
        return [tensor.flip(1) for tensor in tensors]

    def mix(forward, backward):
        return torch.lerp(backward.flip(1), forward, gate)

    if compiled:
        flips, mix = torch.compile(flips, dynamic=False), torch.compile(mix, dynamic=False)

    def run():
        forward = scan(x["q"], x["k"], x["v"], x["g"], scale=1.0)[0]
        backward = scan(*flips(x["q"], x["k"], x["v"], x["h"]), scale=1.0)[0]
        return mix(forward, backward)

    return run


def mamba(row: Row, x: dict):
    plain = row.kind == "scalar" and not (row.ordered or row.step or row.lengths or row.groups)
    require(plain, "this row")
    scan = load("mamba_ssm.ops.triton.ssd_combined", "mamba_chunk_scan_combined")
    steps = -x["g"]
    values = (x["v"].float() / steps[..., None]).bfloat16()
    decay = -torch.ones(row.heads, device=steps.device)
    return lambda: scan(values, steps, decay, x["k"], x["q"], 128)


def flash_qla(row: Row, x: dict):
    require(row.kind == "delta", "this row")
    scan = load("flash_qla", "chunk_gated_delta_rule")
    return lambda: scan(x["q"], x["k"], x["v"], x["g"], x["b"], scale=1.0)[0]


def _shifted(row: Row, x: dict):
    region = regions(row, x["q"].device)
    mask = region[:, None, :, None] == region[:, None, None, :]

    def run(q, k, v):
        parts = [partition(tensor, row).transpose(1, 2) for tensor in (q, k, v)]
        y = torch.nn.functional.scaled_dot_product_attention(*parts, attn_mask=mask)
        return unpartition(y.transpose(1, 2), row)

    return run


def sdpa(row: Row, x: dict, compiled: bool):
    """Roll, partition, scaled_dot_product_attention with a mask, and back."""
    require(row.kind == "window", "this row")
    run = _shifted(row, x)
    run = torch.compile(run, dynamic=False) if compiled else run
    return lambda: run(x["q"], x["k"], x["v"])


def flex(row: Row, x: dict):
    """Roll and partition eagerly, flex_attention with a mask of blocks, and back."""
    require(row.kind == "window" and x["q"].is_cuda, "this row")
    attention = torch.compile(load("torch.nn.attention.flex_attention", "flex_attention"), dynamic=False)
    region = regions(row, x["q"].device)

    def same(b, h, query, key):
        return region[b, query] == region[b, key]

    make = load("torch.nn.attention.flex_attention", "create_block_mask")
    mask = make(same, len(region), None, region.shape[1], region.shape[1], device=str(x["q"].device))

    def run():
        parts = [partition(x[name], row).transpose(1, 2) for name in "qkv"]
        return unpartition(attention(*parts, block_mask=mask).transpose(1, 2), row)

    return run


PEERS = {
    "fla": fla,
    "fla twice": lambda row, x: fla_twice(row, x, compiled=False),
    "fla twice, torch.compile": lambda row, x: fla_twice(row, x, compiled=True),
    "mamba_ssm": mamba,
    "FlashQLA": flash_qla,
    "SDPA composed": lambda row, x: sdpa(row, x, compiled=False),
    "SDPA, torch.compile": lambda row, x: sdpa(row, x, compiled=True),
    "flex_attention": flex,
}


def with_gradients(name: str, row: Row, x: dict[str, torch.Tensor], cotangent: torch.Tensor):
    """The peer's forward pass and its gradients by autograd, by operand."""
    require(name.startswith("fla"), "gradients here")
    with torch.enable_grad():
        leaves = {key: value.detach().requires_grad_() for key, value in x.items()}
        forward = PEERS[name](row, leaves)

    def run() -> dict[str, torch.Tensor]:
        with torch.enable_grad():
            output = forward()
            found = torch.autograd.grad(output, list(leaves.values()), cotangent)
        return dict(zip(leaves, found, strict=True))

    return run
