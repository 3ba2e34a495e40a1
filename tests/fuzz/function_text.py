"""A recurrence as the text of a pattern."""

from algebra import Term
from recurrence import Recurrence
from step_text import StepText


def function_text(form: Recurrence, rng) -> tuple[str, set[str]]:
    """The pattern, and line:column of the ops that may be said to make it opaque."""
    step = StepText(form, rng)
    arguments, tokens = [], []

    def argument(name: str, type: str) -> str:
        arguments.append(f"%{name}: {type}")
        return f"%{name}"

    params = [f"%{p.name}t = {argument(p.name, p.type)} : {p.type}" for p in form.params.values()]
    for token in form.tokens.values():
        operand = argument(token.name, token.type)
        if token.tail:
            tail = argument(f"{token.name}tail", token.tail_type)
            tokens.append(f"%{token.name}t = {operand} tail {tail} : {token.type}, {token.tail_type}")
        else:
            tokens.append(f"%{token.name}t = {operand} : {token.type}")
    states, finals = [], []
    for state in form.states:
        extents_text = "x".join(["?", str(form.heads), *map(str, state.shape), "f32"])
        type = f"tensor<{extents_text}>"
        start = argument(f"{state.name}0", type) if state.initial else "zero"
        states.append(f"%{state.name} = {start} : {type}")
        finals.append(type)
    outputs = []
    for output in form.outputs:
        sizes = [str(n) for n in (form.heads, output.features) if n]
        outputs.append(f"tensor<{'x'.join(['?', '?', *sizes, form.storage])}>")
    results = [*outputs, *finals, *(t.tail_type for t in form.tokens.values() if t.tail)]
    results += ["tensor<?x1xi32>"] if form.segments_tail else []
    names = ", ".join(f"%r{i}" for i in range(len(results)))
    clauses = []
    if form.ordered:
        clauses.append(f"order({argument('order', 'tensor<?x?xi32>')} : tensor<?x?xi32>)")
    if form.ragged:
        clauses.append(f"sequences({argument('cu', 'tensor<?xi32>')} : tensor<?xi32>)")
    if form.segmented:
        ids, types = argument("segments", "tensor<?x?xi32>"), "tensor<?x?xi32>"
        if form.segments_tail:
            ids += f" tail {argument('segmentstail', 'tensor<?x1xi32>')}"
            types += ", tensor<?x1xi32>"
        clauses.append(f"segments({ids} : {types})")
    if form.source_masked:
        masked = ", ".join(f"%{t.name}t" for t in form.tokens.values() if t.masked)
        operand = argument("mask", "tensor<?x?xi1>")
        clauses.append(f"source_mask({operand} : tensor<?x?xi1>) zeroes({masked})")
    if form.output_masked:
        clauses.append(f"output_mask({argument('live', 'tensor<?x?xi1>')} : tensor<?x?xi1>)")

    def listed(terms: list[Term]) -> str:
        return f"{', '.join(t.name for t in terms)} : {', '.join(t.type for t in terms)}"

    head = [
        f"func.func @cell({', '.join(arguments)}) -> ({', '.join(results)}) {{",
        f"  {names} = pattern.scan{' reverse' if form.reverse else ''}",
        *([f"      params({', '.join(params)})"] if params else []),
        f"      tokens({', '.join(tokens)})",
        f"      states({', '.join(states)})",
        *(f"      {clause}" for clause in clauses),
        f"      -> ({', '.join(outputs)}) {{",
    ]
    lines = [
        *head,
        *step.lines,
        f"    pattern.yield outputs({listed(step.outputs)}) states({listed(step.next)})",
        "  }",
        f"  return {names} : {', '.join(results)}",
        "}",
    ]
    culprits = [len(head) + index for index in step.culprits] or [1]
    places = {f"{at + 1}:{lines[at].index(' = ') + 4}" for at in culprits}
    return "\n".join(lines) + "\n", places
