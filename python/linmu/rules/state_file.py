"""Carried tensors in a safetensors file: https://github.com/huggingface/safetensors#format."""

import ctypes
import json
import os
import struct

from linmu.files import read_bytes
from linmu.rules import binding
from linmu.rules.places import error

__all__ = ["load", "save"]

_STORED = {"f32": "F32", "bf16": "BF16", "f16": "F16", "i32": "I32", "i1": "BOOL"}
_SIZES = {"F32": 4, "BF16": 2, "F16": 2, "I32": 4, "BOOL": 1}
_LARGEST_HEADER = 100 << 20  # as the format says


def _address(tensor) -> int:
    return tensor.data_ptr() if hasattr(tensor, "data_ptr") else tensor.ctypes.data


def save(path, tensors: dict, metadata: dict) -> None:
    """Writes contiguous tensors of torch or numpy beside the file, and then in its place."""
    header, parts, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        dtype = _STORED[binding.dtype_of(tensor, name)]
        data = _bytes_of(tensor, dtype)
        header[name] = {"dtype": dtype, "shape": [int(n) for n in tensor.shape],
                        "data_offsets": [offset, offset + len(data)]}  # fmt: skip
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path = os.fspath(path)
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _bytes_of(tensor, dtype: str) -> bytes:
    if getattr(tensor, "is_cuda", False):
        tensor = tensor.cpu()
    contiguous = tensor.contiguous() if hasattr(tensor, "contiguous") else tensor.copy(order="C")
    count = _SIZES[dtype]
    for extent in tensor.shape:
        count *= int(extent)
    return ctypes.string_at(_address(contiguous), count)


class Stored:
    """A tensor of a file."""

    __slots__ = ("data", "dtype", "shape")

    def __init__(self, dtype: str, shape: tuple, data: bytes):
        self.dtype, self.shape, self.data = dtype, shape, data

    def tensor(self, memory):
        """`memory`, a tensor of that type and shape, with what was stored."""
        if getattr(memory, "is_cuda", False):
            return memory.copy_(self.tensor(memory.new_empty(memory.shape, device="cpu")))
        ctypes.memmove(_address(memory), self.data, len(self.data))
        return memory


def load(path) -> tuple[dict[str, Stored], dict]:
    """The tensors by name, and the metadata. A file that is no such file is an error that says why."""
    content = read_bytes(path)
    try:
        (length,) = struct.unpack_from("<Q", content)
        if length > min(_LARGEST_HEADER, len(content) - 8):
            raise ValueError(f"a header of {length} bytes in a file of {len(content)}")
        header = json.loads(content[8 : 8 + length].decode())
        metadata = header.pop("__metadata__", {})
        types = {stored: dtype for dtype, stored in _STORED.items()}
        stored, data = {}, memoryview(content)[8 + length :]
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            count = _SIZES[entry["dtype"]]
            for extent in entry["shape"]:
                count *= extent
            if not 0 <= begin <= end <= len(data) or end - begin != count:
                raise ValueError(
                    f"{name} of {entry['dtype']} {entry['shape']} at bytes {begin} to {end} of {len(data)}"
                )
            stored[name] = Stored(types[entry["dtype"]], tuple(entry["shape"]), bytes(data[begin:end]))
        int(metadata["tokens"])
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as reason:
        raise error(
            f"{os.fspath(path)}: expected a walk that a decoder saved, got what is none: {reason}"
        ) from None
    return stored, metadata
