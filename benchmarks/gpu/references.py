"""What a row computes, in fp64 and token by token, on a few of its heads; and how far a result is from it."""

import torch
from rows import SHIFT, WINDOW, Row

# Of bf16 operands: the worst token and head, and the whole tensor.
WORST, WHOLE = 2e-2, 5e-3


def heads_of(row: Row) -> list[int]:
    """Those that are checked: the first and the last."""
    return sorted({0, row.heads - 1})


def _loop(q, k, v, a, b=None, state=None):
    """One head of each sequence [B, N, D]: decays `a` [B, N, 1 or D] by row; all in fp64."""
    batch, tokens, size = q.shape
    if state is None:
        state = q.new_zeros(batch, size, v.shape[-1])
    outputs = []
    for t in range(tokens):
        state = a[:, t, :, None] * state
        written = v[:, t]
        if b is not None:
            written = b[:, t] * (written - torch.bmm(k[:, None, t], state)[:, 0])
        state = torch.baddbmm(state, k[:, t, :, None], written[:, None])
        outputs.append(torch.bmm(q[:, None, t], state)[:, 0])
    return torch.stack(outputs, 1)


def _scan(row: Row, x: dict, head: int, logarithms: str = "g", reverse: bool = False):
    key = head * x["k"].shape[2] // x["q"].shape[2]
    q, k, v = (x[name][:, :, at].double() for name, at in (("q", head), ("k", key), ("v", key)))
    a = x[logarithms][:, :, head].double().exp()
    a = a if row.kind == "row" else a[..., None]
    b = x["b"][:, :, head, None].double() if row.kind == "delta" else None
    state = x["s0"][:, head].double() if row.step else None
    walked = [z for z in (q, k, v, a, b) if z is not None]
    if row.lengths:  # each a batch of its own
        cuts = x["cu"].tolist()
        parts = [_loop(*(z[:, i:j] for z in walked)) for i, j in zip(cuts, cuts[1:])]
        return torch.cat(parts, 1)
    if row.ordered:
        order = x["i"][0].long()
        outputs = torch.empty_like(v)
        outputs[:, order] = _loop(*(z[:, order] for z in walked))
        return outputs
    if reverse:
        return _loop(*(z.flip(1) for z in walked)).flip(1)
    return _loop(q, k, v, a, b, state)


def gradients(row: Row, x: dict[str, torch.Tensor], cotangent: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of each operand, [B, N, checked heads, ...], by autograd of the loops."""
    parts: dict[str, list] = {name: [] for name in x}
    for head in heads_of(row):
        with torch.enable_grad():
            own = {name: value[:, :, head : head + 1].double().requires_grad_() for name, value in x.items()}
            total = (_output(row, own, 0) * cotangent[:, :, head].double()).sum()
            found = torch.autograd.grad(total, list(own.values()))
        for name, gradient in zip(own, found, strict=True):
            parts[name].append(gradient)
    return {name: torch.cat(each, 2) for name, each in parts.items()}


def _output(row: Row, x: dict, head: int) -> torch.Tensor:
    if row.kind == "window":
        return _windows(row, x, head)
    if row.kind == "both":
        forward, backward = _scan(row, x, head), _scan(row, x, head, "h", reverse=True)
        return backward + x["c"][:, :, head, None].double() * (forward - backward)
    return _scan(row, x, head)


def partition(x: torch.Tensor, row: Row) -> torch.Tensor:
    """[1, N, H, D] in shifted windows: [windows, tokens, H, D]."""
    t, h, w = row.grid()
    wt, wh, ww = WINDOW
    x = x.view(t, h, w, *x.shape[2:]).roll([-s for s in SHIFT], (0, 1, 2))
    x = x.view(t // wt, wt, h // wh, wh, w // ww, ww, *x.shape[3:])
    return x.permute(0, 2, 4, 1, 3, 5, 6, 7).reshape(-1, wt * wh * ww, *x.shape[6:])


def unpartition(x: torch.Tensor, row: Row) -> torch.Tensor:
    t, h, w = row.grid()
    wt, wh, ww = WINDOW
    x = x.view(t // wt, h // wh, w // ww, wt, wh, ww, *x.shape[2:]).permute(0, 3, 1, 4, 2, 5, 6, 7)
    return x.reshape(t, h, w, *x.shape[6:]).roll(SHIFT, (0, 1, 2)).reshape(1, t * h * w, *x.shape[6:])


def regions(row: Row, device: str) -> torch.Tensor:
    """[windows, tokens]: tokens that the shift has brought together from both ends see their own side only."""
    code = torch.zeros(row.grid(), dtype=torch.int32, device=device)
    for axis, (extent, shift) in enumerate(zip(row.grid(), SHIFT, strict=True)):
        shape = [1, 1, 1]
        shape[axis] = -1
        code = code * 2 + (torch.arange(extent, device=device) < shift).int().view(shape)
    return partition(code.reshape(1, -1, 1, 1), row)[..., 0, 0]


def _windows(row: Row, x: dict, head: int):
    q, k, v = (partition(x[name][:, :, head : head + 1].double(), row)[:, :, 0] for name in "qkv")
    region = regions(row, q.device)
    scores = torch.bmm(q, k.transpose(1, 2)) * row.size**-0.5
    scores = scores.masked_fill(region[:, :, None] != region[:, None, :], -torch.inf)
    return unpartition(torch.bmm(scores.softmax(-1), v)[:, :, None], row)[:, :, 0]


def reference(row: Row, x: dict[str, torch.Tensor]) -> torch.Tensor:
    """[B, N, checked heads, D]."""
    return torch.stack([_output(row, x, head) for head in heads_of(row)], 2)


def errors(output: torch.Tensor, expected: torch.Tensor, row: Row) -> tuple[float, float]:
    """Of the worst token and head, relative to the head's root mean square; and of all of it."""
    difference = output[:, :, heads_of(row)].double() - expected
    scale = expected.square().mean((0, 1, 3), keepdim=True).sqrt()
    worst = (difference.square().mean(-1, keepdim=True).sqrt() / scale).max().item()
    return worst, (difference.norm() / expected.norm()).item()


def errors_of_gradients(found: dict, expected: dict, row: Row) -> tuple[float, float]:
    """The largest of all gradients. What is one number a token may be near zero beside the others, and a decay's gradient
    is a sum over a state: there a third of the worst error counts, and half of that in all."""
    worst = whole = 0.0
    for name, exact in expected.items():
        vectors = exact.dim() == 4
        of_all = found[name].reshape(*found[name].shape[:3], -1)
        token, tensor = errors(of_all, exact.reshape(*exact.shape[:3], -1), row)
        worst = max(worst, token if vectors else token / 3)
        whole = max(whole, tensor / 2 if name in ("g", "h") else tensor)
    return worst, whole


def fault(worst: float, whole: float) -> str | None:
    """NaN is one."""
    if worst < WORST and whole < WHOLE:
        return None
    return f"error {worst:.1e} of the worst token and head (< {WORST}), {whole:.1e} in all (< {WHOLE})"
