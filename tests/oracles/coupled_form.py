"""Coupled states in chunks, and their gradient: the prototype of `pattern.form`'s coupling in fp64.

R states of one head, K x V each, that mix by a small matrix A of each token (momentum, rotations, trapezoid rules);
each read j is of a state p_j, each write i goes to a state q_i:

    y_j  = r_j^T S_(p_j)   exclusive read        w_i = v_i + sum_j M_ij y_j     feedback, of exclusive reads only
    S'_p = sum_q A_pq S_q + sum_(i with q_i = p) k_i w_i^T
    y_j  = r_j^T S'_(p_j)  inclusive read

A chunk of C tokens needs A only by its running products P(t, s) = A_t ... A_(s + 1), R x R each. They are the blocks of an
inverse: X_t = A_t X_(t - 1) + B_t is (I - L) X = B, where block (p, q) of L holds A_pq[t] at (t, t - 1), so that block (p, q)
of (I - L)^-1 holds P_pq(t, s) at (t, s). By substitution that is X_t = A_t X_(t - 1) from each s on: numbers that a walk
token by token makes as well. Nothing is divided and no logarithm is taken, so that entries of any sign and size, zero
included, need nothing of their own: what underflows is forgotten in the walk too, and what overflows does so there.

With F_ji = P_(p_j q_i)(u, s), E_jq = P_(p_j q)(u, entry), X_ip = P_(p q_i)(end, s) and L = P(end, entry), where an exclusive read
of token u sees u - 1, the chunk is that of the normal form with a factor a pair, and so are its gradients (gradient_form.py):

    scores_ji = (R_j K_i^T) F_ji          Y_j = sum_q E_jq (R_j S_q) + sum_i scores_ji W_i
    S'_p = sum_q L_pq S_q + sum_i (X_ip K_i)^T W_i
    A^T dW = gW + sum_p X_ip (K_i D_p) + scores^T gY      dY = gY + M^T dW      D_q at entry = sum_p L_pq D_p + sum_j (E_jq R_j)^T dY_j
    Z_ji = dY_j W_i^T where seen
    dR_j = sum_q E_jq (dY_j S_q^T) + sum_i (Z_ji F_ji) K_i       dK_i = sum_p X_ip (W_i D_p^T) + sum_j (Z_ji F_ji)^T R_j
    dA_pq[t] = sum of what crosses t: from the entry or a write before it, in state q, to a read behind it or the exit, from p

What crosses t is P(u, t) G P(t - 1, s)^T over all u >= t > s at once: products of C x C matrices, whose elements below t are
picked by the zeros of P. Nothing is subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Coupled:
    """N tokens, R states, r reads, m writes."""

    A: Tensor  # N x R x R
    R: Tensor  # N x r x K
    K: Tensor  # N x m x K
    V: Tensor  # N x m x V
    M: Tensor  # N x m x r, zero for inclusive reads
    inclusive: tuple[bool, ...]
    of_reads: tuple[int, ...]  # p_j
    of_writes: tuple[int, ...]  # q_i

    def tensors(self) -> tuple[Tensor, ...]:
        return self.A, self.R, self.K, self.V, self.M

    def part(self, tokens: slice) -> Coupled:
        return Coupled(*(x[tokens] for x in self.tensors()), self.inclusive, self.of_reads, self.of_writes)


def loop(form: Coupled, S: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The definition: y, w of every token and the final states, R x K x V."""
    Y, W = [], []
    p, q = list(form.of_reads), list(form.of_writes)
    for A, R, K, V, M in zip(*form.tensors()):
        before = torch.einsum("rk,rkv->rv", R, S[p])
        w = V + M @ before
        written = torch.zeros_like(S).index_add(0, torch.tensor(q), torch.einsum("mk,mv->mkv", K, w))
        S = torch.einsum("pq,qkv->pkv", A, S) + written
        after = torch.einsum("rk,rkv->rv", R, S[p])
        Y.append(torch.where(torch.tensor(form.inclusive)[:, None], after, before))
        W.append(w)
    return torch.stack(Y), torch.stack(W), S


