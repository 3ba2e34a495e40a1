"""Arrays for checks and benches: random operands of a rule, and its results as doubles.

numpy makes them, and torch those of bf16, which numpy lacks.
"""

import numpy

from linmu.rules.places import error

__all__ = ["doubles", "placed", "random_operands", "split", "taken"]

_HEADS, _FEATURES = 2, 16


def split(rule, given: dict) -> tuple[dict, dict]:
    """The sizes and the operands among what a check or bench is given: integers are sizes."""
    names = {parameter.name for parameter in rule.parameters if parameter.annotation}
    operands = {name: value for name, value in given.items() if name in names and not isinstance(value, int)}
    return sizes_of(rule, {name: value for name, value in given.items() if name not in operands}), operands


def sizes_of(rule, given: dict) -> dict:
    """A size for each letter: those given, else 2 for heads and 16 for features."""
    letters = rule.letters()
    if unknown := [name for name in given if name not in letters]:
        raise error(
            f"rule {rule.__name__}: expected sizes among {', '.join(letters) or 'none'}, got {unknown[0]}"
        )
    heads, tails = set(), set()
    for parameter in rule.parameters:
        if parameter.annotation and parameter.annotation.axes:
            axes = parameter.annotation.axes
            is_tail = parameter.annotation.kind == "tail"
            heads.update(axes[1:2] if is_tail else axes[:1])
            tails.update(axes[:1] if is_tail else ())
    default = {
        letter: 1 if letter in tails else _HEADS if letter in heads else _FEATURES for letter in letters
    }
    return default | given


def _media_items(tokens: int) -> numpy.ndarray:
    """One item of two frames, as wide as the tokens allow."""
    width = max(1, int((tokens // 2) ** 0.5))
    return numpy.array([[0, 2, width, width]], numpy.int32)


def random_operands(rule, sizes: dict, dtypes: dict, batch: int, tokens: int, seed: int, given: dict) -> list:
    """Operands in their order: standard normal floats, segments of some ten tokens, masks of three in four,
    orders, one media item; of a ragged rule, `batch` sequences in `tokens` tokens. `given` replaces some: arrays, or
    functions of the random array."""
    random = numpy.random.default_rng(seed)
    operands = []
    ragged = rule.table is not None
    for parameter in rule.parameters:
        annotation = parameter.annotation
        if annotation is None:
            continue
        axes = [sizes.get(axis, axis) for axis in annotation.axes]
        rows = 1 if ragged and annotation.kind == "tokens" else batch
        open_axes = {"batch": rows, "tokens": tokens, "items": 1, "sequences + 1": batch + 1}
        shape = [open_axes[axis] for axis in annotation.open_axes] + axes
        dtype = dtypes[parameter.name]
        if annotation.kind == "media":
            array = _media_items(tokens)
        elif annotation.kind == "sequences":
            cuts = numpy.sort(random.integers(0, tokens + 1, batch - 1))
            array = numpy.array([0, *cuts, tokens], numpy.int32)
        elif dtype == "i1":
            array = random.random(shape) < 0.75
        elif dtype == "i32":
            array = numpy.cumsum(random.random(shape) < 0.1, axis=-1 if len(shape) == 2 else 1).astype(
                numpy.int32
            )
        else:
            array = random.standard_normal(shape).astype(numpy.float32)
        replacement = given.get(parameter.name)
        if replacement is not None:
            array = replacement(array) if callable(replacement) else replacement
        operands.append(_stored(array, dtype))
    return operands


def _stored(array, dtype: str):
    if hasattr(array, "detach"):
        return array
    if dtype == "bf16":
        import torch

        return torch.from_numpy(numpy.ascontiguousarray(array, numpy.float32)).to(torch.bfloat16)
    types = {"f32": numpy.float32, "f16": numpy.float16, "i32": numpy.int32, "i1": numpy.bool_}
    return numpy.ascontiguousarray(array).astype(types[dtype])


def doubles(tensor) -> numpy.ndarray:
    """The numbers of a tensor, exactly."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().double().cpu().numpy()
    return numpy.ascontiguousarray(tensor, numpy.float64)


def taken(tensor, tokens: numpy.ndarray):
    """Those tokens of a tensor of all, side by side."""
    if not hasattr(tensor, "detach"):
        return numpy.take(tensor, tokens, axis=1)
    import torch

    return tensor.index_select(1, torch.from_numpy(tokens).to(tensor.device))


def placed(operands: list, target: str) -> list:
    """The operands where kernels of a target take them: torch tensors on the GPU for "cuda", else as they are."""
    if not target.startswith("cuda"):
        return operands
    import torch

    return [(x if hasattr(x, "detach") else torch.from_numpy(x)).cuda() for x in operands]
