"""Gradients of a whole scan: what stands around the normal form. Written from the equations, in fp64.

A walk visits the tokens of each sequence of a ragged batch in an order, from either end. Keys are short convolutions of
a token operand, whose lags reach into a tail; segments restart the state, a source mask lets tokens not write, an output
mask zeroes outputs. Two walks in both directions may share their tokens, mixed by a gate.

The gradient in turn is a walk in the other direction: lags become lags of the reverse walk, a final tail's gradient is
that of the tokens in it, and the gradient of a tail is what lags sent to tokens before the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

import gradient_form
from gradient_form import Form


@dataclass(frozen=True)
class Walk:
    """How N tokens are visited; `inclusive` is of the form, and of `kind` its decay: none, scalar, row, value or both."""

    kind: str
    inclusive: Tensor
    cu: list[int]  # of the sequences: positions cu[s] .. cu[s + 1] - 1
    reverse: bool
    order: Tensor  # N: position p is token order[p]
    segments: Tensor  # N: restart where the id differs from that of the position before
    source: Tensor  # N, bool: False does not write
    output: Tensor  # N, bool: False gives zeros

    def tokens(self, sequence: int) -> Tensor:
        positions = torch.arange(self.cu[sequence], self.cu[sequence + 1])
        return self.order[positions.flip(0) if self.reverse else positions]

    def turned(self) -> Walk:
        return replace(self, reverse=not self.reverse)


# Token operands g, h, their signs s and t, R, X (keys before the convolution), V, M: N x ...; C: distance x m x K, the taps of the convolution;
# tail: S x L x m x K, oldest first; state: S x K x V.
TOKENS = ("g", "h", "s", "t", "R", "X", "V", "M")
Operands = dict[str, Tensor]


def lagged(history: Tensor, distance: int, first: int) -> Tensor:
    """Row t: what stood `distance` steps before it. The tokens start at row `first` of their history."""
    return history[first - distance : len(history) - distance]


@dataclass
class Visited:
    """One sequence as its walk sees it."""

    tokens: Tensor
    restart: Tensor  # n x 1
    live: Tensor  # n x 1 x 1
    history: Tensor  # (L + n) x m x K: the tail, then the keys as the mask leaves them
    form: Form


def visit(walk: Walk, x: Operands, sequence: int) -> Visited:
    tokens = walk.tokens(sequence)
    g, h, s, t, R, X, V, M = (x[name][tokens] for name in TOKENS)
    ids = walk.segments[tokens]
    restart = torch.cat([ids[:0].new_zeros(min(1, len(ids)), dtype=torch.bool), ids[1:] != ids[:-1]])[:, None]
    live = walk.source[tokens][:, None, None]
    history = torch.cat([x["tail"][sequence], torch.where(live, X, 0.0)])
    first = len(history) - len(tokens)
    K = sum(C * lagged(history, distance, first) for distance, C in enumerate(x["C"]))
    # A restarting token forgets by a decay of zero, and what it would read before its write is zero.
    sees = (~restart | walk.inclusive)[..., None]
    reset = torch.where(restart, -torch.inf, g)
    form = Form(reset, h, s, t, torch.where(sees, R, 0.0), K, V, M, walk.inclusive)
    return Visited(tokens, restart, live, history, form)


def forward(walk: Walk, x: Operands, run=gradient_form.loop) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs N x (m + r) x V, the w and then the y of every token; final states and final tails. With the loop
    of the form this is the definition, which autograd differentiates."""
    outputs, states, tails = (
        torch.zeros(len(x["V"]), sum(x["M"].shape[1:]), x["V"].shape[-1]).double(),
        [],
        [],
    )
    for sequence in range(len(walk.cu) - 1):
        seen = visit(walk, x, sequence)
        Y, W, S = run(seen.form, x["state"][sequence])
        shown = torch.where(walk.output[seen.tokens][:, None, None], torch.cat([W, Y], 1), 0.0)
        outputs = outputs.index_put((seen.tokens,), shown)
        states.append(S)
        tails.append(seen.history[len(seen.tokens) :])
    return outputs, torch.stack(states), torch.stack(tails)


def gradient(
    walk: Walk, x: Operands, cotangents: tuple[Tensor, Tensor, Tensor], chunk: int, scans: bool
) -> Operands:
    """The gradients of all operands by the form's adjoint: in one walk over its chunks, or by four scans."""
    d_output, d_state, d_tail = cotangents
    result = {name: torch.zeros_like(value) for name, value in x.items()}
    for sequence in range(len(walk.cu) - 1):
        seen = visit(walk, x, sequence)
        count, first = len(seen.tokens), x["tail"].shape[1]
        d_history = torch.zeros_like(seen.history)
        d_history[count:] += d_tail[sequence]
        if not count:
            result["state"][sequence], result["tail"][sequence] = d_state[sequence], d_history
            continue
        shown = torch.where(walk.output[seen.tokens][:, None, None], d_output[seen.tokens], 0.0)
        gW, gY = shown.split(x["M"].shape[1:], 1)
        S0 = x["state"][sequence]
        if scans:
            d = gradient_form.gradient_by_scans(seen.form, S0, d_state[sequence], gY, gW, chunk)
        else:
            run = gradient_form.scan(seen.form, S0, chunk)
            d = gradient_form.gradient(seen.form, run, d_state[sequence], gY, gW, chunk, every=2)
        # Lags: what a token sends to those before it, tap by tap.
        for distance, C in enumerate(x["C"]):
            result["C"][distance] += (d.K * lagged(seen.history, distance, first)).sum(0)
            lagged(d_history, distance, first).add_(C * d.K)
        result["state"][sequence] = d.S
        result["tail"][sequence] = d_history[:first]
        result["X"][seen.tokens] = torch.where(seen.live, d_history[first:], 0.0)
        result["g"][seen.tokens] = torch.where(seen.restart, 0.0, d.g)
        result["h"][seen.tokens] = torch.where(seen.restart, 0.0, d.h)
        sees = (~seen.restart | walk.inclusive)[..., None]
        result["R"][seen.tokens] = torch.where(sees, d.R, 0.0)
        result["V"][seen.tokens] = d.V
        result["M"][seen.tokens] = d.M
    return result


def forward_both(walk: Walk, x: Operands, gate: Tensor, run=gradient_form.loop) -> tuple[Tensor, ...]:
    """Two walks over the same tokens, from either end, each with its own token: gate y_one + (1 - gate) y_other.
    gate: N x 1 x 1. Then the final states and tails of both."""
    one, other = forward(walk, x, run), forward(walk.turned(), x, run)
    return gate * one[0] + (1 - gate) * other[0], *one[1:], *other[1:]


def gradient_both(
    walk: Walk, x: Operands, gate: Tensor, cotangents: tuple[Tensor, ...], chunk: int, scans: bool
) -> tuple[Operands, Tensor]:
    """The gradients of the operands, which both walks add to, and of the gate."""
    d_output = cotangents[0]
    one = gradient(walk, x, (gate * d_output, *cotangents[1:3]), chunk, scans)
    other = gradient(walk.turned(), x, ((1 - gate) * d_output, *cotangents[3:]), chunk, scans)
    difference = forward(walk, x)[0] - forward(walk.turned(), x)[0]
    return {name: one[name] + other[name] for name in x}, (d_output * difference).sum((1, 2), keepdim=True)
