"""Gradients of the normal form, in chunks: `pattern.form` and its adjoint in fp64, written from the equations.

One state of one head (K x V); S is the state before a token, S' the one after it:

    y_j = r_j^T S   exclusive read        w_i = v_i + sum_j M_ij y_j      feedback, of exclusive reads only
    S'  = diag(a) S diag(b) + sum_i k_i w_i^T
    a = s exp(g): a scalar or a factor a key row; b = t exp(h): a factor a value column (then M = 0); s, t: 1 or -1
    y_j = r_j^T S'  inclusive read

gy, gw: what the outputs send back to y and w. D: gradient of S' through later tokens; D' = D + sum_(j inclusive) r_j
gy_j^T.

    dw_i = gw_i + k_i^T D'                dy_j = gy_j + sum_i M_ij dw_i   (inclusive: dy_j = gy_j)
    gradient of S = diag(a) D' diag(b) + sum_(j exclusive) r_j dy_j^T
    dv_i = dw_i   dk_i = D' w_i   dr_j = S dy_j (inclusive: S' dy_j)   dM_ij = dw_i . y_j
    dg = a S * D' b summed over columns, dh the same over rows

In a chunk the sign of what is left from token s to token u is that of the products of signs up to u and up to s, one
times the other: they stand on reads and keys, or on outputs and values, beside the exponentials.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

ZERO = -200.0  # logarithm of a decay of zero: finite, so that differences of sums are numbers
SUBCHUNK = 16  # tokens


@dataclass(frozen=True)
class Form:
    """N tokens, r reads, m writes. Zeros are no decay."""

    g: Tensor  # N x 1, N x K by row
    h: Tensor  # N x 1 (zeros), N x V by value
    s: Tensor  # the signs, as g
    t: Tensor  # as h
    R: Tensor  # N x r x K
    K: Tensor  # N x m x K
    V: Tensor  # N x m x V
    M: Tensor  # N x m x r, zero for inclusive reads
    inclusive: Tensor  # r

    def each(self, change) -> Form:
        """The form with every tensor of tokens changed."""
        names = [f.name for f in fields(self) if f.name != "inclusive"]
        return replace(self, **{name: change(getattr(self, name)) for name in names})

    def decays(self) -> tuple[Tensor, Tensor]:
        """What is left at each token, of rows and of columns."""
        return self.s * self.g.exp(), self.t * self.h.exp()


@dataclass
class Cotangents:
    """Gradients of what a form is made of, shaped as in `Form`, and of the initial state, K x V."""

    g: Tensor
    h: Tensor
    R: Tensor
    K: Tensor
    V: Tensor
    M: Tensor
    S: Tensor


@dataclass(frozen=True)
class Side:
    """The decay as one axis of the state sees it, all ones on the axis without decay (`pair`: what is seen)."""

    pair: Tensor  # from write s to read u
    entry: Tensor  # from the chunk's entry to u
    exit: Tensor  # from s to the chunk's end
    whole: Tensor  # from entry to end

    @staticmethod
    def of(g: Tensor, signs: Tensor, last: Tensor, writer: Tensor, seen: Tensor) -> Side:
        """`last`: the last token whose write a read sees; `writer`: the token of a write."""
        g = g.clamp(min=ZERO)
        G = torch.cat([torch.zeros_like(g[:1]), g.cumsum(0)])
        P = torch.cat([torch.ones_like(g[:1]), signs.cumprod(0)])
        of_reads, of_writes = G[last + 1], G[writer + 1]
        p_reads, p_writes = P[last + 1], P[writer + 1]
        pair = (of_reads[:, None] - of_writes).clamp(max=0).exp() * p_reads[:, None] * p_writes
        return Side(
            torch.where(seen, pair, 0.0),
            of_reads.exp() * p_reads,
            (G[-1] - of_writes).exp() * P[-1] * p_writes,
            G[-1:].exp() * P[-1:],
        )


def loop(form: Form, S: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The definition: y, w of every token and the final state."""
    Y, W = [], []
    for a, b, R, K, V, M in zip(*(x.unbind() for x in (*form.decays(), form.R, form.K, form.V, form.M))):
        y = R @ S
        w = V + M @ y
        S = a[:, None] * S * b + K.mT @ w
        Y.append(torch.where(form.inclusive[:, None], R @ S, y))
        W.append(w)
    if not Y:
        return form.V.new_zeros(0, len(form.inclusive), form.V.shape[-1]), torch.zeros_like(form.V), S
    return torch.stack(Y), torch.stack(W), S


def scores(A: Tensor, B: Tensor, pair: Tensor) -> Tensor:
    """[u, s] = sum_k A[u, k] pair[u, s, k] B[s, k]; `pair`: the decay from s to u, 0 where u does not see s."""
    return A @ B.T * pair[..., 0] if pair.shape[-1] == 1 else torch.einsum("uk,usk,sk->us", A, pair, B)


def values(P: Tensor, B: Tensor, pair: Tensor) -> Tensor:
    """[u, k] = sum_s P[u, s] pair[u, s, k] B[s, k]"""
    return (P * pair[..., 0]) @ B if pair.shape[-1] == 1 else torch.einsum("us,usk,sk->uk", P, pair, B)


