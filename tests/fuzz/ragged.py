"""Ragged batches: the operands of several sequences as those of one call, and its results as theirs."""

import torch

from operands import random_operands
from recurrence import Recurrence


def random_sequences(form: Recurrence, lengths: list[int], rng) -> list[dict]:
    """Operands of sequences, each in a batch of its own."""
    sequences = [random_operands(form, length, rng) for length in lengths]
    for operands in sequences:
        operands.update({name: sequences[0][name] for name in form.params})
    return sequences


def joined(form: Recurrence, sequences: list[dict]) -> dict:
    """The operands of a ragged batch of them."""
    first = next(iter(form.tokens))
    table = torch.tensor([0, *(operands[first].shape[1] for operands in sequences)]).cumsum(0).int()
    states = {f"{state.name}0" for state in form.states}
    batch = {}
    for name in sequences[0]:
        parts = [operands[name] for operands in sequences]
        if name == "order":
            parts = [part + begin for part, begin in zip(parts, table)]
        if name in form.params:
            batch[name] = parts[0]
        else:
            batch[name] = torch.cat(parts, dim=0 if name.endswith("tail") or name in states else 1)
    return {**batch, "cu": table}


def alone(results: dict[str, torch.Tensor], table: torch.Tensor, number: int) -> dict[str, torch.Tensor]:
    """The results of one sequence."""
    begin, end = int(table[number]), int(table[number + 1])
    return {
        name: result[:, begin:end] if name[0] == "o" else result[number : number + 1]
        for name, result in results.items()
    }
