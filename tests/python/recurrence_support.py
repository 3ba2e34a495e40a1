"""The patterns of tests/recurrences, their operands, and the fp64 loop over the steps of recurrence_oracles.py."""

import functools
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import linmu
from recurrence_oracles import RECURRENCES

FOLDER = Path(__file__).resolve().parents[1] / "recurrences"
BATCH = 2


def path_of(name: str) -> Path:
    return FOLDER / f"{name}.mlir"


@functools.cache
def kernel_of(name: str, **schedule: str) -> linmu.Kernel:
    return linmu.compile(path_of(name), schedule=schedule)


def is_token(shape) -> bool:
    return len(shape) > 1 and shape[1] == "N"


def operands_of(name: str, tokens: int) -> dict[str, np.ndarray]:
    """f32 inputs by name, standard normal but for what the recurrence says."""
    special, random = RECURRENCES[name].operands, np.random.default_rng(3)
    result = {}
    for operand, dtype, shape in kernel_of(name).inputs:
        assert dtype == "f32"
        values = random.normal(size=[{"B": BATCH, "N": tokens}.get(e, e) for e in shape])
        result[operand] = special.get(operand, lambda x: x)(values).astype(np.float32)
    return result


def loop(name: str, operands: dict[str, np.ndarray]):
    """The output [B, N, H, ...], and the states after 0, 1, ... N tokens, each as a list by name."""
    recurrence, inputs = RECURRENCES[name], kernel_of(name).inputs
    exact = {key: value.astype(np.float64) for key, value in operands.items()}
    shapes = {key: shape for key, _, shape in inputs}
    tails = {state: state.removesuffix("_tail") for state in recurrence.states if state.endswith("_tail")}
    states = [exact[f"{state}0"] for state in recurrence.states if state not in tails]
    heads = states[0].shape[1]
    sequences, before = {}, {}
    for key, shape in shapes.items():
        if is_token(shape):
            tail = exact.get(f"{key}_tail0", np.zeros((BATCH, 0, *exact[key].shape[2:])))
            before[key] = tail.shape[1]
            sequences[key] = np.concatenate([tail, exact[key]], axis=1)
    # Query heads share the key heads, in groups.
    spread = {key: np.repeat(x, heads // x.shape[2], axis=2) for key, x in sequences.items()}
    params = {key: exact[key] for key, shape in shapes.items() if shape[0] != "B"}
    tokens = next(operands[key].shape[1] for key in sequences)

    def carried(t):
        ends = {state: sequences[key][:, t : t + before[key]] for state, key in tails.items()}
        recurrent = iter(states)
        return [ends[state] if state in ends else next(recurrent) for state in recurrence.states]

    outputs, trajectory = [], [carried(0)]
    for t in range(tokens):

        def past(key, distance, t=t):
            return spread[key][:, before[key] + t - distance]

        x = SimpleNamespace(**{key: past(key, 0) for key in spread}, **params, past=past)
        output, *states = recurrence.step(x, *states)
        outputs.append(output)
        trajectory.append(carried(t + 1))
    return np.stack(outputs, axis=1), trajectory


def run(
    name: str, operands: dict[str, np.ndarray], begin: int, end: int, states: list | None = None, **schedule
):
    """The kernel on tokens [begin, end), from the operands' states or from those given."""
    given = {}
    for key, _, shape in kernel_of(name).inputs:
        given[key] = operands[key][:, begin:end] if is_token(shape) else operands[key]
    if states is not None:
        given |= {f"{state}0": value for state, value in zip(RECURRENCES[name].states, states, strict=True)}
    output, *states = kernel_of(name, **schedule)(**given)
    return output, states


def worst_error(actual: np.ndarray, expected: np.ndarray, head_axis: int) -> float:
    """The error of the worst token and head, relative to the head's root mean square."""
    assert actual.shape == expected.shape
    if expected.size == 0:
        return 0.0
    features = tuple(range(head_axis + 1, expected.ndim))
    others = tuple(axis for axis in range(expected.ndim) if axis != head_axis)
    scale = np.sqrt(np.mean(expected**2, axis=others, keepdims=True))
    error = np.sqrt(np.mean((actual - expected) ** 2, axis=features, keepdims=True)) / scale
    return float(np.nan_to_num(error, nan=np.inf).max())


def worst_of(name: str, output, states, expected_output, expected_states) -> float:
    errors = [worst_error(output, expected_output, 2)]
    for state, actual, expected in zip(RECURRENCES[name].states, states, expected_states, strict=True):
        errors.append(worst_error(actual, expected, 2 if state.endswith("_tail") else 1))
    return max(errors)
