"""Random operands of a recurrence: values that keep its states of moderate size, rounded to their storage."""

import numpy as np
import torch

from recurrence import Recurrence, Token

TORCH = {
    "f32": torch.float32,
    "bf16": torch.bfloat16,
    "f16": torch.float16,
    "i32": torch.int32,
    "i1": torch.bool,
}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(0, x)


def either_sign(a):
    """Half of the decays negative, by a digit of theirs."""
    return np.where(np.floor(a * 1e5) % 2 == 0, a, -a)


# Each way to give a decay: the decay from its token and params, and the token that gives a wanted decay.
DECAYS = {
    "direct": (lambda x: x, lambda a: a),
    "unknown": (lambda x: x, lambda a: a),
    "log": (np.exp, lambda a: np.log(np.maximum(a, 1e-30))),
    "sigmoid": (sigmoid, lambda a: np.clip(np.log(a / (1 - a)), -20, 20)),
    "softplus": (lambda x: np.exp(-softplus(x)), lambda a: np.clip(np.log((1 - a) / a), -20, 20)),
    "timestep": (
        lambda x, rate, bias: np.exp(-np.exp(rate) * softplus(x + bias)),
        # For rate and bias near zero.
        lambda a: np.clip(np.log(np.expm1(-np.log(np.maximum(a, 1e-8)))), -20, 20),
    ),
    "root": (
        lambda x: sigmoid(x) ** (1 / 16),
        lambda a: np.clip(np.log(a**16 / (1 - a**16)), -20, 20),
    ),
    "product": (lambda x, base: x * sigmoid(base), lambda a: a),
    "param": (sigmoid, lambda a: np.clip(np.log(a / (1 - a)), -20, 20)),
    "tanh": (np.tanh, lambda a: np.clip(np.arctanh(either_sign(a)), -10, 10)),
    "twice less one": (
        lambda x: 2 * sigmoid(x) - 1,
        lambda a: np.clip(2 * np.arctanh(either_sign(a)), -20, 20),
    ),
}


def wanted_decay(form: Recurrence, size, rng) -> np.ndarray:
    if form.weak:
        return 1 - 1e-3 * rng.random(size)
    return np.exp(-4 * rng.random(size) ** 2)


def token_values(form: Recurrence, token: Token, tokens: int, rng) -> np.ndarray:
    batch = 1 if rng.random() < 0.1 else form.batch
    size = [batch, tokens, *(n for n in (token.heads, token.features) if n)]
    if token.name == "skip":
        return rng.random(size) < 0.3
    for state in form.states:
        if state.decay.token == token.name:
            with np.errstate(divide="ignore"):
                return DECAYS[state.decay.source][1](wanted_decay(form, size, rng))
    if token.name[0] == "x":
        # Small, and of the other sign in the other direction: the two states grow no faster than one.
        return (0.02 if token.name == "x1" else -0.02) * (1 + rng.random(size))
    if token.name[0] in "kl":
        # Unit keys and scales in [0, 1] make feedback contractive.
        values = rng.normal(size=size)
        return values / np.linalg.norm(values, axis=-1, keepdims=True)
    if token.name[0] == "q":
        return rng.normal(size=size) / np.sqrt(token.features)
    if token.name[0] == "b":
        writes = max(len(state.writes) for state in form.states)
        # A read with another key than the write's is contractive no more, only slow to grow.
        crossed = any(name[0] == "l" for name in form.tokens)
        return rng.random(size) * (0.1 if crossed else 1 / writes)
    return rng.normal(size=size)


def param_values(form: Recurrence, name: str, rng) -> np.ndarray:
    param = form.params[name]
    size = [n for n in (param.heads, param.features) if n]
    if name[0] == "c":
        # The weights of a token and of the ones before it: together at most one, also when rounded.
        lags = form.tokens[name[2:]].lags
        return np.full(size, 0.5 if name[1] == "0" else (0.5, 0.25, 0.125)[lags - 1])
    if name.startswith("base"):
        return DECAYS["param"][1](np.minimum(wanted_decay(form, size, rng), 1 - 1e-7))
    if name.startswith(("rate", "bias")):
        return 0.1 * rng.normal(size=size)
    return rng.normal(size=size)


def random_walk(form: Recurrence, tokens: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """The order [B, N], and the segment ids [B, N] by token."""
    order = np.tile(np.arange(tokens), (form.batch, 1))
    if form.ordered:
        for row in order:
            row[:] = rng.permutation(row)
    ids = np.cumsum(rng.random((form.batch, tokens)) < 0.1, axis=1)
    segments = np.empty_like(order)
    np.put_along_axis(segments, order[:, ::-1] if form.reverse else order, ids, axis=1)
    return order, segments


def random_operands(form: Recurrence, tokens: int, rng) -> dict[str, torch.Tensor]:
    """Tensors by name in their storage types: tokens, tails, params, states and clauses."""
    tensors = {}

    def keep(name, values, dtype):
        tensors[name] = torch.tensor(np.asarray(values)).to(TORCH[dtype])

    for token in form.tokens.values():
        keep(token.name, token_values(form, token, tokens, rng), token.dtype)
        if token.tail:
            keep(f"{token.name}tail", token_values(form, token, token.tail, rng), token.dtype)
    for name, param in form.params.items():
        keep(name, param_values(form, name, rng), param.dtype)
    for state in form.states:
        if state.initial:
            batch = 1 if rng.random() < 0.1 else form.batch
            keep(f"{state.name}0", rng.normal(size=(batch, form.heads, *state.shape)), "f32")
    order, segments = random_walk(form, tokens, rng)
    if form.ordered:
        keep("order", order, "i32")
    if form.segmented:
        keep("segments", segments, "i32")
    if form.segments_tail:
        keep("segmentstail", rng.integers(0, 2, (form.batch, 1)), "i32")
    if form.source_masked:
        keep("mask", rng.random((form.batch, tokens)) < 0.7, "i1")
    if form.output_masked:
        keep("live", rng.random((form.batch, tokens)) < 0.7, "i1")
    return tensors
