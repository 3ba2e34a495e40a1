"""Shifted windows as Video Swin runs them, in fp64: pad, roll, partition, mask, and back. It shares no code with the
product, and no formula: where tokens stand is what numpy.roll and the slices of Video Swin's compute_mask make of a
padded grid."""

import numpy as np


def partition(x, window):
    """[T, H, W, ...] of whole windows to [windows, tokens of a window, ...]."""
    (t, h, w), rest = x.shape[:3], x.shape[3:]
    a, b, c = window
    x = x.reshape(t // a, a, h // b, b, w // c, c, *rest)
    return x.transpose(0, 2, 4, 1, 3, 5, *range(6, x.ndim)).reshape(-1, a * b * c, *rest)


def reverse(x, window, grid):
    """Partition's inverse."""
    (t, h, w), rest = grid, x.shape[2:]
    a, b, c = window
    x = x.reshape(t // a, h // b, w // c, a, b, c, *rest)
    return x.transpose(0, 3, 1, 4, 2, 5, *range(6, x.ndim)).reshape(t, h, w, *rest)


def regions(padded, window, shift):
    """compute_mask's img_mask: tokens of a rolled window see each other where these numbers are equal."""
    number = np.zeros(padded, np.int64)
    count = 0
    slices = [(slice(-w), slice(-w, -s), slice(-s, None)) for w, s in zip(window, shift, strict=True)]
    for t in slices[0]:
        for h in slices[1]:
            for w in slices[2]:
                number[t, h, w] = count
                count += 1
    return number


def attend(scores, values):
    """Softmax over the keys whose score is not -inf, [Q, P] and [P, V]; 0 where there is none."""
    out = np.zeros((scores.shape[0], values.shape[1]))
    for q, row in enumerate(scores):
        seen = row != -np.inf
        if seen.any():
            weight = np.exp(row[seen] - row[seen].max())
            weight /= weight.sum()
            weight[weight == 0] = 5e-324  # so that it takes an infinity along
            out[q] = (weight[:, None] * values[seen]).sum(axis=0)
    return out


def windows(q, k, v, media, *, window, shift, scale, joined, score=None):
    """[B, N, H, D] x [B, N, G, D] x [B, N, G, V] to [B, N, H, V]; `score` is a function of the scores [Q, P], the
    queries' coordinates [Q, 1, 3], the keys' [1, P, 3] and the head."""
    q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
    batch, tokens, heads, _ = q.shape
    result = np.zeros((batch, tokens, heads, v.shape[3]))
    for first, *grid in media:
        size = [min(n, s) for n, s in zip(grid, window, strict=True)]
        moved = [0 if n <= s else m for n, s, m in zip(grid, window, shift, strict=True)]
        pad = [(0, -n % s) for n, s in zip(grid, size, strict=True)]
        back = [-m for m in moved]
        token = np.arange(first, first + int(np.prod(grid))).reshape(grid)
        token = np.roll(np.pad(token, pad, constant_values=-1), back, axis=(0, 1, 2))
        at = np.stack(np.meshgrid(*map(np.arange, grid), indexing="ij"), axis=-1)
        at = np.roll(np.pad(at, [*pad, (0, 0)]), back, axis=(0, 1, 2))
        region = partition(regions(token.shape, size, moved), size)
        for own, places, numbers in zip(partition(token, size), partition(at, size), region, strict=True):
            live = own >= 0

            def apart(some, live=live, numbers=numbers):
                return ~live[None, :] | (not joined) & (numbers[some, None] != numbers[None, :])

            for b in range(batch):
                for h in range(heads):
                    key, value = k[b, own, h // (heads // k.shape[2])], v[b, own, h // (heads // v.shape[2])]
                    for some in np.array_split(np.flatnonzero(live), 1 + live.sum() // 256):
                        scores = np.einsum("qd,pd->qp", q[b, own[some], h], key) * scale
                        if score is not None:
                            scores = score(scores, places[some, None, :], places[None, :, :], h)
                        scores = np.where(apart(some), -np.inf, scores)
                        result[b, own[some], h] = attend(scores, value)
    return result
