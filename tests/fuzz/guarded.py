"""Operands as callers may hold them: against unreadable pages, inside a fused tensor, with NaN past the end."""

import ctypes
import mmap

import torch

PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)


class Guarded:
    """Copies of tensors, alternately with their first byte after a guard page and their last before one: an
    access past either end ends the process. `alignment`, in bytes, is that of every address and of the strides in
    fused tensors; the last byte then stands as near to the page as it allows."""

    def __init__(self, alignment: int = 1):
        self._maps = []
        self._alignment = alignment

    def copy(self, tensor: torch.Tensor) -> torch.Tensor:
        size = tensor.numel() * tensor.element_size()
        pages = max(1, (size + PAGE - 1) // PAGE)
        area = mmap.mmap(-1, (pages + 2) * PAGE)
        base = ctypes.addressof(ctypes.c_char.from_buffer(area))
        for guard in (base, base + (pages + 1) * PAGE):
            if libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(PAGE), 0) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")
        last = PAGE + (pages * PAGE - size) // self._alignment * self._alignment
        first = PAGE if len(self._maps) % 2 else last
        self._maps.append(area)
        if size == 0:
            return tensor.clone()
        flat = torch.frombuffer(area, dtype=tensor.dtype, count=tensor.numel(), offset=first)
        result = flat.view(tensor.shape)
        result.copy_(tensor)
        return result

    def past_the_end(self, tensor: torch.Tensor) -> torch.Tensor:
        """A view of a tensor with three tokens more, which hold NaN."""
        padded = torch.full(
            (len(tensor), tensor.shape[1] + 3, *tensor.shape[2:]), float("nan"), dtype=tensor.dtype
        )
        padded[:, : tensor.shape[1]] = tensor
        return padded[:, : tensor.shape[1]]

    def fused(self, tensors: list[torch.Tensor], rng) -> list[torch.Tensor]:
        """Views [B, N, H, ...] of one tensor [B, N, features], as a projection makes them all; NaN between them."""
        places, width = [], 0
        unit = max(1, self._alignment // tensors[0].element_size())

        def aligned(elements: int) -> int:
            return -(-elements // unit) * unit

        for tensor in tensors:
            width = aligned(width + int(rng.integers(0, 5)))
            places.append(width)
            width += tensor[0, 0].numel() if tensor.numel() else 0
        width = aligned(width)
        batch, tokens = tensors[0].shape[:2]
        whole = self.copy(torch.full((batch, tokens, width), float("nan"), dtype=tensors[0].dtype))
        views = []
        for tensor, place in zip(tensors, places):
            if tensor.numel() == 0:
                views.append(tensor)
                continue
            view = whole[:, :, place : place + tensor[0, 0].numel()].unflatten(2, tensor.shape[2:])
            view.copy_(tensor)
            views.append(view)
        return views

    def like_callers(
        self, tensors: dict[str, torch.Tensor], tokens: set[str], rng
    ) -> dict[str, torch.Tensor]:
        """Each tensor in one of the ways; a third of `tokens` inside fused tensors, those of one type in one."""
        result = {}
        groups: dict[tuple, list[str]] = {}
        for name, tensor in tensors.items():
            way = rng.random()
            floats = tensor.is_floating_point()
            if name in tokens and tensor.dim() > 2 and floats and way < 0.4:
                groups.setdefault((tensor.dtype, len(tensor)), []).append(name)
            elif name in tokens and floats and way < 0.6:
                result[name] = self.past_the_end(tensor)
            else:
                result[name] = self.copy(tensor)
        for names in groups.values():
            result.update(zip(names, self.fused([tensors[name] for name in names], rng)))
        return result