def products(A: Tensor) -> Tensor:
    """P[p, q, t, s] = (A_t ... A_(s + 1))_pq, zero for s > t: the inverse of the block bidiagonal system."""
    count, states = len(A), A.shape[-1]
    shift = torch.eye(count, dtype=A.dtype).roll(1, 0).tril(-1)
    L = torch.einsum("tpq,ts->ptqs", A, shift).reshape(states * count, states * count)
    # Unknowns in the order of tokens make it triangular; by state they are blocks, as tile.inverse has them.
    order = torch.arange(states * count).reshape(states, count).T.flatten()
    system = torch.eye(states * count, dtype=A.dtype) - L[order][:, order]
    ones = torch.eye(states * count, dtype=A.dtype)
    inverse = torch.empty_like(L)
    inverse[order[:, None], order] = torch.linalg.solve_triangular(
        system, ones, upper=False, unitriangular=True
    )
    return inverse.reshape(states, count, states, count).transpose(1, 2)


class Chunk:
    def __init__(self, form: Coupled):
        self.form, A = form, form.A
        self.P = products(A)
        self.before = torch.cat([torch.zeros_like(self.P[:, :, :1]), self.P[:, :, :-1]], 2)  # P(t - 1, s)
        entry = torch.einsum("pxt,xq->pqt", self.P[..., 0], A[0])
        one = torch.eye(A.shape[-1], dtype=A.dtype)[..., None]
        self.entry, self.entry_before = entry, torch.cat([one, entry[..., :-1]], -1)
        self.exit, self.over = self.P[:, :, -1], entry[..., -1]

    def pair(self, j: int) -> Tensor:
        """F of read j, by state and time of the write: what an exclusive read sees is a token older."""
        return (self.P if self.form.inclusive[j] else self.before)[self.form.of_reads[j]]

    def from_entry(self, j: int) -> Tensor:
        return (self.entry if self.form.inclusive[j] else self.entry_before)[self.form.of_reads[j]]

    def reads(self):
        return range(self.form.R.shape[1])

    def writes(self):
        return range(self.form.K.shape[1])

    def scores(self, j: int, i: int) -> Tensor:
        return self.form.R[:, j] @ self.form.K[:, i].T * self.pair(j)[self.form.of_writes[i]]

    def system(self) -> Tensor:
        """I - M scores, of all writes."""
        blocks = [
            [
                sum(self.form.M[:, i, j, None] * self.scores(j, other) for j in self.reads())
                for other in self.writes()
            ]
            for i in self.writes()
        ]
        rows = torch.cat([torch.cat(row, 1) for row in blocks])
        return torch.eye(len(rows), dtype=rows.dtype) - rows

    def forward(self, S: Tensor) -> Tensor:
        form, self.S = self.form, S
        self.y_entry = [
            torch.einsum("qt,tqv->tv", self.from_entry(j), torch.einsum("tk,qkv->tqv", form.R[:, j], S))
            for j in self.reads()
        ]
        right = [
            form.V[:, i] + sum(form.M[:, i, j, None] * self.y_entry[j] for j in self.reads())
            for i in self.writes()
        ]
        self.A = self.system()
        self.W = torch.linalg.solve(self.A, torch.cat(right)).chunk(len(right))
        self.Y = [
            self.y_entry[j] + sum(self.scores(j, i) @ self.W[i] for i in self.writes()) for j in self.reads()
        ]
        written = [
            torch.einsum("pt,tk,tv->pkv", self.exit[:, q], form.K[:, i], self.W[i])
            for i, q in enumerate(form.of_writes)
        ]
        return torch.einsum("pq,qkv->pkv", self.over, S) + sum(written)

    def backward(self, D: Tensor, gY: Tensor, gW: Tensor) -> Tensor:
        form, self.D = self.form, D
        right = []
        for i, q in enumerate(form.of_writes):
            known = gW[:, i] + torch.einsum("pt,tk,pkv->tv", self.exit[:, q], form.K[:, i], D)
            right.append(known + sum(self.scores(j, i).T @ gY[:, j] for j in self.reads()))
        self.dW = torch.linalg.solve(self.A.T, torch.cat(right)).chunk(len(right))
        self.dY = [
            gY[:, j] + sum(form.M[:, i, j, None] * self.dW[i] for i in self.writes()) for j in self.reads()
        ]
        seen = [(self.before if not x else self.P)[0, 0] for x in form.inclusive]  # of the right shape
        visible = [torch.ones_like(x).tril(0 if form.inclusive[j] else -1) for j, x in enumerate(seen)]
        self.Z = [[self.dY[j] @ self.W[i].T * visible[j] for i in self.writes()] for j in self.reads()]
        entering = [
            torch.einsum("qt,tk,tv->qkv", self.from_entry(j), form.R[:, j], self.dY[j]) for j in self.reads()
        ]
        return torch.einsum("pq,pkv->qkv", self.over, D) + sum(entering)

    def gradients(self) -> tuple[Tensor, ...]:
        """Of A, R, K, V, M; after backward()."""
        form = self.form
        of_state = [torch.einsum("tv,qkv->qtk", dY, self.S) for dY in self.dY]  # dY_j S_q^T
        of_adjoint = [torch.einsum("tv,pkv->ptk", W, self.D) for W in self.W]  # W_i D_p^T
        dR, dK = [], []
        for j in self.reads():
            inner = [self.Z[j][i] * self.pair(j)[q] @ form.K[:, i] for i, q in enumerate(form.of_writes)]
            dR.append(torch.einsum("qt,qtk->tk", self.from_entry(j), of_state[j]) + sum(inner))
        for i, q in enumerate(form.of_writes):
            inner = [(self.Z[j][i] * self.pair(j)[q]).T @ form.R[:, j] for j in self.reads()]
            dK.append(torch.einsum("pt,ptk->tk", self.exit[:, q], of_adjoint[i]) + sum(inner))
        dM = torch.einsum("itv,jtv->tij", torch.stack(self.dW), torch.stack(self.Y))
        return (
            self.coupling_gradient(of_state, of_adjoint),
            torch.stack(dR, 1),
            torch.stack(dK, 1),
            torch.stack(self.dW, 1),
            dM,
        )

    def coupling_gradient(self, of_state: list[Tensor], of_adjoint: list[Tensor]) -> Tensor:
        """dA_pq[t]: rows of `before` and `P` are what leads to state q before t, and from p behind it."""
        form, states = self.form, self.form.A.shape[-1]
        total = torch.zeros_like(form.A)
        for q in range(states):
            for j in self.reads():
                # [u, t]: what reaches read u, less what lies behind t, from all that stood in state q before t.
                crossing = sum(
                    self.Z[j][i] * (form.R[:, j] @ form.K[:, i].T) @ self.before[q, of].T
                    for i, of in enumerate(form.of_writes)
                )
                for x in range(states):
                    entry = (form.R[:, j] * of_state[j][x]).sum(1)
                    crossing = crossing + entry[:, None] * self.entry_before[q, x]
                for p in range(states):
                    total[:, p, q] += (self.pair(j)[p] * crossing).sum(0)
            for x in range(states):
                crossing = sum(
                    self.before[q, of] @ (form.K[:, i] * of_adjoint[i][x]).sum(1)
                    for i, of in enumerate(form.of_writes)
                )
                for y in range(states):
                    crossing = crossing + (self.D[x] * self.S[y]).sum() * self.entry_before[q, y]
                for p in range(states):
                    total[:, p, q] += self.exit[x, p] * crossing
        return total


def scan(form: Coupled, S: Tensor, chunk: int) -> tuple[Tensor, Tensor, Tensor, list[Chunk]]:
    chunks, Y, W = [], [], []
    for first in range(0, len(form.A), chunk):
        part = Chunk(form.part(slice(first, first + chunk)))
        S = part.forward(S)
        chunks.append(part)
        Y.append(torch.stack(part.Y, 1))
        W.append(torch.stack(part.W, 1))
    return torch.cat(Y), torch.cat(W), S, chunks


def gradient(chunks: list[Chunk], dS: Tensor, gY: Tensor, gW: Tensor) -> tuple[Tensor, ...]:
    """Of A, R, K, V, M and the initial states, by one walk over the chunks, last first."""
    D, end, parts = dS, len(gY), []
    for part in reversed(chunks):
        tokens = slice(end - len(part.form.A), end)
        D, end = part.backward(D, gY[tokens], gW[tokens]), tokens.start
        parts.append(part.gradients())
    return *(torch.cat(x) for x in zip(*parts[::-1])), D
