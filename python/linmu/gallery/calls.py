"""The functions of the gallery: their arguments as fla-core 0.6 has them, and the call of the rule behind them."""

__all__ = ["check_options", "initial", "scaled", "walk"]

# What fla's functions take for the way they run, which changes no result.
_HINTS = {
    "chunk_size",
    "chunk_indices",
    "cu_seqlens_cpu",
    "disable_recompute",
    "safe_gate",
    "checkpoint_level",
}


def check_options(function: str, options: dict) -> None:
    """Refuses what a function does not support, and what it does not know. None, False and hints pass."""
    for name, value in options.items():
        if name in _HINTS or value is None or value is False:
            continue
        if name == "head_first":
            raise ValueError(
                f"{function}: expected head_first=False, tensors of [batch, tokens, heads, features]; got {value!r}: "
                "transpose(1, 2) them"
            )
        raise NotImplementedError(f"{function} does not support {name}; leave it out, got {name}={value!r}")


def scaled(scale, keys) -> float:
    """The scale of the scores: as given, else one over the root of the keys' features."""
    return keys.shape[-1] ** -0.5 if scale is None else float(scale)


def initial(function: str, name: str, given, shape: tuple, like):
    """A state of [sequences, ...] in f32: as given, else zeros."""
    import torch

    if given is None:
        return torch.zeros(
            (1,) * (len(shape) - 1) + shape[-1:], dtype=torch.float32, device=like.device
        ).expand(shape)
    if tuple(given.shape) != tuple(shape):
        raise ValueError(f"{function}: expected {name} of shape {list(shape)}, got {list(given.shape)}")
    given = given.float()
    return given if given.shape[-1] == 1 or given.stride(-1) == 1 else given.contiguous()


def _ready(function: str, name: str, tensor):
    """A tensor that a rule takes, its last axis contiguous."""
    import torch

    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{function}: expected {name} to be a torch tensor, got {type(tensor).__name__}")
    return tensor if tensor.shape[-1] == 1 or tensor.stride(-1) == 1 else tensor.contiguous()


def walk(function: str, rule, operands: dict, states: dict, cu_seqlens=None, output_final_state=False,
         state_v_first=False, **constants):  # fmt: skip
    """The output of a rule, and its final state, a tuple of several, or None.

    `operands` are the rule's operands before the states, by the names of the function's arguments, those of tokens
    first; `states` by such names what each starts at, or None, and its shape without the batch. With `cu_seqlens`
    ([sequences + 1], any integers) the batch is 1 and holds sequences one after the other. With `state_v_first`
    matrices of states are given and returned as [V, K].
    """
    import torch

    tensors = [_ready(function, name, tensor) for name, tensor in operands.items()]
    count = tensors[0].shape[0]
    if cu_seqlens is not None:
        if count != 1:
            raise ValueError(f"{function}: expected a batch of 1 beside cu_seqlens, got {count}; put the sequences one "
                             "after the other")  # fmt: skip
        cu_seqlens = cu_seqlens.to(torch.int32)
        count = cu_seqlens.shape[0] - 1
    for name, (given, shape) in states.items():
        if given is not None:
            given = _ready(function, name, given)
            given = given.transpose(-1, -2) if state_v_first else given
        tensors.append(initial(function, name, given, (count, *shape), tensors[0]))
    out, *finals = rule(*tensors, sequences=cu_seqlens, **constants)
    if not output_final_state:
        return out, None
    if state_v_first:
        finals = [x.transpose(-1, -2).contiguous() for x in finals]
    return out, finals[0] if len(finals) == 1 else tuple(finals)
