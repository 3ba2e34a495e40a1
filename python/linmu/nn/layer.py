"""What the layers share: one call of a rule whose states and tails a cache carries."""

import torch
from torch import nn

from linmu.nn.cache import Cache

__all__ = ["Layer", "heads_of"]


def heads_of(x: torch.Tensor, size: int) -> torch.Tensor:
    """[batch, tokens, features] as [batch, tokens, heads, size]."""
    return x.unflatten(-1, (-1, size))


class Layer(nn.Module):
    """A layer that maps [batch, tokens, hidden_size] to the same, and walks along the tokens.

    `forward(x, cache, cu_seqlens)` goes on from `cache`, whose states it replaces; without one it starts at zero. With
    `cu_seqlens` ([sequences + 1], integers) the batch is 1 and holds sequences one after the other. Several layers that
    share a cache have a `layer_idx` each.
    """

    def __init__(self, hidden_size: int, layer_idx: int | None = None):
        super().__init__()
        self.hidden_size, self.layer_idx = hidden_size, layer_idx

    def walk(
        self, rule, tokens: list, params: list, states: dict, cache: Cache | None, cu_seqlens, **constants
    ):
        """The rule's output. `states` are the shapes, without the sequences, and element types of what it carries."""
        count = tokens[0].shape[0] if cu_seqlens is None else cu_seqlens.shape[0] - 1
        carried = self._carried(cache, states, count, tokens[0].device)
        table = None if cu_seqlens is None else cu_seqlens.to(torch.int32)
        params = [x.detach() for x in params]
        out, *ends = rule(*tokens, *params, *carried, sequences=table, **constants)
        if cache is not None:
            lengths = tokens[0].shape[1] if table is None else table.diff()
            positions = self.positions(cache, count, tokens[0].device) + lengths
            cache.layers[self.layer_idx or 0] = dict(zip(states, ends), positions=positions.to(torch.int32))
        return out

    def positions(self, cache: Cache | None, count: int, device) -> torch.Tensor:
        """How many tokens were walked before, [sequences]."""
        before = None if cache is None else cache.positions(self.layer_idx or 0)
        return torch.zeros(count, dtype=torch.int32, device=device) if before is None else before

    def _carried(self, cache, states: dict, count: int, device) -> list:
        known = None if cache is None else cache.layers.get(self.layer_idx or 0)
        if known is None:
            return [
                torch.zeros((1,) * len(shape) + shape[-1:], dtype=dtype, device=device).expand(count, *shape)
                for shape, dtype in states.values()
            ]
        if any(name not in known for name in states):
            raise ValueError(
                f"{type(self).__name__}: expected a cache of its states {', '.join(states)}, got one of {', '.join(known)}; "
                "give each layer of a model its layer_idx"
            )
        for name, (shape, dtype) in states.items():
            if tuple(known[name].shape) != (count, *shape) or known[name].dtype != dtype:
                raise ValueError(
                    f"{type(self).__name__}: expected a cache with {name} of {dtype} {[count, *shape]}, got "
                    f"{known[name].dtype} {list(known[name].shape)}"
                )
        return [known[name] for name in states]

    def check(self, x: torch.Tensor, cu_seqlens) -> None:
        """Refuses what a layer does not take."""
        name = type(self).__name__
        if x.dim() != 3 or x.shape[-1] != self.hidden_size:
            raise ValueError(
                f"{name}: expected x of [batch, tokens, {self.hidden_size}], got {list(x.shape)}"
            )
        if cu_seqlens is not None and x.shape[0] != 1:
            raise ValueError(f"{name}: expected a batch of 1 beside cu_seqlens, got {x.shape[0]}")
        if torch.is_grad_enabled() and (x.requires_grad or any(p.requires_grad for p in self.parameters())):
            raise NotImplementedError(
                f"{name} has no gradients yet: call it under torch.no_grad() or torch.inference_mode(), or "
                "layer.requires_grad_(False)"
            )
