"""Gradients of softmax attention in windows: `pattern.window_adjoint` in fp64, cell by cell, from the equations.

A cell is a window clipped to the grid, cut where a masked wrap is: its tokens are the queries and the keys of all of
its pairs. For one query head, q [n, D], k [n, D], v [n, V] of a cell's tokens, s = scale q k^T, f = score(s):

    P = exp(f - max) / sum of exp(f - max)      over the keys that are seen, whose f is not -inf; 0 for others
    dP = do v^T         df = P (dP - sum over k of P dP)         ds = df times the derivative of f by s
    dq = scale ds k     dk = scale ds^T q                        dv = P^T do

Keys and values get the sums over the query heads that share them; tokens in no item get zero. `gradient` takes blocks
of queries, which leave the maximum, the sum and the mean of dP of each row, and then blocks of keys from those alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

Score = Callable[[Tensor, Tensor, Tensor, int], Tensor]  # s [Q, P], coordinates [Q, 1, 3] and [1, P, 3], head


@dataclass(frozen=True)
class Windows:
    media: list  # (first token, t, h, w) of each item
    window: tuple
    shift: tuple
    scale: float
    joined: bool
    score: Score | None = None


@dataclass
class Cell:
    tokens: list
    at: Tensor  # [n, 3]: (t, y, x) in the grid


def place(coordinate: int, extent: int, size: int, shift: int) -> tuple[int, bool]:
    """The window of a coordinate on one axis, and whether only the shift brought it there."""
    if extent <= size:
        return 0, False
    padded = -(-extent // size) * size
    return (coordinate - shift) % padded // size, coordinate < shift


def cells(windows: Windows) -> list[Cell]:
    found: dict[tuple, tuple[list, list]] = {}
    for number, (first, *grid) in enumerate(windows.media):
        for raster, at in enumerate(product(*map(range, grid))):
            axes = [place(*axis) for axis in zip(at, grid, windows.window, windows.shift, strict=True)]
            key = (number, *(index for index, _ in axes))
            if not windows.joined:
                key += tuple(side for _, side in axes)
            tokens, places = found.setdefault(key, ([], []))
            tokens.append(first + raster)
            places.append(at)
    return [Cell(tokens, torch.tensor(places)) for tokens, places in found.values()]


def score_of(windows: Windows, s: Tensor, queries: Tensor, keys: Tensor, head: int) -> Tensor:
    return windows.score(s, queries[:, None], keys[None], head) if windows.score else s


def weigh(f: Tensor, largest: Tensor, total: Tensor) -> Tensor:
    """Where nothing is seen, and for pairs that are not, 0: the exponent is masked, since exp's derivative is not."""
    seen = f != -torch.inf
    return torch.where(seen, torch.where(seen, f - largest, 0).exp() / total, 0)


def statistics(f: Tensor) -> tuple[Tensor, Tensor]:
    largest = f.amax(1, keepdim=True)
    largest = torch.where(largest == -torch.inf, 0, largest)
    total = (f - largest).exp().sum(1, keepdim=True)
    return largest, torch.where(total == 0, 1, total)


def forward(windows: Windows, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """[N, H, D] x [N, G, D] x [N, G', V] to [N, H, V]; under torch's autograd."""
    out = q.new_zeros(q.shape[0], q.shape[1], v.shape[2])
    for cell, head in product(cells(windows), range(q.shape[1])):
        own, of_k, of_v = cell.tokens, head // (q.shape[1] // k.shape[1]), head // (q.shape[1] // v.shape[1])
        f = score_of(windows, windows.scale * q[own, head] @ k[own, of_k].T, cell.at, cell.at, head)
        largest, total = (x.detach() for x in statistics(f))
        weights = weigh(f, largest, total)
        sums = weights.sum(1, keepdim=True)  # 1 or 0: the sum's own derivative
        out[own, head] = (weights / torch.where(sums == 0, 1, sums)) @ v[own, of_v]
    return out


@dataclass
class Pair:
    """Some queries and keys of a cell for one head: f, P's statistics wanted; what goes back through f."""

    f: Tensor
    back: Callable[[Tensor], Tensor]
    received: Tensor


def pair_of(windows: Windows, cell: Cell, rows, columns, head: int, q, k, v, do) -> Pair:
    """`rows` and `columns` are numbers of the cell's tokens."""
    s = (windows.scale * q[rows] @ k[columns].T).requires_grad_()
    f = score_of(windows, s, cell.at[rows], cell.at[columns], head)

    def back(df: Tensor) -> Tensor:
        return torch.where(f != -torch.inf, torch.autograd.grad(f, s, df)[0], 0)

    return Pair(f.detach(), back, do[rows] @ v[columns].T)


def row_gradient(pair: Pair, weights: Tensor, mean: Tensor) -> Tensor:
    return pair.back(torch.where(pair.f != -torch.inf, weights * (pair.received - mean), 0))


def gradient(
    windows: Windows, q: Tensor, k: Tensor, v: Tensor, do: Tensor, block: int = 5
) -> tuple[Tensor, Tensor, Tensor]:
    """dq, dk and dv, shaped as q, k and v, of the inner product of the result with `do` [N, H, V]."""
    dq, dk, dv = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
    heads = q.shape[1]
    for cell, head in product(cells(windows), range(heads)):
        own, of_k, of_v = cell.tokens, head // (heads // k.shape[1]), head // (heads // v.shape[1])
        given = (q[own, head], k[own, of_k], v[own, of_v], do[own, head])
        every = torch.arange(len(own))
        largest, total, mean = (q.new_zeros(len(own), 1) for _ in range(3))
        for rows in every.split(block):
            pair = pair_of(windows, cell, rows, every, head, *given)
            largest[rows], total[rows] = statistics(pair.f)
            weights = weigh(pair.f, largest[rows], total[rows])
            mean[rows] = torch.where(pair.f != -torch.inf, weights * pair.received, 0).sum(1, keepdim=True)
            dq[torch.tensor(own)[rows], head] = (
                windows.scale * row_gradient(pair, weights, mean[rows]) @ given[1]
            )
        for columns in every.split(block):
            pair = pair_of(windows, cell, every, columns, head, *given)
            weights = weigh(pair.f, largest, total)
            tokens = torch.tensor(own)[columns]
            dk[tokens, of_k] += windows.scale * row_gradient(pair, weights, mean).T @ given[0]
            dv[tokens, of_v] += weights.T @ given[3]
    return dq, dk, dv
