"""Step text by algebra: each method writes one operation in one of many ways that are equal in exact arithmetic."""

from typing import NamedTuple


class Term(NamedTuple):
    """An SSA value and its type."""

    name: str
    type: str


def vector(size: int) -> str:
    return f"tensor<{size}xf32>"


def matrix(rows: int, columns: int) -> str:
    return f"tensor<{rows}x{columns}xf32>"


def extents(type: str) -> list[int]:
    return [int(n) for n in type[7:-5].split("x")] if type.startswith("tensor") else []


class Algebra:
    def __init__(self, rng):
        self.rng = rng
        self.lines: list[str] = []

    def chance(self, probability: float = 0.5) -> bool:
        return bool(self.rng.random() < probability)

    def choose(self, *ways):
        """One of some functions, called."""
        return ways[int(self.rng.integers(len(ways)))]()

    def emit(self, text: str, type: str) -> Term:
        name = f"%t{len(self.lines)}"
        self.lines.append(f"    {name} = {text}")
        return Term(name, type)

    # --- single ops -------------------------------------------------------------------------------

    def op(self, name: str, *operands: Term) -> Term:
        """An op whose operands and result have one type."""
        prefix = "" if "." in name else "arith."
        return self.emit(
            f"{prefix}{name} {', '.join(o.name for o in operands)} : {operands[0].type}", operands[0].type
        )

    def fill(self, scalar: Term, type: str) -> Term:
        """A scalar everywhere in a vector or a matrix."""
        if scalar.type == type:
            return scalar
        sizes = extents(type)
        if len(sizes) == 2 and self.chance(0.3):
            axis = int(self.rng.integers(2))
            return self.along(self.fill(scalar, vector(sizes[axis])), axis, type)
        return self.emit(f"pattern.broadcast {scalar.name} : {scalar.type} to {type}", type)

    def along(self, term: Term, axis: int, type: str) -> Term:
        return self.emit(f"pattern.broadcast {term.name} along {axis} : {term.type} to {type}", type)

    def constant(self, number: float, type: str) -> Term:
        if type != "f32" and self.chance():
            return self.emit(f"arith.constant dense<{number!r}> : {type}", type)
        scalar = self.emit(f"arith.constant {number!r} : f32", "f32")
        return self.fill(scalar, type)

    def assume(self, term: Term, low: float, high: float) -> Term:
        return self.emit(f"pattern.assume {term.name} in [{low!r}, {high!r}] : {term.type}", term.type)

    def select(self, condition: Term, yes: Term, no: Term) -> Term:
        if yes.type != "f32" and self.chance(0.3):
            type = yes.type.replace("f32", "i1")
            spread = self.emit(f"pattern.broadcast {condition.name} : i1 to {type}", type)
            return self.emit(
                f"arith.select {spread.name}, {yes.name}, {no.name} : {type}, {yes.type}", yes.type
            )
        return self.emit(f"arith.select {condition.name}, {yes.name}, {no.name} : {yes.type}", yes.type)

    # --- sums and products ------------------------------------------------------------------------

    def negate(self, a: Term) -> Term:
        return self.choose(
            lambda: self.op("negf", a),
            lambda: self.op("negf", a),
            lambda: self.op("subf", self.constant(0.0, a.type), a),
            lambda: self.op("mulf", a, self.constant(-1.0, a.type)),
        )

    def add(self, a: Term, b: Term) -> Term:
        if self.chance():
            a, b = b, a
        if self.chance(0.6):
            return self.op("addf", a, b)
        return self.choose(
            lambda: self.op("subf", a, self.negate(b)),
            lambda: self.op("math.fma", a, self.constant(1.0, a.type), b),
            lambda: self.op("math.fma", self.constant(2.0, a.type), self.scaled(a, 0.5), b),
            # Adding and subtracting back.
            lambda: self.op("subf", self.op("addf", self.op("addf", a, b), a), a),
            lambda: self.op("addf", self.op("subf", a, b), self.scaled(b, 2.0)),
            lambda: self.negate(self.op("subf", self.negate(a), b)),
        )

    def subtract(self, a: Term, b: Term) -> Term:
        if self.chance(0.6):
            return self.op("subf", a, b)
        return self.choose(
            lambda: self.add(a, self.negate(b)),
            lambda: self.negate(self.op("subf", b, a)),
            lambda: self.op("math.fma", b, self.constant(-1.0, a.type), a),
            lambda: self.op("addf", self.op("subf", a, self.scaled(b, 0.5)), self.scaled(b, -0.5)),
        )

    def multiply(self, a: Term, b: Term) -> Term:
        if self.chance():
            a, b = b, a
        if self.chance(0.65):
            return self.op("mulf", a, b)
        return self.choose(
            lambda: self.op("mulf", self.negate(a), self.negate(b)),
            lambda: self.op("mulf", self.scaled(a, 0.5), self.scaled(b, 2.0)),
            lambda: self.scaled(self.op("mulf", a, self.scaled(b, 4.0)), 0.25),
            lambda: self.op("math.fma", a, b, self.constant(0.0, a.type)),
            lambda: self.negate(self.op("mulf", self.negate(a), b)),
        )

    def scaled(self, a: Term, number: float) -> Term:
        if self.chance(0.7):
            return self.op("mulf", a, self.constant(number, a.type))
        return self.op("divf", a, self.constant(1.0 / number, a.type))

    def times(self, scalar: Term, a: Term) -> Term:
        """A scalar times a vector or a matrix."""
        return self.multiply(self.fill(scalar, a.type), a)

    def divide_by_reciprocal(self, scalar: Term, a: Term) -> Term:
        inverse = self.op("divf", self.constant(1.0, "f32"), scalar)
        return self.op("divf", a, self.fill(inverse, a.type))

    def dot(self, a: Term, b: Term) -> Term:
        if self.chance():
            a, b = b, a
        if self.chance(0.7):
            return self.emit(f"pattern.dot {a.name}, {b.name} : {a.type}", "f32")
        return self.emit(f"pattern.sum {self.multiply(a, b).name} over 0 : {a.type}", "f32")

    # --- decays that are equal in exact arithmetic and known to lie in [0, 1] ---------------------

    def same_decay(self, a: Term) -> Term:
        one = lambda: self.constant(1.0, a.type)  # noqa: E731
        if self.chance():
            return a
        return self.choose(
            lambda: self.op("math.exp", self.op("math.log", a)),
            lambda: self.op("math.exp2", self.op("math.log2", a)),
            lambda: self.op("subf", one(), self.op("subf", one(), a)),
            lambda: self.op("mulf", a, one()),
            lambda: self.op("math.powf", a, one()),
            lambda: self.op("mulf", *[self.op("math.sqrt", a)] * 2),
            lambda: self.op("minimumf", a, one()),
            lambda: self.op("maximumf", self.constant(0.0, a.type), a),
        )

    def sigmoid(self, x: Term, exact: bool = False) -> Term:
        """`exact`: relative errors matter, which sums with one make large."""
        one = lambda: self.constant(1.0, x.type)  # noqa: E731
        exp = lambda x: self.op("math.exp", x)  # noqa: E731

        def of_positive():
            e = exp(x)
            return self.op("divf", e, self.op("addf", one(), e))

        ways = [
            lambda: self.op("pattern.sigmoid", x),
            lambda: self.op("divf", one(), self.op("addf", one(), exp(self.op("negf", x)))),
            of_positive,
            lambda: exp(self.op("negf", self.op("pattern.softplus", self.op("negf", x)))),
            lambda: exp(self.op("negf", self.op("math.log1p", exp(self.op("negf", x))))),
        ]
        half = lambda: self.constant(0.5, x.type)  # noqa: E731
        if not exact:
            ways += [
                lambda: self.op("subf", one(), self.op("pattern.sigmoid", self.op("negf", x))),
                lambda: self.op(
                    "mulf", half(), self.op("addf", one(), self.op("math.tanh", self.op("mulf", x, half())))
                ),
            ]
        return self.choose(*ways)
