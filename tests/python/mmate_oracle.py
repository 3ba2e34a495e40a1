"""Algorithm 1 of the paper in fp64, written as loops to be read. It shares no code with the product. It is written in
torch, whose autograd gives its gradients.

Weights are a dict of tensors: W_C [H*D, d], W_B and W_X [G*D, d], W_dt_forward, W_dt_reverse and W_gate [H, d],
each with its bias b_*; a_log_forward and a_log_reverse [H]; conv_C [4, H, D], conv_B and conv_X [4, G, D];
scan_norm [H, D]; W_O_flex [d, H*D] and b_O_flex [d]; W_Q, W_K, W_V, W_O_swin with biases; W_lambda [1, d],
b_lambda [1]; output_norm and b_output_norm [d].
"""

from itertools import product

import numpy as np
import torch


def softplus(x):
    return torch.logaddexp(torch.zeros_like(x), x)


def item_of_tokens(tokens, media):
    """The number of each token's media item; -1 for text."""
    item = np.full(tokens, -1)
    for number, (first, t, h, w) in enumerate(media):
        item[first : first + t * h * w] = number
    return item


def rotary_major_scan(layer, tokens, media):
    """order[p] is the token at position p: the four cases of n_l in Section 3.1.1, inside each item's slots."""
    order = np.arange(tokens)
    for first, T, H, W in media:
        for t, y, x in product(range(T), range(H), range(W)):
            n = [
                t * (H * W) + y * W + x,
                t * (H * W) + x * H + y,
                y * (T * W) + x * T + t,
                x * (T * H) + y * T + t,
            ][layer % 4]
            order[first + n] = first + t * (H * W) + y * W + x
    return order


def short_convolution(x, weight, order):
    """y at position p is the sum over lags j of weight[j] * x at position p - j."""
    y = [None] * len(x)
    for p, token in enumerate(order):
        y[token] = sum(weight[lag] * x[order[p - lag]] for lag in range(4) if p - lag >= 0)
    return torch.stack(y)


