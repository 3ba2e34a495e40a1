"""The step of a recurrence as text, in one of many algebraically equal ways."""

from algebra import Algebra, Term, matrix, vector
from recurrence import Output, Read, Recurrence, State, Write


class StepText(Algebra):
    """`lines` of the step, its `results` (outputs, then next states), and the line that leaves the normal form."""

    def __init__(self, form: Recurrence, rng):
        super().__init__(rng)
        self.form = form
        self.culprits = range(0)  # of `lines`; none where the scan itself is to blame
        self.used: dict[str, Term] = {}
        self.outputs: list[Term] = []
        self.next: list[Term] = []
        self.write_step()

    # --- operands ---------------------------------------------------------------------------------

    def type_of(self, features: int) -> str:
        return vector(features) if features else "f32"

    def param(self, name: str) -> Term:
        return Term(f"%{name}t", self.type_of(self.form.params[name].features))

    def token(self, name: str) -> Term:
        """What the step uses of a token: with lags, their weighted sum."""
        if name in self.used:
            return self.used[name]
        token = self.form.tokens[name]
        result = here = Term(f"%{name}t", self.type_of(token.features))
        if token.lags:
            result = self.multiply(self.param(f"c0{name}"), here)
            otherwise = f" otherwise {here.name} : {here.type}" if token.otherwise else ""
            for lag in range(1, token.lags + 1):
                lagged = self.emit(f"pattern.lag {here.name} by {lag}{otherwise} : {here.type}", here.type)
                result = self.add(result, self.multiply(self.param(f"c{lag}{name}"), lagged))
        self.used[name] = result
        return result

    def state_type(self, state: State) -> str:
        return (
            "f32"
            if not state.shape
            else vector(*state.shape)
            if len(state.shape) == 1
            else matrix(*state.shape)
        )

    def key_axis(self, state: State) -> int:
        return 1 if state.transposed else 0

    def skipped(self) -> Term:
        token = self.form.tokens["skip"]
        here = f"%{token.name}t"
        if token.dtype == "i1":
            return Term(here, "i1")
        if token.dtype == "i32":
            zero = self.emit("arith.constant 0 : i32", "i32")
            return self.emit(f"arith.cmpi ne, {here}, {zero.name} : i32", "i1")
        half = self.emit("arith.constant 0.5 : f32", "f32")
        return self.emit(f"arith.cmpf ogt, {here}, {half.name} : f32", "i1")

    # --- decays -----------------------------------------------------------------------------------

    def decay(self, state: State) -> Term:
        """A scalar, or a vector along the key axis."""
        decay = state.decay
        x = self.token(decay.token) if decay.token else None
        params = [self.param(name) for name in decay.params]
        exp = lambda x: self.op("math.exp", x)  # noqa: E731
        if decay.source == "unknown":
            return x
        if decay.source == "direct":
            return self.same_decay(self.assume(x, 0.0, 1.0))
        if decay.source == "log":
            g = self.assume(x, -1000.0, 0.0)
            scaled = lambda: self.op("mulf", g, self.constant(1.4426950408889634, g.type))  # noqa: E731
            return self.choose(
                lambda: exp(g), lambda: self.same_decay(exp(g)), lambda: self.op("math.exp2", scaled())
            )
        if decay.source == "sigmoid":
            return self.sigmoid(x)
        if decay.source == "softplus":
            return self.choose(
                lambda: exp(self.op("negf", self.op("pattern.softplus", x))),
                lambda: self.sigmoid(self.op("negf", x)),
            )
        if decay.source == "timestep":
            rate, bias = params
            step = self.op("pattern.softplus", self.op("addf", x, bias))
            return self.choose(
                lambda: exp(self.op("negf", self.op("mulf", exp(rate), step))),
                lambda: exp(self.op("mulf", step, self.op("negf", exp(rate)))),
            )
        if decay.source == "root":
            root = x
            if self.chance():
                root = self.sigmoid(x, exact=True)
                for _ in range(4):
                    root = self.op("math.sqrt", root)
                return root
            sixteenth = self.constant(0.0625, x.type)
            return self.choose(
                lambda: exp(
                    self.op(
                        "negf", self.op("mulf", self.op("pattern.softplus", self.op("negf", x)), sixteenth)
                    )
                ),
                lambda: self.op("math.powf", self.sigmoid(x, exact=True), sixteenth),
            )
        if decay.source == "tanh":
            return self.op("math.tanh", x)
        if decay.source == "twice less one":
            one, two = self.constant(1.0, x.type), self.constant(2.0, x.type)
            twice = lambda x: self.op("mulf", two, self.sigmoid(x))  # noqa: E731
            return self.choose(
                lambda: self.op("subf", twice(x), one),
                lambda: self.op("subf", one, twice(self.op("negf", x))),
            )
        if decay.source == "product":
            return self.op("mulf", self.assume(x, 0.0, 1.0), self.sigmoid(params[0]))
        # A decay that is the same for all tokens is wrong by the same everywhere: its errors add up.
        return self.same_decay(self.sigmoid(params[0], exact=True))

    def decayed(self, state: State, a: Term | None, old: Term) -> Term:
        if a is None:
            return old
        spread = self.spread_decay(state, a, old.type)
        if state.decay.across:
            gate = self.op("pattern.sigmoid", self.op("math.cos", self.token(state.writes[0].value)))
            other = self.along(gate, 1 - self.key_axis(state), old.type)
            return self.choose(
                lambda: self.multiply(other, self.multiply(spread, old)),
                lambda: self.op("mulf", self.op("mulf", spread, other), old),
            )
        if self.chance(0.8):
            return self.multiply(spread, old)
        # S - (1 - a) S
        rest = self.op("subf", self.constant(1.0, old.type), spread)
        return self.op("subf", old, self.op("mulf", rest, old))

    def spread_decay(self, state: State, a: Term, type: str) -> Term:
        if a.type == "f32" or a.type == type:
            return self.fill(a, type)
        axis = self.key_axis(state)
        return self.along(a, 1 - axis if state.decay.shape == "column" else axis, type)

    # --- reads and writes -------------------------------------------------------------------------

    def read(self, state: State, source: Term, key: Term | None) -> Term:
        """key^T source, for the state's kind."""
        if key is None:
            return source
        if not state.value_size:
            return self.dot(source, key)
        way = self.rng.random()
        if way < 0.15:
            return self.scaled(self.read(state, source, self.scaled(key, 2.0)), 0.5)
        axis = self.key_axis(state)
        result = vector(state.value_size)
        if way < 0.5:
            product = self.multiply(source, self.along(key, axis, source.type))
            return self.emit(f"pattern.sum {product.name} over {axis} : {source.type}", result)
        op = "read_transposed" if state.transposed else "read"
        return self.emit(f"pattern.{op} {source.name}, {key.name} : {source.type}, {key.type}", result)

    def outer(self, state: State, key: Term | None, w: Term) -> Term:
        """key w^T, for the state's kind."""
        if key is None:
            return w
        if not state.value_size:
            return self.times(w, key)
        column, row = (w, key) if state.transposed else (key, w)
        type = self.state_type(state)
        if self.chance(0.65):
            return self.emit(f"pattern.outer {column.name}, {row.name} : {column.type}, {row.type}", type)
        return self.multiply(self.along(column, 0, type), self.along(row, 1, type))

    def feedback_read(self, state: State, key: Term, a: Term | None, old: Term, decayed: Term) -> Term:
        """key^T (a S), with the decay before the read or after it."""
        if a is None or state.mixed or state.decay.across or self.chance() or "decay" in self.form.opaque:
            return self.read(state, decayed, key)
        if a.type == "f32":
            return self.times(a, self.read(state, old, key))
        if state.decay.shape == "column":
            return self.multiply(a, self.read(state, old, key))
        return self.read(state, old, self.multiply(a, key))

    def blame(self, term: Term) -> Term:
        """What was just written leaves the normal form."""
        self.culprits = range(len(self.lines) - 1, len(self.lines))
        return term

    def opaque_feedback(self, opaque: str, u: Term, write: Write) -> Term:
        if opaque == "tanh of the feedback":
            return self.blame(self.op("math.tanh", u))
        if opaque == "square of the feedback":
            # Of two ops on the way from the state to itself the one nearer to the next state is named.
            return self.blame(self.op("math.tanh", self.op("mulf", u, u)))
        if opaque == "feedback by value column":
            return self.blame(self.op("mulf", u, self.op("math.cos", self.token(write.value))))
        return u

    def written(self, index: int, number: int, a, old, decayed, new) -> tuple[Term, Term | None, Term]:
        """The scale's sign aside: key and value of a write, and the value without feedback."""
        form, state = self.form, self.form.states[index]
        write = state.writes[number]
        opaque = form.opaque if index == 0 and number == 0 else ""
        key = self.token(write.key) if write.key else None
        value = self.token(write.value) if write.value else self.constant(1.0, self.type_of(state.value_size))
        if write.chained:
            value = self.add(value, self.op("math.tanh", self.first_read))
        if form.opaque == "states that read each other" and number == 0:
            other = form.states[1 - index]
            seen = self.read(other, Term(f"%{other.name}", self.state_type(other)), key)
            value = self.add(value, self.times(self.constant(0.5, "f32"), self.op("math.tanh", seen)))
        scale = self.token(write.scale) if write.scale else None
        if write.feedback:
            source = self.token(write.feedback)
            if write.sequential:
                u = self.read(state, new, source)
            else:
                u = self.feedback_read(state, source, a, old, decayed)
            u = self.opaque_feedback(opaque, u, write)
            if scale and self.chance(0.4):
                return key, self.subtract(self.times(scale, value), self.times(scale, u))
            value = self.subtract(value, u)
        if scale is None:
            return key, value
        way = self.rng.random()
        if key is not None and way < 0.25:
            return self.times(scale, key), value
        if way < 0.4:
            return key, self.divide_by_reciprocal(scale, value)
        return key, self.times(scale, value)

    def next_state(self, index: int) -> None:
        form, state = self.form, self.form.states[index]
        opaque = form.opaque if index == 0 else ""
        old = Term(f"%{state.name}", self.state_type(state))
        since = len(self.lines)
        a = self.decay(state) if state.decay.shape != "none" else None
        if opaque == "decay by its own read":
            seen = self.read(state, old, self.token(state.writes[0].key))
            total = self.emit(f"pattern.sum {seen.name} over 0 : {seen.type}", "f32")
            gate = self.op("pattern.sigmoid", total)
            a = self.op("mulf", a, self.fill(gate, a.type))
        skip = self.skipped() if form.skip else None
        # Tokens that are skipped neither decay nor write; or the old state is chosen in the end.
        late = skip is None or bool(opaque or state.mixed) or state.decay.across or self.chance()
        if skip and not late and a is not None:
            a = self.select(skip, self.constant(1.0, a.type), a)
        decayed = self.decayed(state, a, old)
        if state.mixed:
            other = Term(f"%{form.states[1 - index].name}", old.type)
            decayed = self.add(decayed, self.multiply(self.fill(self.token(state.mixed), old.type), other))
        if opaque in (
            "decay by value column beside feedback",
            "decay of unknown range",
            "decay by its own read",
        ):
            # Any of the ops that make the decay or apply it.
            self.culprits = range(since, len(self.lines))
        if opaque == "full matrix of decays":
            write = state.writes[0]
            scores = self.outer(state, self.token(write.key), self.op("math.cos", self.token(write.value)))
            decayed = self.op("mulf", self.blame(self.op("pattern.sigmoid", scores)), decayed)
        new, terms = decayed, []
        for number in range(len(state.writes)):
            key, w = self.written(index, number, a, old, decayed, new)
            if skip and not late:
                w = self.select(skip, self.constant(0.0, w.type), w)
            terms.append((key, w))
            new = self.accumulate(state, new, key, w)
        if opaque == "tanh of the state":
            new = self.blame(self.op("math.tanh", new))
        elif opaque == "maximum of the state":
            new = self.blame(self.op("maximumf", new, self.constant(-0.5, new.type)))
        # What was read of the state after the writes, term by term, while it is still their sum.
        self.terms[index] = terms if not late or skip is None else []
        if skip and late:
            new = self.select(skip, old, new)
        self.old[index], self.decayed_states[index], self.decays[index] = old, decayed, a
        self.late[index] = late
        self.next.append(new)

    def accumulate(self, state: State, new: Term, key: Term | None, w: Term) -> Term:
        way = self.rng.random()
        if way < 0.25:
            return self.subtract(new, self.outer(state, key, self.negate(w)))
        if way < 0.4:
            # In two parts.
            half = self.scaled(w, 0.5)
            return self.add(self.add(new, self.outer(state, key, half)), self.outer(state, key, half))
        if way < 0.55 and key is not None and state.value_size:
            column, row = (w, key) if state.transposed else (key, w)
            return self.op("math.fma", self.along(column, 0, new.type), self.along(row, 1, new.type), new)
        return self.add(new, self.outer(state, key, w))

    # --- outputs ----------------------------------------------------------------------------------

    def output_read(self, read: Read) -> Term:
        index, state = read.state, self.form.states[read.state]
        query = self.token(read.query) if read.query else None
        old, a = self.old[index], self.decays[index]
        if read.when == "before":
            return self.read(state, old, query)
        if read.when == "decayed":
            # As the loop has it: of the decay as it is for tokens that are not skipped.
            return self.read(state, self.plainly_decayed(index), query)
        if read.when == "bonus":
            write = state.writes[0]
            key = self.multiply(self.param(read.bonus), self.token(write.key))
            value = self.token(write.value)
            if write.scale and not write.feedback:
                value = self.times(self.token(write.scale), value)
            if self.chance():
                return self.add(self.read(state, old, query), self.times(self.dot(query, key), value))
            return self.read(state, self.add(old, self.outer(state, key, value)), query)
        if query is not None and self.terms[index] and not self.form.opaque and self.chance(0.3):
            # Expanded: what was there, and each write seen by the query.
            result = self.feedback_read(state, query, a, old, self.decayed_states[index])
            for key, w in self.terms[index]:
                result = self.add(result, self.times(self.dot(query, key), w))
            return result
        return self.read(state, self.next[index], query)

    def plainly_decayed(self, index: int) -> Term:
        state = self.form.states[index]
        if self.late[index] or state.decay.shape == "none":
            return self.decayed_states[index]
        return self.decayed(state, self.decay(state), self.old[index])

    def finish(self, output: Output, value: Term) -> Term:
        if output.epilogue == "tanh":
            value = self.op("math.tanh", value)
        elif output.epilogue == "gate":
            value = self.multiply(value, self.sigmoid(self.token(output.operand)))
        elif output.epilogue == "norm":
            square = self.dot(value, value)
            mean = self.scaled(square, 1.0 / output.features)
            size = self.op("math.rsqrt", self.op("addf", mean, self.constant(0.5, "f32")))
            value = self.multiply(self.times(size, value), self.param(output.operand))
        elif output.epilogue == "skip":
            write = self.form.states[output.reads[0].state].writes[0]
            value = self.add(value, self.multiply(self.param(output.operand), self.token(write.value)))
        if output.divisor:
            size = self.op("math.absf", self.output_read(output.divisor))
            safe = self.op("maximumf", size, self.constant(1.0, "f32"))
            value = self.op("divf", value, self.fill(safe, value.type))
        return value

    def write_step(self) -> None:
        form = self.form
        self.terms, self.old, self.decayed_states, self.decays, self.late = {}, {}, {}, {}, {}
        for index in range(len(form.states)):
            if index == 1:
                self.first_read = self.output_read(form.outputs[0].reads[0])
            self.next_state(index)
        for output in form.outputs:
            value = self.output_read(output.reads[0])
            for read in output.reads[1:]:
                value = self.add(value, self.output_read(read))
            self.outputs.append(self.finish(output, value))
        if form.opaque == "states that read each other":
            # The functions of what was read, or a decay that is not the same for all elements.
            self.culprits = range(len(self.lines))