class Chunk:
    """Some tokens after one another. Row u of R and Y is (token, read), row s of K, V and W is (token, write)."""

    def __init__(self, form: Form, tokens: slice):
        part = form.each(lambda x: x[tokens])
        count, reads, writes = len(part.g), form.R.shape[1], form.K.shape[1]
        self.R, self.K, self.V = (x.flatten(0, 1) for x in (part.R, part.K, part.V))
        self.M = torch.block_diag(*part.M)
        self.token = torch.arange(count)
        self.writer = self.token.repeat_interleave(writes)
        # The last token whose write read u sees.
        self.last = self.token.repeat_interleave(reads) - (~form.inclusive.repeat(count)).long()
        seen = (self.writer <= self.last[:, None])[..., None]
        self.key = Side.of(part.g, part.s, self.last, self.writer, seen)
        self.value = Side.of(part.h, part.t, self.last, self.writer, seen)

    def decayed(self, S: Tensor) -> Tensor:
        return self.key.whole.T * S * self.value.whole

    def forward(self, S: Tensor) -> Tensor:
        """From the state at the chunk's entry to the one at its end; y and w stay in `Y` and `W`."""
        key, value, self.S = self.key, self.value, S
        self.scores = scores(self.R, self.K, key.pair)
        self.y_entry = (self.R * key.entry) @ S * value.entry
        self.A = torch.eye(len(self.V), dtype=S.dtype) - self.M @ self.scores
        right = self.V + self.M @ self.y_entry
        self.W = torch.linalg.solve_triangular(self.A, right, upper=False, unitriangular=True)
        self.y_inner = values(self.scores, self.W, value.pair)
        self.Y = self.y_entry + self.y_inner
        return self.decayed(S) + (self.K * key.exit).T @ (self.W * value.exit)

    def backward(self, D: Tensor, gY: Tensor, gW: Tensor) -> Tensor:
        """From D at the chunk's end to D at its entry: forward() with R and K swapped, entry and exit swapped,
        scores and system transposed."""
        key, value, self.D = self.key, self.value, D
        self.dw_exit = (self.K * key.exit) @ D * value.exit
        self.dw_inner = values(self.scores.T, gY, value.pair.transpose(0, 1))
        right = gW + self.dw_exit + self.dw_inner
        self.dW = torch.linalg.solve_triangular(self.A.T, right, upper=True, unitriangular=True)
        self.dY = gY + self.M.T @ self.dW
        # Value reads of S by dY and of D by W: one product, dY W^T, serves both inside the chunk.
        self.Z = scores(self.dY, self.W, value.pair)
        self.dr_entry = (self.dY * value.entry) @ self.S.T * key.entry
        self.dr_inner = values(self.Z, self.K, key.pair)
        self.dk_exit = (self.W * value.exit) @ D.T * key.exit
        self.dk_inner = values(self.Z.T, self.R, key.pair.transpose(0, 1))
        return self.decayed(D) + (self.R * key.entry).T @ (self.dY * value.entry)

    def decay_gradient(self, by_value: bool) -> Tensor:
        """dg, or dh, in pairs: dg_t sums all that crosses the decay of t, which is the chunk's entry to its end, the entry to
        a read after it, and a write before it to the end or to such a read. Only what crosses is ever added."""
        if by_value:
            c, d, total, pair = self.dY, self.W, self.scores, self.value.pair
            r_entry, k_exit = c * self.y_entry, d * self.dw_exit
        else:
            c, d, total, pair = self.R, self.K, self.Z, self.key.pair
            r_entry, k_exit = c * self.dr_entry, d * self.dk_exit
        scalar = pair.shape[-1] == 1
        axis = (0, 1) if scalar else 0 if by_value else 1
        through = (self.decayed(self.S) * self.D).sum(axis)
        if scalar:
            r_entry, k_exit = r_entry.sum(1, keepdim=True), k_exit.sum(1, keepdim=True)
        after = (self.last >= self.token[:, None]).to(c.dtype)  # [t, u]: read u lies after the decay of t
        before = (self.writer < self.token[:, None]).to(c.dtype)  # [t, s]: write s lies before it
        crossing = through + after @ r_entry + before @ k_exit
        if scalar:
            return crossing + torch.einsum("tu,us,ts->t", after, self.scores * self.Z, before)[:, None]
        for first in range(0, len(self.token), SUBCHUNK):
            # The writes of a sub-chunk against the reads beyond it, and those inside it element by element.
            here, end = self.token // SUBCHUNK == first // SUBCHUNK, first + SUBCHUNK
            s, u = self.writer // SUBCHUNK == first // SUBCHUNK, self.last >= end
            P, F, later = total[u][:, s], pair[u][:, s], self.token >= end
            crossing[later] += after[later][:, u] @ (c[u] * values(P, d[s], F))
            crossing[here] += before[here][:, s] @ (d[s] * values(P.T, c[u], F.transpose(0, 1)))
            u = self.last // SUBCHUNK == first // SUBCHUNK
            P = (total[u][:, s, None] * pair[u][:, s]) * c[u][:, None] * d[s]
            crossing[here] += torch.einsum("tu,usd,ts->td", after[here][:, u], P, before[here][:, s])
        return crossing


