"""Random recurrences in the normal form: their pattern text, obfuscated, and their fp64 loop.

Per token, with state S (K x V), as in compiler/normalize:
    u_i = key_i^T (a S)            feedback reads, where a write has them
    w_i = b_i (v_i - u_i)          or v_i without feedback
    S'  = a S + sum_i key_i w_i^T
    o   = query^T S'
The loop is written from these lines alone; the text says the same in one of many ways.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Recurrence:
    key_size: int
    value_size: int
    heads: int
    key_heads: int
    decay: str  # "none", "scalar" or "row"
    writes: int
    feedback: bool
    opaque: bool  # a tanh on the state's path
    epilogue: str  # "none", "tanh" or "gate"
    reverse: bool
    ordered: bool
    initial: bool
    dtype: str  # "f32" or "bf16"
    transposed: bool
    strong: bool  # decays far from 1
    seed: int
    lines: list = field(default_factory=list)

    @staticmethod
    def random(seed: int) -> "Recurrence":
        rng = np.random.default_rng(seed)
        heads = int(rng.choice([1, 2, 3, 4, 12]))
        return Recurrence(
            key_size=int(rng.choice([16, 32, 48, 64, 80])),
            value_size=int(rng.choice([16, 32, 48, 64])),
            heads=heads,
            key_heads=int(rng.choice([g for g in (1, 2, 3, 4, 12) if heads % g == 0])),
            decay=str(rng.choice(["none", "scalar", "row"])),
            writes=int(rng.choice([1, 1, 2])),
            feedback=bool(rng.random() < 0.5),
            opaque=bool(rng.random() < 0.15),
            epilogue=str(rng.choice(["none", "none", "tanh", "gate"])),
            reverse=bool(rng.random() < 0.3),
            ordered=bool(rng.random() < 0.3),
            initial=bool(rng.random() < 0.5),
            dtype="bf16" if rng.random() < 0.15 else "f32",
            transposed=bool(rng.random() < 0.4),
            strong=bool(rng.random() < 0.33),
            seed=seed,
        )

    # --- text -------------------------------------------------------------------------------------

    def text(self) -> str:
        writer = StepWriter(self, np.random.default_rng(self.seed + 1))
        return writer.function()

    # --- operands ---------------------------------------------------------------------------------

    def operands(self, tokens: int, rng) -> dict[str, np.ndarray]:
        h, g, k, v = self.heads, self.key_heads, self.key_size, self.value_size
        shape = (1, tokens)
        result = {"q": rng.normal(size=(*shape, h, k)) / np.sqrt(k)}
        for i in range(self.writes):
            key = rng.normal(size=(*shape, g, k))
            # Unit keys and b in [0, 1] make feedback contractive.
            result[f"k{i}"] = key / np.linalg.norm(key, axis=-1, keepdims=True)
            result[f"v{i}"] = rng.normal(size=(*shape, g, v))
            if self.feedback:
                result[f"b{i}"] = rng.random(size=(*shape, h)) / self.writes
        if self.decay != "none":
            size = (*shape, h, k) if self.decay == "row" else (*shape, h)
            result["a"] = np.exp(-4 * rng.random(size)) if self.strong else 1 - 1e-3 * rng.random(size)
        if self.epilogue == "gate":
            result["z"] = rng.normal(size=(*shape, h, v))
        return result

    def loop(self, operands, order, initial):
        """o [1, N, H, V] and the last state [1, H, K, V], in fp64."""
        tokens = operands["q"].shape[1]
        h, k, v = self.heads, self.key_size, self.value_size
        group = h // self.key_heads
        spread = {n: np.repeat(x[0], group, axis=1) if n[0] in "kv" else x[0] for n, x in operands.items()}
        state = np.zeros((h, k, v)) if initial is None else initial[0].astype(np.float64)
        output = np.zeros((1, tokens, h, v))
        positions = range(tokens - 1, -1, -1) if self.reverse else range(tokens)
        for p in positions:
            t = order[p] if order is not None else p
            x = {n: y[t].astype(np.float64) for n, y in spread.items()}
            if self.decay == "none":
                decayed = state
            elif self.decay == "scalar":
                decayed = x["a"][:, None, None] * state
            else:
                decayed = x["a"][:, :, None] * state
            state = decayed
            for i in range(self.writes):
                w = x[f"v{i}"]
                if self.feedback:
                    read = np.einsum("hk,hkv->hv", x[f"k{i}"], decayed)
                    w = x[f"b{i}"][:, None] * (w - (np.tanh(read) if self.opaque else read))
                state = state + x[f"k{i}"][:, :, None] * w[:, None, :]
            if self.opaque and not self.feedback:
                state = np.tanh(state)
            o = np.einsum("hk,hkv->hv", x["q"], state)
            if self.epilogue == "tanh":
                o = np.tanh(o)
            elif self.epilogue == "gate":
                o = o / (1 + np.exp(-x["z"]))
            output[0, t] = o
        return output, state[None]


class StepWriter:
    """Writes the step in one of many algebraically equal ways."""

    def __init__(self, form: Recurrence, rng):
        self.form, self.rng = form, rng
        self.lines, self.count = [], 0
        k, v = form.key_size, form.value_size
        self.key, self.value = f"tensor<{k}xf32>", f"tensor<{v}xf32>"
        rows, columns = (v, k) if form.transposed else (k, v)
        self.matrix = f"tensor<{rows}x{columns}xf32>"
        self.key_axis = 1 if form.transposed else 0

    def flip(self) -> bool:
        return bool(self.rng.random() < 0.5)

    def emit(self, text: str) -> str:
        self.count += 1
        name = f"%t{self.count}"
        self.lines.append(f"    {name} = {text}")
        return name

    def binary(self, op: str, a: str, b: str, kind: str) -> str:
        if op in ("addf", "mulf") and self.flip():
            a, b = b, a
        return self.emit(f"arith.{op} {a}, {b} : {kind}")

    def fill(self, scalar: str, kind: str) -> str:
        return self.emit(f"pattern.broadcast {scalar} : f32 to {kind}")

    def along(self, vector: str, axis: int, kind: str) -> str:
        return self.emit(f"pattern.broadcast {vector} along {axis} : {kind} to {self.matrix}")

    def outer(self, key: str, value: str) -> str:
        a, b = (value, key) if self.form.transposed else (key, value)
        ta, tb = (self.value, self.key) if self.form.transposed else (self.key, self.value)
        if self.flip():
            return self.emit(f"pattern.outer {a}, {b} : {ta}, {tb}")
        return self.binary("mulf", self.along(a, 0, ta), self.along(b, 1, tb), self.matrix)

    def read(self, state: str, key: str) -> str:
        if self.flip():
            scaled = self.binary("mulf", state, self.along(key, self.key_axis, self.key), self.matrix)
            return self.emit(f"pattern.sum {scaled} over {self.key_axis} : {self.matrix}")
        op = "read_transposed" if self.form.transposed else "read"
        return self.emit(f"pattern.{op} {state}, {key} : {self.matrix}, {self.key}")

    def decayed(self, state: str) -> str:
        if self.form.decay == "none":
            return state
        if self.form.decay == "scalar":
            return self.binary("mulf", self.fill("%decay", self.matrix), state, self.matrix)
        return self.binary("mulf", self.along("%decay", self.key_axis, self.key), state, self.matrix)

    def feedback_read(self, key: str, decayed: str) -> str:
        """key^T (a S), with the decay before the read or after it."""
        if self.form.decay == "none" or self.flip():
            return self.read(decayed, key)
        if self.form.decay == "scalar":
            return self.binary("mulf", self.fill("%decay", self.value), self.read("%S", key), self.value)
        return self.read("%S", self.binary("mulf", "%decay", key, self.key))

    def step(self) -> tuple[str, str]:
        form = self.form
        if form.decay != "none":
            kind = self.key if form.decay == "row" else "f32"
            self.lines.append(f"    %decay = pattern.assume %at in [0.0, 1.0] : {kind}")
        decayed = self.decayed("%S")
        new = decayed
        for i in range(form.writes):
            w = f"%v{i}t"
            if form.feedback:
                u = self.feedback_read(f"%k{i}t", decayed)
                if form.opaque:
                    u = self.emit(f"math.tanh {u} : {self.value}")
                b = self.fill(f"%b{i}t", self.value)
                if self.flip():
                    w = self.binary("mulf", b, self.binary("subf", w, u, self.value), self.value)
                else:
                    left, right = (self.binary("mulf", b, x, self.value) for x in (w, u))
                    w = self.binary("subf", left, right, self.value)
            if self.flip():
                new = self.binary("addf", new, self.outer(f"%k{i}t", w), self.matrix)
            else:
                negative = self.emit(f"arith.negf {w} : {self.value}")
                new = self.binary("subf", new, self.outer(f"%k{i}t", negative), self.matrix)
        if form.opaque and not form.feedback:
            new = self.emit(f"math.tanh {new} : {self.matrix}")
        output = self.read(new, "%qt")
        if form.epilogue == "tanh":
            output = self.emit(f"math.tanh {output} : {self.value}")
        elif form.epilogue == "gate":
            gate = self.emit(f"pattern.sigmoid %zt : {self.value}")
            output = self.binary("mulf", output, gate, self.value)
        return output, new

    def function(self) -> str:
        form = self.form
        h, g, k, v, e = form.heads, form.key_heads, form.key_size, form.value_size, form.dtype
        types = {"q": f"tensor<?x?x{h}x{k}x{e}>"}
        for i in range(form.writes):
            types[f"k{i}"] = f"tensor<?x?x{g}x{k}x{e}>"
            types[f"v{i}"] = f"tensor<?x?x{g}x{v}x{e}>"
            if form.feedback:
                types[f"b{i}"] = f"tensor<?x?x{h}xf32>"
        if form.decay != "none":
            types["a"] = f"tensor<?x?x{h}x{k}xf32>" if form.decay == "row" else f"tensor<?x?x{h}xf32>"
        if form.epilogue == "gate":
            types["z"] = f"tensor<?x?x{h}x{v}x{e}>"
        rows, columns = (v, k) if form.transposed else (k, v)
        state = f"tensor<?x{h}x{rows}x{columns}xf32>"
        output, new = self.step()
        arguments = [f"%{n}: {t}" for n, t in types.items()]
        if form.ordered:
            arguments.append("%order: tensor<?x?xi32>")
        if form.initial:
            arguments.append(f"%s0: {state}")
        tokens = ", ".join(f"%{n}t = %{n} : {t}" for n, t in types.items())
        result = f"tensor<?x?x{h}x{v}x{e}>"
        return "\n".join(
            [
                f"func.func @cell({', '.join(arguments)}) -> ({result}, {state}) {{",
                f"  %o, %s = pattern.scan{' reverse' if form.reverse else ''}",
                f"      tokens({tokens})",
                f"      states(%S = {'%s0' if form.initial else 'zero'} : {state})",
                *(["      order(%order : tensor<?x?xi32>)"] if form.ordered else []),
                f"      -> ({result}) {{",
                *self.lines,
                f"    pattern.yield outputs({output} : {self.value}) states({new} : {self.matrix})",
                "  }",
                f"  return %o, %s : {result}, {state}",
                "}\n",
            ]
        )
