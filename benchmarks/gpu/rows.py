"""The work that is measured on GPUs: shapes, operands, the least that must be moved and computed, and goals."""

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from patterns import both, scan, window  # noqa: E402

WINDOW, SHIFT = (16, 4, 4), (8, 2, 2)


@dataclass(frozen=True)
class Row:
    name: str
    kind: str  # scalar, row, delta, both or window
    tokens: int
    goal: float | None = None  # microseconds on an H200, if one is set
    batch: int = 1
    heads: int = 28
    groups: int = 0  # heads of k and v, where they are fewer
    size: int = 128
    ordered: bool = False
    near_one: bool = False  # decays in [0.999, 1]
    lengths: tuple[int, ...] = ()  # of a ragged batch's sequences, `tokens` in all
    step: bool = False  # one token, the state comes in and goes out
    gradient: bool = False  # forward, then the gradients of all operands

    def text(self) -> str:
        if self.kind == "both":
            return both(self.heads, self.size)
        if self.kind == "window":
            return window(self.heads, self.size, dtype="bf16")
        return scan(
            self.heads,
            self.size,
            decay="row" if self.kind == "row" else "scalar",
            feedback=self.kind == "delta",
            ordered=self.ordered,
            dtype="bf16",
            groups=self.groups,
            sequences=bool(self.lengths),
            initial=self.step,
        )

    def grid(self) -> tuple[int, int, int]:
        """Of a video: frames of 16 x 16."""
        return (self.tokens // 256, 16, 16)

    def inputs(self, device: str, seed: int) -> dict[str, torch.Tensor]:
        """By name, in the order of the pattern. Decays are logarithms; keys have length 1; v and q are normal."""
        draw = torch.Generator(device=device).manual_seed(seed)

        def normal(heads: int) -> torch.Tensor:
            shape = (self.batch, self.tokens, heads, self.size)
            return torch.randn(shape, device=device, generator=draw)

        def uniform(*more: int) -> torch.Tensor:
            shape = (self.batch, self.tokens, self.heads, *more)
            return torch.rand(shape, device=device, generator=draw)

        def logarithms(*more: int) -> torch.Tensor:
            return -uniform(*more) * (0.001 if self.near_one else 0.1)

        shared = self.groups or self.heads
        found = {
            "q": normal(self.heads).bfloat16(),
            "k": torch.nn.functional.normalize(normal(shared), dim=-1).bfloat16(),
            "v": normal(shared).bfloat16(),
        }
        if self.kind == "window":
            return found | {"m": torch.tensor([[0, *self.grid()]], dtype=torch.int32, device=device)}
        found["g"] = logarithms(self.size).bfloat16() if self.kind == "row" else logarithms()
        if self.kind == "delta":
            found["b"] = uniform()
        if self.kind == "both":
            found |= {"h": logarithms(), "c": uniform()}
        if self.ordered:
            found["i"] = torch.randperm(self.tokens, device=device, generator=draw).int()[None].contiguous()
        if self.lengths:
            ends = [0, *itertools.accumulate(self.lengths)]
            found["cu"] = torch.tensor(ends, dtype=torch.int32, device=device)
        if self.step:
            shape = (self.batch, self.heads, self.size, self.size)
            found["s0"] = torch.randn(shape, device=device, generator=draw)
        return found

    def cotangent(self, device: str, seed: int) -> torch.Tensor:
        """What is sent back to the output."""
        draw = torch.Generator(device=device).manual_seed(1000 + seed)
        shape = (self.batch, self.tokens, self.heads, self.size)
        return torch.randn(shape, device=device, generator=draw).bfloat16()

    def bytes(self) -> int:
        """Each operand and each result once; of gradients the operands once more, what is sent back, and theirs."""
        once = self.bytes_of_forward()
        return 3 * once if self.gradient else once

    def bytes_of_forward(self) -> int:
        tokens = self.batch * self.tokens
        vectors = 2 * self.heads + 2 * (self.groups or self.heads)  # q and o, k and v
        scalars = {"scalar": 1, "delta": 2, "both": 3}.get(self.kind, 0) * self.heads
        total = tokens * (2 * self.size * vectors + 4 * scalars)
        total += 2 * tokens * self.heads * self.size if self.kind == "row" else 0
        total += 4 * self.tokens if self.ordered else 0
        return total + (8 * self.batch * self.heads * self.size**2 if self.step else 0)

    def operations(self) -> int:
        """Of the definition: writes and reads of a state, a token at a time; of a window, all its keys. Each product
        has two in its gradient."""
        each = {"scalar": 4, "row": 5, "delta": 6, "both": 8}.get(self.kind, 0) * self.size**2
        each *= 3 if self.gradient else 1
        if self.kind == "window":
            each = 4 * self.size * WINDOW[0] * WINDOW[1] * WINDOW[2]
        return self.batch * self.tokens * self.heads * each


K = 1024


def ragged() -> tuple[int, ...]:
    """64 sequences of 64 to 16K tokens, 128K in all."""
    lengths = (16 * K, 16 * K, 8 * K, 8 * K, *[4 * K] * 8, *[2 * K] * 12, *[K] * 16, *[512] * 8, *[64] * 15)
    return (*lengths, 128 * K - sum(lengths))


def rows() -> list[Row]:
    found = []
    for kind, name, goals in (
        ("scalar", "scalar decay", (1000, 290, 95)),
        ("row", "row-wise decay", (1400, 370, None)),
        ("delta", "gated delta rule", (1600, 430, 140)),
        ("both", "both directions", (2100, 600, None)),
    ):
        for tokens, goal in zip((64 * K, 16 * K, 4 * K), goals, strict=True):
            if goal:
                found.append(Row(f"{name}, {tokens // K}K", kind, tokens, goal))
        if kind != "both":
            found.append(Row(f"{name}, 64K, decays in [0.999, 1]", kind, 64 * K, goals[0], near_one=True))
    for kind, name, goal in (
        ("scalar", "scalar decay", 4200),
        ("row", "row-wise decay", 6500),
        ("delta", "gated delta rule", 5800),
        ("both", "both directions", 8000),
    ):
        for tokens in (64 * K, 16 * K, 4 * K):
            own = goal if tokens == 64 * K else None
            found.append(Row(f"{name}, {tokens // K}K, with gradients", kind, tokens, own, gradient=True))
    return [
        *found,
        Row("4 key/value heads, 64K", "scalar", 64 * K, 1050, groups=4),
        Row("any token order, 64K", "scalar", 64 * K, 1050, ordered=True),
        Row("window 16x4x4 shifted, 64K", "window", 64 * K, 800),
        Row("window 16x4x4 shifted, 16K", "window", 16 * K, 210),
        Row("4 heads, 256K", "scalar", 256 * K, 660, heads=4),
        Row("batch 32, 512", "scalar", 512, 290, batch=32),
        Row("ragged, 64 sequences, 128K", "scalar", 128 * K, lengths=ragged()),
        Row("one sequence, 128K", "scalar", 128 * K),
        Row("decode step, batch 1", "scalar", 1, 5, step=True),
        Row("decode step, batch 64", "scalar", 1, 90, batch=64, step=True),
        Row("heads of 64, 16K", "scalar", 16 * K, size=64),
        Row("heads of 80, 16K", "scalar", 16 * K, size=80),
        Row("heads of 256, 16K", "scalar", 16 * K, size=256),
        Row("17 heads, 16K", "scalar", 16 * K, heads=17),
        Row("50,001 tokens", "scalar", 50001),
    ]
