"""What the tensors of a call say: the sizes that letters stand for, and element types."""

from linmu.rules.places import error

__all__ = ["bind", "dtype_of", "ordered"]

_TYPES = {
    "float32": "f32",
    "bfloat16": "bf16",
    "float16": "f16",
    "int32": "i32",
    "bool": "i1",
}  # as torch and numpy call them


def dtype_of(tensor, who: str) -> str:
    name = str(getattr(tensor, "dtype", "")).rsplit(".", 1)[-1]
    if name not in _TYPES:
        got = name or type(tensor).__name__
        raise error(f"{who}: expected a torch tensor or numpy array of {', '.join(_TYPES)}, got {got}")
    return _TYPES[name]


def ordered(name: str, parameters, arguments: tuple, named: dict) -> tuple[list, dict]:
    """The tensors of a call in the order of the rule's operands, and its constants by name."""
    names = [parameter.name for parameter in parameters]
    if len(arguments) > len(names):
        raise error(f"rule {name} takes {len(names)} arguments, {', '.join(names)}; got {len(arguments)}")
    given = dict(zip(names, arguments))
    for key, argument in named.items():
        if key not in names or key in given:
            problem = "twice" if key in given else "which it has not"
            raise error(f"rule {name} got argument '{key}' {problem}; it takes {', '.join(names)}, each once")
        given[key] = argument
    missing = [p.name for p in parameters if p.annotation is not None and p.name not in given]
    if missing:
        raise error(f"rule {name} lacks {', '.join(missing)}; it takes {', '.join(names)}")
    tensors = [given[p.name] for p in parameters if p.annotation is not None]
    constants = {p.name: given.get(p.name, p.default) for p in parameters if p.annotation is None}
    return tensors, constants


def bind(name: str, parameters, tensors: list) -> tuple[dict, dict]:
    """Sizes by letter and element types by operand. Each letter has one size."""
    sizes: dict = {}
    first: dict = {}
    dtypes = {}
    operands = [parameter for parameter in parameters if parameter.annotation is not None]
    for parameter, tensor in zip(operands, tensors):
        annotation, who = parameter.annotation, f"rule {name}: {parameter.name}"
        dtype = dtypes[parameter.name] = dtype_of(tensor, who)
        shape = tuple(tensor.shape)
        if dtype not in annotation.dtypes:
            raise error(f"{who}, {annotation!r}: expected elements of type {' or '.join(annotation.dtypes)}, got {dtype} "
                        f"{list(shape)}")  # fmt: skip
        wanted = annotation.form(sizes)
        open_axes = len(annotation.open_axes)
        if len(shape) != open_axes + len(annotation.axes):
            raise error(f"{who}, {annotation!r}: expected the axes {wanted}, got shape {list(shape)}")
        for axis, extent in zip(annotation.axes, shape[open_axes:]):
            extent = int(extent)  # where torch.compile has a symbol, each size is compiled for itself
            expected = sizes.setdefault(axis, extent) if isinstance(axis, str) else axis
            if extent != expected:
                origin = f"; {axis} is {expected} in {first[axis]}" if isinstance(axis, str) else ""
                raise error(
                    f"{who}, {annotation!r}: expected the axes {wanted}, got shape {list(shape)}{origin}"
                )
            if extent < 1:
                raise error(
                    f"{who}, {annotation!r}: expected positive extents of {wanted}, got shape {list(shape)}"
                )
            if isinstance(axis, str):
                first.setdefault(axis, parameter.name)
    return sizes, dtypes