@dataclass
class Run:
    """What a scan gives, and the states at its chunks' entries."""

    Y: Tensor
    W: Tensor
    S: Tensor
    borders: list[Tensor]


def scan(form: Form, S: Tensor, chunk: int, reverse: bool = False) -> Run:
    """The chunked forward pass over at least one token."""
    form = form.each(lambda x: x.flip(0)) if reverse else form
    Y, W, borders = [], [], []
    for first in range(0, len(form.g), chunk):
        borders.append(S)
        part = Chunk(form, slice(first, first + chunk))
        S = part.forward(S)
        Y.append(part.Y.unflatten(0, (-1, form.R.shape[1])))
        W.append(part.W.unflatten(0, (-1, form.K.shape[1])))
    turned = [torch.cat(x).flip(0) if reverse else torch.cat(x) for x in (Y, W)]
    return Run(*turned, S, borders)


def gradient(
    form: Form, run: Run, dS: Tensor, gY: Tensor, gW: Tensor, chunk: int, every: int = 1
) -> Cotangents:
    """One walk over the chunks, last first, on the chunks of the forward pass. Every `every`-th border is kept;
    those between are computed again, one stretch at a time."""
    D, parts, reads, writes = dS, [], (-1, form.R.shape[1]), (-1, form.K.shape[1])
    kept = {c: S for c, S in enumerate(run.borders) if c % every == 0}
    for c in reversed(range(len(run.borders))):
        for b in range(c - c % every, c):
            if b + 1 not in kept:
                kept[b + 1] = Chunk(form, slice(b * chunk, (b + 1) * chunk)).forward(kept[b])
        tokens = slice(c * chunk, (c + 1) * chunk)
        part = Chunk(form, tokens)
        part.forward(kept.pop(c))
        D = part.backward(D, gY[tokens].flatten(0, 1), gW[tokens].flatten(0, 1))
        dW = part.dW.unflatten(0, writes)
        dR, dK = part.dr_entry + part.dr_inner, part.dk_exit + part.dk_inner
        dM = dW @ part.Y.unflatten(0, reads).mT
        decays = part.decay_gradient(by_value=False), part.decay_gradient(by_value=True)
        parts.append((*decays, dR.unflatten(0, reads), dK.unflatten(0, writes), dW, dM))
    return Cotangents(*(torch.cat(x) for x in zip(*parts[::-1])), S=D)


def gradient_by_scans(form: Form, S0: Tensor, dS: Tensor, gY: Tensor, gW: Tensor, chunk: int) -> Cotangents:
    """The same by four scans in the form as it is, and sums. dg is telescoped: exact in exact arithmetic, and in
    fp64 to what rounding leaves of terms that cancel."""
    run = scan(form, S0, chunk)
    inclusive, (on_key, on_value) = form.inclusive[:, None], (a[:, None] for a in form.decays())
    exclusive = torch.zeros(form.K.shape[1], dtype=torch.bool)
    # The adjoint reads D; what the token's own inclusive reads add to it is known.
    own = (form.K @ form.R.mT) * form.inclusive @ gY
    keys = torch.where(inclusive, form.R * on_key, form.R)
    known = torch.where(inclusive, gY * on_value, gY + form.M.mT @ (gW + own))
    decays = (form.g, form.h, form.s, form.t)
    across = (form.h, form.g, form.t, form.s)  # of the transposed state
    adjoint = scan(Form(*decays, form.K, keys, known, form.M.mT, exclusive), dS, chunk, reverse=True)
    dW, dY = gW + own + adjoint.Y, torch.where(inclusive, gY, adjoint.W)
    # Value reads: reads of the transposed state, whose writes are known.
    dR = scan(Form(*across, dY, run.W, form.K, 0 * form.M, form.inclusive), S0.T, chunk).Y
    of_adjoint = Form(*across, run.W, adjoint.W, keys, 0 * form.M.mT, exclusive)
    dK = scan(of_adjoint, dS.T, chunk, reverse=True).Y + (run.W @ gY.mT) * form.inclusive @ form.R

    def telescoped(g: Tensor, r: Tensor, k: Tensor, end: Tensor) -> Tensor:
        if g.shape[-1] == 1:
            r, k, end = r.sum(-1, keepdim=True), k.sum(-1, keepdim=True), end.sum(0, keepdim=True)
        dg = end + (r.sum(1) - k.sum(1)).flip(0).cumsum(0).flip(0) - (r * ~inclusive).sum(1)
        # Telescoping leaves rounding where nothing crosses.
        return dg.masked_fill(g <= ZERO, 0)

    end = run.S * dS
    dg = telescoped(form.g, form.R * dR, form.K * dK, end.sum(1))
    dh = telescoped(form.h, run.Y * dY, run.W * (dW - gW), end.sum(0))
    return Cotangents(dg, dh, dR, dK, dW, dW @ run.Y.mT, adjoint.S)
