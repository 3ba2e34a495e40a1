"""rule.check: what a rule computes against its definition in fp64, whole and in parts."""

import _linmu
import numpy

from linmu.rules import host
from linmu.rules.places import error

__all__ = ["Check", "check"]

# Sums in f32 over some hundred tokens; the rounding of results, twice.
_TOLERANCES = {"f32": 1e-4, "bf16": 2**-7, "f16": 2**-10}


class Row:
    """One comparison: of `what` (forward, decode), the result's name, the worst error and its bound."""

    __slots__ = ("bound", "error", "result", "what")

    def __init__(self, what, result, error, bound):
        self.what, self.result, self.error, self.bound = what, result, error, bound

    @property
    def ok(self) -> bool:
        return self.error <= self.bound


class Check:
    """The comparisons of a rule, printed as a table. True where all hold."""

    def __init__(self, rule_name: str, header: str, rows: list[Row], notes: list[str]):
        self.rule_name, self.header, self.rows, self.notes = rule_name, header, rows, notes

    def __bool__(self) -> bool:
        return all(row.ok for row in self.rows)

    def __str__(self) -> str:
        lines = [f"rule {self.rule_name}: {self.header}", f"{'':10}{'result':16}{'error':>12}{'bound':>12}"]
        for row in self.rows:
            verdict = "ok" if row.ok else "WRONG"
            lines.append(f"{row.what:10}{row.result:16}{row.error:12.2e}{row.bound:12.2e}  {verdict}")
        return "\n".join(lines + self.notes)

    __repr__ = __str__


def error_of(actual, expected) -> float:
    """The largest difference, relative to the number or, where that is small, to the root mean square of all;
    infinite where only one of the two is a number, none where both are the same infinity or no numbers."""
    actual, expected = host.doubles(actual), host.doubles(expected)
    if actual.shape != expected.shape:
        return float("inf")
    if not expected.size:
        return 0.0
    finite = numpy.isfinite(expected)
    same = numpy.where(
        finite, numpy.isfinite(actual), (actual == expected) | (numpy.isnan(actual) & numpy.isnan(expected))
    )
    if not same.all():
        return float("inf")
    actual, expected = actual[finite], expected[finite]
    scale = numpy.sqrt(numpy.mean(expected**2)) if expected.size else 0.0
    difference = numpy.abs(actual - expected)
    return float((difference / numpy.maximum(numpy.abs(expected), scale or 1.0)).max(initial=0.0))


def interpreted(traced, operands: list, dtypes: list) -> list[numpy.ndarray]:
    """The results of the definition in fp64."""
    inputs = []
    for operand, dtype in zip(operands, dtypes):
        array = host.doubles(operand)
        inputs.append((dtype, list(array.shape), array.reshape(-1)))
    results = _linmu.interpret(traced.located, traced.function, inputs)
    return [numpy.frombuffer(data, numpy.float64).reshape(shape) for shape, data in results]


def check(rule, tokens: int, batch: int, dtype: str, seed: int, tolerance, target: str, given: dict) -> Check:
    """See Rule.check."""
    letters = rule.letters()
    sizes, operands_given = host.split(rule, given)
    sizes, dtypes, constants = rule.sized(sizes, dtype)
    operands = host.random_operands(rule, sizes, dtypes, batch, tokens, seed, operands_given)
    sizes, dtypes, constants = rule.specialised(operands, constants)
    traced = rule.traced(sizes, dtypes, constants)
    expected = interpreted(traced, operands, list(dtypes.values()))
    operands = host.placed(operands, target)
    actual = rule.compiled(sizes, dtypes, constants, target=target)(*operands)
    actual = actual if isinstance(actual, tuple) else (actual,)
    rows = []
    for outer, got, wanted in zip(traced.results, actual, expected):
        bound = _TOLERANCES[outer.dtype] if outer.dtype in _TOLERANCES else 0.0
        rows.append(Row("forward", outer.name, error_of(got, wanted), tolerance or bound))
    notes = []
    try:
        rows += _decoded(rule, traced, operands, constants, expected, tolerance, target)
    except _linmu.PatternError as refused:
        notes.append(f"decode    not checked: {str(refused).rsplit('error: ', 1)[-1]}")
    notes.append("gradient  not checked")
    shown = ", ".join(f"{letter} = {sizes[letter]}" for letter in letters)
    size = f"{tokens} tokens of {batch} sequences" if rule.table is not None else f"{batch} x {tokens} tokens"
    return Check(rule.__name__, f"{size}, {shown}, {dtype}, seed {seed}", rows, notes)


def _parts(length: int) -> list[range]:
    """A walk of that length as parts: most of it at once, then 1 to 8 tokens a time."""
    parts, begin, step = [], 0, max(1, length - 36)
    while begin < length:
        parts.append(range(begin, min(length, begin + step)))
        step = 1 if begin == 0 else min(8, step + 1)
        begin = parts[-1].stop
    return parts


def _cut(tokens: int, table) -> list[tuple]:
    """The tokens of each call of a decoder, and the call's own table where the batch is ragged."""
    if table is None:
        return [(numpy.array(part), None) for part in _parts(tokens)]
    begins, ends = table[:-1], table[1:]
    calls = []
    for part in _parts(int((ends - begins).max())):
        of_each = [numpy.arange(min(a + part.start, b), min(a + part.stop, b)) for a, b in zip(begins, ends)]
        lengths = [len(own) for own in of_each]
        calls.append((numpy.concatenate(of_each), numpy.cumsum([0, *lengths]).astype(numpy.int32)))
    return calls


def _decoded(
    rule, traced, operands: list, constants: dict, expected: list, tolerance, target: str
) -> list[Row]:
    """The same walk in parts of some tokens, then of 1 to 8, of each sequence."""
    parameters = [parameter for parameter in rule.parameters if parameter.annotation]
    tokens = next(x.shape[1] for p, x in zip(parameters, operands) if p.annotation.kind == "tokens")
    kinds = {p.name: p.annotation.kind for p in parameters}
    by_name = {p.name: x for p, x in zip(parameters, operands)}
    fixed = {name: x for name, x in by_name.items() if kinds[name] not in ("tokens", "sequences")}
    decoder = rule.decode(target=target, **fixed, **constants)
    moving = {name: x for name, x in by_name.items() if kinds[name] == "tokens"}
    parts, places = [], []
    for where, table in _cut(
        tokens, None if rule.table is None else host.doubles(by_name[rule.table]).astype(int)
    ):
        call = {name: host.taken(x, where) for name, x in moving.items()}
        if table is not None:
            call[rule.table] = host.placed([table], target)[0]
        out = decoder.extend(**call)
        parts.append([host.doubles(x) for x in (out if isinstance(out, tuple) else (out,))])
        places.append(where)
    back = numpy.argsort(numpy.concatenate(places))
    rows, index = [], 0
    for outer, wanted in zip(traced.results, expected):
        bound = tolerance or _TOLERANCES.get(outer.dtype, 0.0)
        if outer.kind != "tokens":
            got = decoder.carried_result(outer.name)
        else:
            got = numpy.concatenate([part[index] for part in parts], axis=1)[:, back]
            index += 1
        rows.append(Row("decode", outer.name, error_of(got, wanted), bound))
    return rows


def require_numbers(**numbers) -> None:
    for name, value in numbers.items():
        if not isinstance(value, int) or value < 1:
            raise error(f"{name}: expected a positive integer, got {value!r}")
