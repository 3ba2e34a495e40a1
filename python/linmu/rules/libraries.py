"""torch and numpy as makers of tensors: whichever the tensors of a call come from, on their device."""

import importlib

from linmu.rules.places import error

__all__ = ["device_of", "library_of", "may_be_remembered", "model_of", "target_of", "type_in"]

_NAMES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16", "i32": "int32", "i1": "bool"}
_CUDA = 2  # as DLPack numbers devices


def library_of(tensor):
    """The module torch or numpy."""
    name = type(tensor).__module__.split(".")[0]
    return importlib.import_module("torch" if name == "torch" else "numpy")


def target_of(tensor) -> str:
    """What a kernel for tensors beside this one is compiled for: "cuda" or "cpu"."""
    is_cuda = getattr(tensor, "is_cuda", None)
    if is_cuda is None:
        if hasattr(tensor, "__dlpack_device__"):
            is_cuda = tensor.__dlpack_device__()[0] == _CUDA
        else:
            is_cuda = hasattr(tensor, "__cuda_array_interface__")
    return "cuda" if is_cuda else "cpu"


def device_of(tensor):
    """torch's device of a tensor on CUDA, else None."""
    return tensor.device if getattr(tensor, "is_cuda", False) else None


def may_be_remembered(tensor) -> bool:
    """Whether its library makes results beside it and says by itself which stream it is on."""
    return target_of(tensor) == "cpu" or (
        getattr(tensor, "is_cuda", False) and hasattr(type(tensor), "__dlpack_c_exchange_api__")
    )


def type_in(library, dtype: str):
    """The element type of that name; an error where the library has none."""
    name = "bool_" if dtype == "i1" and library.__name__ == "numpy" else _NAMES[dtype]
    if not hasattr(library, name):
        raise error(
            f"{library.__name__} has no elements of type {dtype}; call with torch tensors, or give out="
        )
    return getattr(library, name)


def model_of(library, shape: tuple, dtype, device=None):
    """What tensors of that shape and type are like, without memory: empty_like makes them faster than empty.
    `device` is torch's, None for the CPU."""
    dtype = type_in(library, dtype) if isinstance(dtype, str) else dtype
    where = {} if device is None else {"device": device}
    if 0 in shape:  # of no elements, strides would be those of the view
        return library.empty(shape, dtype=dtype, **where)
    scalar = library.empty((), dtype=dtype, **where)
    return scalar.expand(shape) if hasattr(scalar, "expand") else library.broadcast_to(scalar, shape)
