"""What layers carry from call to call."""

import torch

from linmu.rules import state_file
from linmu.rules.places import error

__all__ = ["Cache"]

_OWNER = "linmu.nn"


class Cache:
    """The walk of a model's layers: for each `layer_idx` its states by name, [sequences, ...] each, as tensors that nothing
    writes to again. `save(path)` keeps it in a safetensors file, `Cache.load(path, device)` goes on from there;
    `snapshot()` and `roll_back(snapshot)` cost no copies."""

    def __init__(self):
        self.layers: dict[int, dict[str, torch.Tensor]] = {}

    def snapshot(self) -> dict:
        return dict(self.layers)

    def roll_back(self, snapshot: dict) -> None:
        self.layers = dict(snapshot)

    def positions(self, layer_idx: int = 0) -> torch.Tensor | None:
        """How many tokens that layer has walked, int32 [sequences]; None before the first."""
        layer = self.layers.get(layer_idx)
        return None if layer is None else layer["positions"]

    def save(self, path) -> None:
        """Writes the states to a file, which is there whole or not at all."""
        tensors = {
            f"layers.{index}.{name}": x for index, layer in self.layers.items() for name, x in layer.items()
        }
        if not tensors:
            raise error(
                "Cache.save: expected a cache that a layer has walked with; there is nothing to keep before"
            )
        state_file.save(
            path, tensors, {"rule": _OWNER, "tokens": str(int(self.positions(min(self.layers)).sum()))}
        )

    @staticmethod
    def load(path, device="cpu") -> "Cache":
        stored, metadata = state_file.load(path)
        if metadata.get("rule") != _OWNER:
            raise error(f"{path}: expected the cache of layers, got a walk of rule {metadata.get('rule')}")
        types = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16, "i32": torch.int32}
        cache = Cache()
        for key, tensor in stored.items():
            _, index, name = key.split(".", 2)
            memory = torch.empty(tensor.shape, dtype=types[tensor.dtype])
            cache.layers.setdefault(int(index), {})[name] = tensor.tensor(memory).to(device)
        return cache
