"""Values that are not finite: where they are put, where a walk may take them, and what they must leave alone.

They may reach their own token and later ones of the walk, of their head and until all states restart with a new
segment; never an output that is masked. A NaN that the loop does not select away must come out as one.
"""

import numpy as np
import torch

from comparison import Mismatch
from loop import Loop
from recurrence import Recurrence


def poisoned(form: Recurrence, operands: dict[str, torch.Tensor], rng) -> tuple[dict[str, torch.Tensor], str]:
    """The operands with up to three elements of tokens, tails and states replaced, and by what: "nan" or "inf"."""
    # A decay that is promised to lie in a range keeps its promise.
    promised = {
        state.decay.token for state in form.states if state.decay.source in ("direct", "log", "product")
    }
    names = [name for name in form.tokens if name != form.skip and name not in promised]
    names += [f"{name}tail" for name in names if form.tokens[name].tail]
    names += [f"{state.name}0" for state in form.states if state.initial]
    names = [name for name in names if operands[name].numel() and operands[name].is_floating_point()]
    result, kind = dict(operands), str(rng.choice(["nan", "inf"]))
    for name in rng.choice(names, int(rng.integers(1, 4))) if names else []:
        result[name] = result[name].clone()
        place = tuple(int(rng.integers(extent)) for extent in result[name].shape)
        result[name][place] = float("nan") if kind == "nan" else float(rng.choice([-np.inf, np.inf]))
    return result, kind


class Reach:
    """What the loop gives of poisoned operands, and how far they may reach into each result."""

    def __init__(self, form: Recurrence, operands: dict[str, torch.Tensor], kind: str):
        self.kind = kind
        with np.errstate(all="ignore"):
            loop = Loop(form, operands)
            self.exact = loop.run()
        used = np.zeros((form.batch, loop.length, form.heads), bool)
        for values in loop.steps.values():
            used |= ~np.isfinite(values).all(axis=-1)
        held = np.zeros((form.batch, form.heads), bool)
        for state in form.states:
            if state.initial:
                initial = loop.batched(loop.exact[f"{state.name}0"])
                held |= ~np.isfinite(initial).all(axis=tuple(range(2, initial.ndim)))
        outputs = np.zeros_like(used)
        rows = np.arange(form.batch)
        for step in range(loop.length):
            if form.segmented:
                held = held & (loop.ids[:, step + 1] == loop.ids[:, step])[:, None]
            held = held | used[:, step]
            outputs[rows, loop.walk[:, step]] = held
        if form.output_masked:
            outputs &= loop.batched(loop.exact["live"])[..., None] != 0
        self.reached = {}
        for name, values in self.exact.items():
            if name.endswith("tail"):
                self.reached[name] = ~np.isfinite(values)
            else:
                some = outputs if name[0] == "o" else held
                self.reached[name] = np.broadcast_to(
                    some.reshape(some.shape + (1,) * (values.ndim - some.ndim)), values.shape
                )

    def clean(self, actual: dict[str, torch.Tensor], expected: dict[str, np.ndarray], what: str) -> dict:
        """`actual` where nothing may reach, and `expected`, that of operands without poison, elsewhere."""
        result = {}
        for name, tensor in actual.items():
            if self.kind == "nan":
                lost = np.isnan(self.exact[name]) & np.isfinite(tensor.double().numpy())
                if lost.any():
                    place = tuple(int(i) for i in np.argwhere(lost)[0])
                    raise Mismatch(f"{what}: '{name}' is {tensor[place]} at {place}, expected NaN")
            usual = torch.from_numpy(np.ascontiguousarray(expected[name])).to(tensor.dtype)
            result[name] = torch.where(torch.from_numpy(self.reached[name].copy()), usual, tensor)
        return result

    def expected(self, usual: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What `clean` is compared with: results without poison, but tails with what else the tokens hold."""
        return {
            name: np.where(self.reached[name], usual[name], self.exact[name])
            if name.endswith("tail")
            else values
            for name, values in usual.items()
        }
