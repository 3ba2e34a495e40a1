"""Published recurrences as their authors write them: explained, and equal to their equations in fp64."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest

import linmu
from recurrence_oracles import RECURRENCES
from recurrence_support import FOLDER, kernel_of, loop, operands_of, path_of, run, worst_of

NAMES = sorted(RECURRENCES)
# Whose states need all value columns of what an earlier state read; whose states have no such columns.
COUPLED, WITHOUT_COLUMNS = {"gated_slots"}, {"longhorn", "lru", "mingru", "s4d_real"}
TOKENS = 257


# Whose states are computed together: what a segment of tokens does to them is not carried.
MIXED = {"gateloop", "lru", "momentum", "titans"}


def tolerance(name: str) -> float:
    """Rounding of sums in f32; a solve, or a loop whose state feeds back, amplifies it."""
    return 1e-4 if RECURRENCES[name].feedback else 2e-5


def report(source) -> dict:
    (op,) = json.loads(linmu.explain(source, json=True))["ops"]
    return op


def place(source: Path, text: str) -> str:
    """FILE:line:column of the only occurrence of a text."""
    lines = source.read_text().split("\n")
    ((line, column),) = [
        (i, row.find(text)) for i, row in enumerate(lines, 1) if text in row and not row.startswith("//")
    ]
    return f"{source}:{line}:{column + 1}"


@functools.cache
def reference(name: str):
    operands = operands_of(name, TOKENS)
    return operands, *loop(name, operands)


def test_every_pattern_of_the_folder_has_its_equations():
    assert sorted(path.stem for path in FOLDER.glob("*.mlir")) == NAMES


NUMBERS = ["lru", "mingru"]  # states of one number each


@pytest.mark.parametrize("name", NUMBERS)
def test_states_of_numbers_take_less_one_token_at_a_time_and_may_be_chunked(name):
    op = report(path_of(name))
    assert op["algorithm"] == "recurrent" and op["normal_form"] and "plain numbers" in op["reason"]
    chunked = linmu.compile(path_of(name), schedule={"algorithm": "chunked"})
    assert chunked.algorithm(TOKENS).startswith("chunked(chunk=")


@pytest.mark.parametrize("name", [n for n in NAMES if RECURRENCES[n].chunked and n not in NUMBERS])
def test_an_affine_recurrence_is_explained_as_chunked(name):
    op = report(path_of(name))
    assert op["algorithm"].startswith("chunked(chunk=") and op["normal_form"]
    assert any(state["feedback_terms"] for state in op["states"]) == RECURRENCES[name].feedback
    text = linmu.explain(path_of(name))
    assert "-> chunked(chunk=" in text and "opaque" not in text
    assert ("feedback (a triangular solve)" in text) == RECURRENCES[name].feedback
    assert kernel_of(name).algorithm(TOKENS) == op["algorithm"]


@pytest.mark.parametrize("name", [name for name in NAMES if not RECURRENCES[name].chunked])
def test_any_other_is_explained_as_recurrent_with_the_op_that_stands_in_the_way(name):
    op, (culprit, words) = report(path_of(name)), RECURRENCES[name].opaque
    assert op["algorithm"] == "recurrent" and not op["normal_form"]
    where = place(path_of(name), culprit)
    assert op["opaque"]["location"] == where
    assert op["opaque"]["reason"].endswith(words)
    text = linmu.explain(path_of(name))
    assert f"opaque at {where}: {op['opaque']['reason']}\n" in text
    assert kernel_of(name).algorithm(TOKENS) == "recurrent"


@pytest.mark.parametrize("name", NAMES)
def test_the_compiled_recurrence_equals_its_equations(name):
    operands, output, trajectory = reference(name)
    for tokens in (0, 1, 17, 64, 65, TOKENS):
        actual, states = run(name, operands, 0, tokens)
        error = worst_of(name, actual, states, output[:, :tokens], trajectory[tokens])
        assert error < tolerance(name), f"{tokens} tokens"


# What a schedule may force on an affine recurrence, and how the algorithm then begins.
FORCED = {
    "recurrent": {"algorithm": "recurrent"},
    "chunked(chunk=16)": {"algorithm": "chunked", "chunk": "16"},
    "chunked(chunk=32": {"algorithm": "chunked", "chunk": "32", "columns": "3"},
    "two_kernels(chunk=16)": {"algorithm": "two_kernels", "chunk": "16"},
    "segmented(chunk=16, segments=3)": {"algorithm": "segmented", "chunk": "16", "segments": "3"},
}


@pytest.mark.parametrize("algorithm", FORCED)
@pytest.mark.parametrize("name", [name for name in NAMES if RECURRENCES[name].chunked])
def test_every_algorithm_that_a_schedule_forces_on_it_equals_the_equations(name, algorithm):
    split = "columns" in FORCED[algorithm]
    if split and name in COUPLED:
        with pytest.raises(linmu.PatternError, match="needs all value columns at once"):
            kernel_of(name, **FORCED[algorithm])
        return
    if algorithm.startswith("segmented") and name in MIXED:
        with pytest.raises(linmu.PatternError, match="cannot run segmented .* its states are coupled"):
            kernel_of(name, **FORCED[algorithm])
        return
    runs = kernel_of(name, **FORCED[algorithm]).algorithm(TOKENS)
    assert runs.startswith(algorithm)
    assert ("columns=3" in runs) == (split and name not in WITHOUT_COLUMNS)
    operands, output, trajectory = reference(name)
    for tokens in (0, 1, 17, TOKENS):
        actual, states = run(name, operands, 0, tokens, **FORCED[algorithm])
        error = worst_of(name, actual, states, output[:, :tokens], trajectory[tokens])
        assert error < tolerance(name), f"{tokens} tokens"


@pytest.mark.parametrize("algorithm", ["chunked", "two_kernels", "segmented"])
@pytest.mark.parametrize("name", [name for name in NAMES if not RECURRENCES[name].chunked])
def test_an_algorithm_that_does_not_apply_is_refused_with_the_op_that_stands_in_the_way(name, algorithm):
    with pytest.raises(linmu.PatternError, match=f"cannot run {algorithm} as the schedule says") as refused:
        kernel_of(name, algorithm=algorithm)
    assert place(path_of(name), RECURRENCES[name].opaque[0]) in str(refused.value)


@pytest.mark.parametrize("name", NAMES)
def test_one_token_calls_after_a_prefill_equal_one_longer_prefill(name):
    operands, output, trajectory = reference(name)
    steps = 6
    prefill = TOKENS - steps
    first, states = run(name, operands, 0, prefill)
    parts = [first]
    for token in range(prefill, TOKENS):
        part, states = run(name, operands, token, token + 1, states)
        parts.append(part)
    joined = np.concatenate(parts, axis=1)
    whole, last = run(name, operands, 0, TOKENS)
    for expected_output, expected_states in ((whole, last), (output, trajectory[TOKENS])):
        error = worst_of(name, joined, states, expected_output, expected_states)
        assert error < tolerance(name)
    assert [state.nbytes for state in states] == [state.nbytes for state in last]
