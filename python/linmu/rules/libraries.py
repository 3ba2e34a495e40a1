"""torch and numpy as makers of tensors: whichever the tensors of a call come from."""

import importlib

from linmu.rules.places import error

__all__ = ["library_of", "model_of", "type_in"]

_NAMES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16", "i32": "int32", "i1": "bool"}


def library_of(tensor):
    """The module torch or numpy."""
    name = type(tensor).__module__.split(".")[0]
    return importlib.import_module("torch" if name == "torch" else "numpy")


def type_in(library, dtype: str):
    """The element type of that name; an error where the library has none."""
    name = "bool_" if dtype == "i1" and library.__name__ == "numpy" else _NAMES[dtype]
    if not hasattr(library, name):
        raise error(
            f"{library.__name__} has no elements of type {dtype}; call with torch tensors, or give out="
        )
    return getattr(library, name)


def model_of(library, shape: tuple, dtype):
    """What tensors of that shape and type are like, without memory: empty_like makes them faster than empty."""
    dtype = type_in(library, dtype) if isinstance(dtype, str) else dtype
    if 0 in shape:  # of no elements, strides would be those of the view
        return library.empty(shape, dtype=dtype)
    scalar = library.empty((), dtype=dtype)
    return scalar.expand(shape) if hasattr(scalar, "expand") else library.broadcast_to(scalar, shape)