def forward_scan(C, B, X, dt, A, order):
    """Eq. 1 with dt: h_t = exp(dt A) h_{t-1} + dt B x^T, y = C h; head h reads key/value head h // (H/G)."""
    tokens, heads, features = C.shape
    group = heads // B.shape[1]
    y = [[None] * heads for _ in range(tokens)]
    for head in range(heads):
        h = C.new_zeros(features, features)
        for token in order:
            step = dt[token, head]
            h = torch.exp(step * A[head]) * h
            h = h + step * torch.outer(B[token, head // group], X[token, head // group])
            y[token][head] = C[token, head] @ h
    return torch.stack([torch.stack(row) for row in y])


def reverse_scan(C, B, X, dt, A, order, item, config):
    """Eq. 2: only vision tokens write. The rest is the configuration's reading of it."""
    tokens, heads, features = C.shape
    group = heads // B.shape[1]
    y = [[C.new_zeros(features)] * heads for _ in range(tokens)]
    for head in range(heads):
        h = C.new_zeros(features, features)
        previous = None
        for token in reversed(order):
            vision = item[token] >= 0
            if config["reverse_scope"] == "segment" and item[token] != previous:
                h = torch.zeros_like(h)
            previous = item[token]
            step = dt[token, head]
            if vision or config["reverse_decays_over_text"]:
                h = torch.exp(step * A[head]) * h
            if vision:
                h = h + step * torch.outer(B[token, head // group], X[token, head // group])
            if vision or config["reverse_target"] == "all":
                y[token][head] = C[token, head] @ h
    return torch.stack([torch.stack(row) for row in y])


def flex_branch(z, weights, config, layer, media, heads, groups):
    tokens = len(z)

    def project(name, count):
        return (z @ weights["W_" + name].T + weights["b_" + name]).reshape(tokens, count, -1)

    item = item_of_tokens(tokens, media)
    order = rotary_major_scan(layer, tokens, media).tolist()
    C, B, X = project("C", heads), project("B", groups), project("X", groups)
    if config["short_convolution"]:
        C = short_convolution(C, weights["conv_C"], order)
        B = short_convolution(B, weights["conv_B"], order)
        X = short_convolution(X, weights["conv_X"], order)
    dt_forward = softplus(project("dt_forward", heads)[:, :, 0])
    dt_reverse = softplus(project("dt_reverse", heads)[:, :, 0])
    y_forward = forward_scan(C, B, X, dt_forward, -torch.exp(weights["a_log_forward"]), order)
    y_reverse = reverse_scan(C, B, X, dt_reverse, -torch.exp(weights["a_log_reverse"]), order, item, config)
    g = torch.sigmoid(project("gate", heads))
    if config["gate_is_one_on_text"]:
        g = torch.where(torch.from_numpy(item < 0)[:, None, None], 1.0, g)
    y = g * y_forward + (1 - g) * y_reverse  # Eq. 3
    if config["scan_norm"]:
        mean = torch.mean(y**2, dim=2, keepdim=True)
        y = weights["scan_norm"] * y / torch.sqrt(mean + config["norm_epsilon"])
    else:
        y = y / np.sqrt(y.shape[2])
    return y.reshape(tokens, -1) @ weights["W_O_flex"].T + weights["b_O_flex"]


def rotate(x, positions, theta):
    """Rotary embedding of [N, heads, D] on the halves of each head, as Llama's."""
    half = x.shape[2] // 2
    frequency = theta ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.as_tensor(positions, dtype=torch.float64)[:, None, None] * frequency
    a, b = x[..., :half], x[..., half:]
    return torch.cat(
        [a * torch.cos(angle) - b * torch.sin(angle), b * torch.cos(angle) + a * torch.sin(angle)], dim=2
    )


def window_and_side(coordinate, extent, window, shifted):
    """The window of a coordinate on one axis after the cyclic shift of the grid, and whether it was wrapped.

    A grid no larger than the window is one window that does not shift. The shift is taken modulo the grid's
    extent rounded up to whole windows, as Video Swin pads it.
    """
    if extent <= window:
        return 0, False
    shift = window // 2 if shifted else 0
    padded = -(-extent // window) * window
    return (coordinate - shift) % padded // window, coordinate < shift


def swin_branch(z, weights, config, layer, media, heads, groups, positions, theta):
    tokens = len(z)

    def project(name, count):
        return (z @ weights["W_" + name].T + weights["b_" + name]).reshape(tokens, count, -1)

    Q, K, V = project("Q", heads), project("K", groups), project("V", groups)
    Q, K = rotate(Q, positions, theta), rotate(K, positions, theta)
    y = Q.new_zeros(tokens, heads, Q.shape[2])
    for first, *grid in media:
        window = (1, *config["image_window"]) if grid[0] == 1 else config["video_window"]
        members = {}
        for raster, coordinates in enumerate(product(*map(range, grid))):
            axes = [window_and_side(c, n, s, layer % 2 == 1) for c, n, s in zip(coordinates, grid, window)]
            key = tuple(index for index, _ in axes)
            if not config["join_wrapped"]:
                key += tuple(side for _, side in axes)
            members.setdefault(key, []).append(first + raster)
        for own in members.values():
            for head in range(heads):
                kv = head // (heads // groups)
                score = Q[own, head] @ K[own, kv].T / np.sqrt(Q.shape[2])
                y[own, head] = torch.softmax(score, dim=1) @ V[own, kv]
    y = y.reshape(tokens, -1) @ weights["W_O_swin"].T + weights["b_O_swin"]
    text = torch.from_numpy(item_of_tokens(tokens, media) < 0)
    return torch.where(text[:, None], 0.0, y)  # Pad


def mmate(z, weights, config, layer, media, heads, groups, positions, theta):
    """One sequence z [N, d] to y [N, d]."""
    weights = {name: value.double() for name, value in weights.items()}
    z = z.double()
    flex = flex_branch(z, weights, config, layer, media, heads, groups)
    swin = swin_branch(z, weights, config, layer, media, heads, groups, positions, theta)
    lam = torch.sigmoid(z @ weights["W_lambda"].T + weights["b_lambda"])
    if config["lambda_is_one_on_text"]:
        lam = torch.where(torch.from_numpy(item_of_tokens(len(z), media) < 0)[:, None], 1.0, lam)
    y = {"both": lam * flex + (1 - lam) * swin, "flex": flex, "swin": swin}[config["branches"]]
    if config["output_norm"]:
        centred = y - y.mean(dim=1, keepdim=True)
        deviation = torch.sqrt(torch.mean(centred**2, dim=1, keepdim=True) + config["norm_epsilon"])
        y = weights["output_norm"] * centred / deviation + weights["b_output_norm"]
    return y
