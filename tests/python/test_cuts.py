"""Walks in parts, with tails of every storage type: what tests/unit/cuts_cpu_test.cpp does in f32 for all clauses."""

from itertools import pairwise

import pytest
import torch

import linmu

TYPES = {
    "f32": torch.float32,
    "bf16": torch.bfloat16,
    "f16": torch.float16,
    "i32": torch.int32,
    "i1": torch.bool,
}
CONVERSIONS = {"i32": "arith.sitofp", "i1": "arith.uitofp"}
TOKENS = 37


def pattern(element: str, axes: str, reverse: bool) -> str:
    """A map that gives what stood two tokens ago, masked; `axes` are the heads and features, of two heads."""
    operand, tail = f"tensor<?x?x{axes}{element}>", f"tensor<?x3x{axes}{element}>"
    shape = "4x" if axes.endswith("4x") else ""
    kind = "f32" if element in ("bf16", "f16") else element
    slice_, result = (f"tensor<{shape}{e}>" if shape else e for e in (kind, "f32"))
    cast = CONVERSIONS.get(element)
    convert = f"%y = {cast} %b : {slice_} to {result}" if cast else f"%y = arith.addf %b, %b : {slice_}"
    return f"""
func.func @f(%x: {operand}, %m: tensor<?x?xi1>, %l: {tail}) -> (tensor<?x?x2x{shape}f32>, {tail}) {{
  %o, %n = pattern.map {"reverse" if reverse else ""} tokens(%a = %x tail %l : {operand}, {tail})
      source_mask(%m : tensor<?x?xi1>) zeroes(%a) -> (tensor<?x?x2x{shape}f32>) {{
    %b = pattern.lag %a by 2 : {slice_}
    {convert}
    pattern.yield outputs(%y : {result})
  }}
  return %o, %n : tensor<?x?x2x{shape}f32>, {tail}
}}"""


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("axes", ["2x4x", "1x4x", "2x", ""])
@pytest.mark.parametrize("element", TYPES)
def test_a_masked_tail_of_each_storage_type(element, axes, reverse):
    kernel = linmu.compile(pattern(element, axes, reverse), cache=False)
    torch.manual_seed(0)
    extents = [int(n) for n in axes.split("x") if n]
    x = (torch.randn(2, TOKENS, *extents) * 3).to(TYPES[element])
    first = (torch.randn(2, 3, *extents) * 3).to(TYPES[element])
    mask = torch.rand(2, TOKENS) < 0.5

    kept = torch.where(mask.reshape(2, TOKENS, *[1] * len(extents)), x, torch.zeros_like(x))
    walked = torch.cat([first, kept.flip(1) if reverse else kept], dim=1)
    values = walked[:, 1 : 1 + TOKENS].float() * (1 if element in CONVERSIONS else 2)
    values = (values.flip(1) if reverse else values).reshape(
        2, TOKENS, extents[0] if extents else 1, *extents[1:]
    )
    expected = values.expand(2, TOKENS, 2, *extents[1:])

    for cuts in ([], [0, 1], [2, 5, 5, 6], [TOKENS - 1, TOKENS]):
        outputs, tail = [], first
        for begin, end in pairwise([0, *cuts, TOKENS]):
            part = slice(TOKENS - end, TOKENS - begin) if reverse else slice(begin, end)
            output, tail = kernel(x[:, part], mask[:, part], tail)
            outputs.append(output)
        whole = torch.cat(outputs[::-1] if reverse else outputs, dim=1)
        torch.testing.assert_close(whole, expected, rtol=0, atol=0)
        torch.testing.assert_close(tail, walked[:, -3:], rtol=0, atol=0)
