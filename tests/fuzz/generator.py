"""Draws recurrences. The seed alone decides."""

from dataclasses import replace

import numpy as np

from recurrence import OPAQUE, Decay, Output, Param, Read, Recurrence, State, Token, Write


class Generator:
    """Draws a recurrence. A large state comes with few tokens, so that every step is quick. One that is `like` another
    has its heads, batch and type, and a first state of its shape."""

    def __init__(self, seed: int, like: Recurrence | None = None):
        self.like = like
        self.rng = rng = np.random.default_rng(seed)
        size = str(rng.choice(["long", "wide", "grouped"], p=[0.3, 0.25, 0.45]))
        sizes, heads, self.longest = {
            "long": ([16, 32, 48], [1, 2, 3], 1025),
            "wide": ([64, 80, 96, 128, 256], [1, 2], 65),
            "grouped": ([5, 16, 17, 32, 48, 64, 80], [1, 2, 4, 6, 12], 255),
        }[size]
        self.key_size, self.value_size = (int(rng.choice(sizes)) for _ in range(2))
        if max(self.key_size, self.value_size) > 128:
            heads = [1]
        # One in five is opaque, one in three decays weakly.
        opaque = str(rng.choice(OPAQUE)) if seed % 5 == 4 else ""
        self.form = Recurrence(
            seed=seed,
            batch=int(rng.choice([1, 1, 2, 3])) if size == "grouped" else int(rng.choice([1, 1, 1, 2])),
            heads=int(rng.choice(heads)),
            weak=seed % 3 == 0,
            opaque=opaque,
            longest=self.longest,
            storage=str(rng.choice(["f32", "bf16", "f16"], p=[0.76, 0.14, 0.1])),
        )

        if like:
            first = like.states[0]
            self.key_size, self.value_size = first.key_size, first.value_size
            self.form = replace(self.form, batch=like.batch, heads=like.heads, storage=like.storage)

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def group(self) -> int:
        """A head count that divides that of the scan: 3 for 12."""
        heads = self.form.heads
        if heads == 12 and self.chance(0.6):
            return 3
        return int(self.rng.choice([g for g in range(1, heads + 1) if heads % g == 0]))

    def token(self, name: str, features: int, dtype: str = "", lagged: bool = True) -> str:
        heads = 0 if not features and self.chance(0.2) else self.group()
        lags = int(self.rng.integers(1, 4)) if lagged and self.chance(0.12) else 0
        tail = min(3, lags + int(self.rng.integers(0, 2))) if lags and self.chance(0.6) else 0
        self.form.tokens[name] = Token(
            name,
            heads,
            features,
            dtype or (self.form.storage if features or self.chance(0.3) else "f32"),
            lags,
            tail,
            otherwise=bool(lags) and not tail and self.chance(0.3),
        )
        for lag in range(lags + 1 if lags else 0):
            self.param(f"c{lag}{name}", features)
        return name

    def param(self, name: str, features: int) -> str:
        heads = 1 if self.chance(0.3) else self.form.heads
        dtype = self.form.storage if self.chance(0.3) else "f32"
        self.form.params[name] = Param(name, heads, features, dtype)
        return name

    def decay(self, index: int, key_size: int, value_size: int) -> Decay:
        opaque = self.form.opaque if index == 0 else ""
        shape = str(self.rng.choice(["none", "scalar", "row", "column"], p=[0.2, 0.3, 0.3, 0.2]))
        if shape == "none" and (self.form.weak or "decay" in opaque):
            shape = "scalar"
        if "by value column" in opaque:
            # Where the feedback leaves the form the decay shall not.
            shape = "column" if "decay" in opaque else "scalar"
        elif "feedback" in opaque and shape == "column":
            shape = "scalar"
        if (not key_size and shape == "row") or (not value_size and shape == "column"):
            shape = "scalar"
        if shape == "none":
            return Decay()
        features = {"scalar": 0, "row": key_size, "column": value_size}[shape]
        sources = ["direct", "direct", "log", "sigmoid", "softplus", "timestep", "root", "product", "param"]
        sources += ["tanh", "twice less one"]
        source = str(self.rng.choice(sources))
        if opaque == "decay of unknown range":
            source = "unknown"
        names = {"timestep": ["rate", "bias"], "product": ["base"], "param": ["base"]}.get(source, [])
        params = tuple(self.param(f"{name}{index}", features) for name in names)
        token = ""
        if source != "param":
            # A weighted sum of logits is one; of decays it is another decay.
            logits = source in ("log", "sigmoid", "softplus", "timestep", "root")
            token = self.token(f"a{index}", features, "" if features else "f32", lagged=logits)
        return Decay(shape, source, token, params)

    def write(self, index: int, number: int, key_size: int, value_size: int, feedback: bool) -> Write:
        at = f"{index}{number}"
        key = self.token(f"k{at}", key_size) if key_size else ""
        value = self.token(f"v{at}", value_size) if value_size or not key or self.chance(0.5) else ""
        scale = self.token(f"b{at}", 0) if feedback or self.chance(0.3) else ""
        source = ""
        if feedback:
            source = self.token(f"l{at}", key_size) if self.chance(0.15) else key
        return Write(key, value, scale, source, sequential=number > 0 and self.chance(0.5))

    def state(self, index: int, key_size: int, value_size: int) -> State:
        decay = self.decay(index, key_size, value_size)
        first = self.form.opaque if index == 0 else ""
        feedback = bool(key_size) and (self.chance(0.5) or "feedback" in first)
        if decay.shape == "column" and "feedback" not in first:
            feedback = False
        count = 1 if not key_size or max(key_size, value_size) > 128 else int(self.rng.choice([1, 1, 2]))
        if feedback and self.chance(0.15) and max(key_size, value_size) <= 48:
            count = 3
        writes = [self.write(index, i, key_size, value_size, feedback) for i in range(count)]
        if (
            decay.shape == "row"
            and value_size
            and not feedback
            and not self.form.weak
            and not self.form.opaque
        ):
            decay = replace(decay, across=bool(writes[0].value) and self.chance(0.3))
        coupled = self.form.opaque == "states that read each other"
        if index and value_size == self.value_size and value_size and not coupled and self.chance(0.3):
            writes[0] = replace(writes[0], chained=True)
        return State(
            f"S{index}",
            key_size,
            value_size,
            decay,
            tuple(writes),
            initial=self.chance(0.6),
            transposed=bool(key_size and value_size) and self.chance(0.4),
        )

    def reads(self, index: int) -> list[Read]:
        state = self.form.states[index]
        first = state.writes[0]
        result = []
        for number in range(2 if state.key_size and self.chance(0.25) else 1):
            whens = ["after", "after", "after", "before", "decayed"]
            if state.key_size and state.value_size:
                whens += ["bonus"]
            when = str(self.rng.choice(whens))
            bonus = self.param(f"u{index}{number}", state.key_size) if when == "bonus" else ""
            query = ""
            if state.key_size:
                # A key as its own query is a case of its own: equal values meet.
                shared = self.chance(0.1)
                query = first.key if shared else self.token(f"q{index}{number}", state.key_size)
            result.append(Read(index, query, when, bonus))
        return result

    def output(self, reads: list[Read]) -> Output:
        state = self.form.states[reads[0].state]
        index, features = reads[0].state, state.value_size
        number = len(self.form.outputs)
        if not features:
            return Output(tuple(reads), 0, str(self.rng.choice(["none", "tanh"])))
        epilogue = str(self.rng.choice(["none", "none", "tanh", "gate", "norm", "skip"]))
        operand = ""
        if epilogue == "gate":
            operand = self.token(f"z{number}", features)
        elif epilogue in ("norm", "skip"):
            operand = self.param(f"n{number}", features)
        if epilogue == "skip" and not self.form.states[index].writes[0].value:
            epilogue = "none"
        return Output(tuple(reads), features, epilogue, operand)

    def run(self) -> Recurrence:
        form, rng = self.form, self.rng
        shapes = [(self.key_size, self.value_size)]
        if form.opaque == "states that read each other":
            shapes *= 2
        elif self.key_size <= 80 and self.value_size <= 80:
            for shape, chance in {
                (self.key_size, self.value_size): 0.12,
                (self.key_size, 0): 0.25,
                (0, self.value_size): 0.1,
                (0, 0): 0.1,
            }.items():
                if self.chance(chance):
                    shapes.append(shape)
        for index, (key_size, value_size) in enumerate(shapes):
            form.states.append(self.state(index, key_size, value_size))
        if form.opaque == "states that read each other":
            form.states[1] = replace(form.states[1], transposed=form.states[0].transposed)
        for index in range(len(shapes)):
            reads = self.reads(index)
            normaliser = not form.states[index].value_size and form.states[index].key_size
            if normaliser and self.chance(0.7):
                # What was read from a key vector divides an output.
                form.outputs[0] = replace(form.outputs[0], divisor=reads.pop(0))
            together = self.chance(0.5)
            for some in [reads] if together else [[read] for read in reads]:
                if some:
                    form.outputs.append(self.output(some))
        form.reverse, form.ordered = self.chance(0.3), self.chance(0.25)
        form.segmented, form.output_masked = self.chance(0.2), self.chance(0.15)
        if self.chance(0.2):
            names = sorted(name for name in form.tokens if name[0] in "kvqb")
            for name in rng.choice(names, int(rng.integers(1, len(names) + 1)), replace=False):
                form.tokens[str(name)] = replace(form.tokens[str(name)], masked=True)
        if self.chance(0.2):
            dtype = str(rng.choice(["i1", "i32", "f32"]))
            heads = 0 if self.chance(0.5) else self.group()
            form.tokens["skip"] = Token("skip", heads, 0, dtype)
            form.skip = "skip"
        form.segments_tail = form.segmented and self.chance(0.7)
        self.mix()
        return form

    def drop(self, decay: Decay) -> None:
        """The operands of a decay that is drawn anew."""
        token = self.form.tokens.pop(decay.token, None)
        lags = [f"c{lag}{token.name}" for lag in range(token.lags + 1)] if token and token.lags else []
        for name in [*lags, *decay.params]:
            self.form.params.pop(name)

    def mix(self) -> None:
        """Some first states take another one of their kind, or both take each other."""
        form = self.form
        # By numbers of their own: the rest of a seed's recurrence is what it is without.
        self.rng = np.random.default_rng([form.seed, 7])
        small = max(self.key_size, self.value_size) <= 80
        if self.like or form.opaque or len(form.states) > 1 or not small or not self.chance(0.25):
            return
        for index in range(2):
            if index:
                state = self.state(1, self.key_size, self.value_size)
                form.states.append(replace(state, transposed=form.states[0].transposed))
            decay = form.states[index].decay
            while decay.shape in ("row", "column"):
                self.drop(decay)
                decay = self.decay(index, self.key_size, self.value_size)
            writes = tuple(replace(write, chained=False) for write in form.states[index].writes)
            form.states[index] = replace(form.states[index], decay=decay, writes=writes)
        form.outputs.append(self.output(self.reads(1)))
        for index in range(2):
            if index == 1 or self.chance(0.5):
                mixed = self.token(f"x{index}", 0, "f32", lagged=False)
                form.states[index] = replace(form.states[index], mixed=mixed)


def random_recurrence(seed: int) -> Recurrence:
    return Generator(seed).run()
