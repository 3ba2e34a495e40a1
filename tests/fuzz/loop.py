"""A recurrence as a loop over tokens in fp64: written from recurrence.py alone, sharing nothing with the compiler."""

import numpy as np
import torch

from operands import DECAYS, sigmoid
from recurrence import Output, Read, Recurrence, State, Token


class Loop:
    """All sequences and heads at once; `run` gives the outputs, the final states and the final tails by name."""

    def __init__(self, form: Recurrence, tensors: dict[str, torch.Tensor]):
        self.form = form
        self.exact = {name: tensor.double().numpy() for name, tensor in tensors.items()}
        self.length = self.exact[next(iter(form.tokens))].shape[1]
        positions = np.tile(np.arange(self.length), (form.batch, 1))
        if form.ordered:
            positions = self.exact["order"].astype(int) + 0 * positions
        self.walk = positions[:, ::-1] if form.reverse else positions
        self.params = {name: self.per_head(self.exact[name], 0) for name in form.params}
        self.tails = {}
        self.steps = {token.name: self.walked(token) for token in form.tokens.values()}

    def per_head(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Head h of H takes what belongs to head h / (H / G)."""
        return np.repeat(values, self.form.heads // values.shape[axis], axis=axis)

    def batched(self, values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values, (self.form.batch, *values.shape[1:]))

    def in_walk_order(self, values: np.ndarray) -> np.ndarray:
        values = self.batched(values)
        return np.stack([row[tokens] for row, tokens in zip(values, self.walk)])

    def walked(self, token: Token) -> np.ndarray:
        """[B, step, H, features]: what the step uses of a token operand; features are 1 for scalars."""

        def shaped(values):
            if not token.heads:
                values = values[:, :, None]
            if not token.features:
                values = values[..., None]
            return self.per_head(values, 2)

        raw = self.in_walk_order(self.exact[token.name])
        if token.masked:
            mask = self.in_walk_order(self.exact["mask"])
            raw = np.where(mask.reshape(mask.shape + (1,) * (raw.ndim - 2)) != 0, raw, 0)
        if token.tail:
            tail = self.batched(self.exact[f"{token.name}tail"])
            self.tails[token.name] = np.concatenate([tail, raw], axis=1)[:, raw.shape[1] :]
        values = shaped(raw)
        if not token.lags:
            return values
        before = shaped(tail) if token.tail else np.zeros((len(values), 3, *values.shape[2:]))
        history = np.concatenate([before, values], axis=1)
        total = 0
        for lag in range(token.lags + 1):
            start = before.shape[1] - lag
            lagged = history[:, start : start + self.length].copy()
            if token.otherwise:
                lagged[:, :lag] = values[:, :lag]
            weight = self.params[f"c{lag}{token.name}"]
            total = total + lagged * (weight if weight.ndim == 2 else weight[:, None])
        return total

    def decay(self, state: State, x) -> np.ndarray | float:
        """[B, H, K or 1, V or 1]"""
        decay = state.decay
        if decay.shape == "none":
            return 1.0
        params = [self.params[name] for name in decay.params]
        params = [p if p.ndim == 2 else p[:, None] for p in params]
        operands = [x[decay.token], *params] if decay.token else params
        a = DECAYS[decay.source][0](*operands)
        a = np.broadcast_to(a, (self.form.batch, self.form.heads, a.shape[-1]))
        a = a[:, :, None, :] if decay.shape == "column" else a[..., None]
        return a * sigmoid(np.cos(x[state.writes[0].value]))[:, :, None, :] if decay.across else a

    def read(self, x, read: Read) -> np.ndarray:
        """[B, H, V or 1]"""
        at = read.state
        source = {"after": self.new, "decayed": self.decayed}.get(read.when, self.old)[at]
        query = x[read.query] if read.query else np.ones((1, 1, 1))
        result = np.einsum("bhk,bhkv->bhv", np.broadcast_to(query, source.shape[:3]), source)
        if read.when == "bonus":
            write = self.form.states[read.state].writes[0]
            dot = (query * self.params[read.bonus] * x[write.key]).sum(-1, keepdims=True)
            result = result + dot * self.value_of(x, write)
        return result

    def value_of(self, x, write) -> np.ndarray:
        value = x[write.value] if write.value else np.ones((1, 1, 1))
        return value * x[write.scale] if write.scale and not write.feedback else value

    def next_state(self, index: int, x) -> tuple[np.ndarray, np.ndarray]:
        """The decayed state and the next one."""
        form, state, old = self.form, self.form.states[index], self.old[index]
        opaque = form.opaque if index == 0 else ""
        a = self.decay(state, x)
        if opaque == "decay by its own read":
            seen = np.einsum("bhk,bhkv->bhv", x[state.writes[0].key], old).sum(-1)
            a = a / (1 + np.exp(-seen))[..., None, None]
        decayed = a * old
        if state.mixed:
            decayed = decayed + x[state.mixed][..., None] * self.old[1 - index]
        if opaque == "full matrix of decays":
            scores = np.einsum("bhk,bhv->bhkv", x[state.writes[0].key], np.cos(x[state.writes[0].value]))
            decayed = decayed / (1 + np.exp(-scores))
        new = decayed
        for number, write in enumerate(state.writes):
            key = x[write.key] if write.key else np.ones((1, 1, 1))
            w = x[write.value] if write.value else np.ones((1, 1, 1))
            if write.chained:
                w = w + np.tanh(self.first_read)
            if form.opaque == "states that read each other" and number == 0:
                w = w + 0.5 * np.tanh(np.einsum("bhk,bhkv->bhv", key, self.old[1 - index]))
            if write.feedback:
                u = np.einsum("bhk,bhkv->bhv", x[write.feedback], new if write.sequential else decayed)
                if number == 0:
                    u = {
                        "tanh of the feedback": np.tanh,
                        "square of the feedback": lambda u: np.tanh(u * u),
                        "feedback by value column": lambda u: u * np.cos(x[state.writes[0].value]),
                    }.get(opaque, lambda u: u)(u)
                w = w - u
            if write.scale:
                w = w * x[write.scale]
            new = new + key[..., None] * w[:, :, None, :]
        if opaque == "tanh of the state":
            new = np.tanh(new)
        elif opaque == "maximum of the state":
            new = np.maximum(new, -0.5)
        return decayed, np.where(self.skipped(x), old, new)

    def skipped(self, x) -> np.ndarray:
        if not self.form.skip:
            return np.zeros((1, 1, 1, 1), bool)
        return x[self.form.skip][..., None] > 0.5

    def finish(self, output: Output, x, value: np.ndarray) -> np.ndarray:
        if output.epilogue == "tanh":
            value = np.tanh(value)
        elif output.epilogue == "gate":
            value = value / (1 + np.exp(-x[output.operand]))
        elif output.epilogue == "norm":
            size = np.sqrt((value**2).mean(-1, keepdims=True) + 0.5)
            value = value / size * self.params[output.operand]
        elif output.epilogue == "skip":
            write = self.form.states[output.reads[0].state].writes[0]
            value = value + self.params[output.operand] * x[write.value]
        if output.divisor:
            value = value / np.maximum(np.abs(self.read(x, output.divisor)), 1)
        return value

    def run(self) -> dict[str, np.ndarray]:
        form = self.form
        shape = (form.batch, form.heads)
        states = []
        for state in form.states:
            full = (*shape, state.key_size or 1, state.value_size or 1)
            value = np.zeros(full)
            if state.initial:
                stored = self.batched(self.exact[f"{state.name}0"])
                stored = np.swapaxes(stored, 2, 3) if state.transposed else stored
                value = stored.reshape(full).copy()
            states.append(value)
        outputs = [np.zeros((form.batch, self.length, form.heads, o.features or 1)) for o in form.outputs]
        rows = np.arange(form.batch)
        if form.segmented:
            ids = self.in_walk_order(self.exact["segments"])
            first = self.batched(self.exact["segmentstail"]) if form.segments_tail else ids[:, :1]
            # Of the position before the first, then of each step.
            self.ids = ids = np.concatenate([first, ids], axis=1)
            if form.segments_tail:
                self.tails["segments"] = ids[:, -1:]
        for step in range(self.length):
            x = {name: values[:, step] for name, values in self.steps.items()}
            if form.segmented:
                same = ids[:, step + 1] == ids[:, step]
                states = [np.where(same[:, None, None, None], state, 0) for state in states]
            self.old, self.decayed, self.new = states, [], []
            for index in range(len(form.states)):
                if index == 1:
                    self.first_read = self.read(x, form.outputs[0].reads[0])
                decayed, new = self.next_state(index, x)
                self.decayed.append(decayed)
                self.new.append(new)
            for output, values in zip(form.outputs, outputs):
                value = self.finish(output, x, sum(self.read(x, read) for read in output.reads))
                values[rows, self.walk[:, step]] = value
            states = self.new
        result = {}
        for number, (output, values) in enumerate(zip(form.outputs, outputs)):
            if form.output_masked:
                values = np.where(self.batched(self.exact["live"])[..., None, None] != 0, values, 0)
            result[f"o{number}"] = values if output.features else values[..., 0]
        for state, value in zip(form.states, states):
            value = np.swapaxes(value, 2, 3) if state.transposed else value
            result[state.name] = value.reshape(*shape, *state.shape)
        for name, values in self.tails.items():
            result[f"{name}tail"] = values
        return result
