"""Multi-scale retention (RetNet): https://arxiv.org/abs/2307.08621, with the names of fla.layers.MultiScaleRetention."""

import torch
from torch import nn

from linmu.gallery.common import decay
from linmu.nn.layer import Layer, heads_of
from linmu.nn.parts import RMSNorm, normalised, silu
from linmu.rules import Param, State, Tokens, outer, pattern, scan

__all__ = ["MultiScaleRetention"]


@pattern
def mix(
    q: Tokens["H", "K"], k: Tokens["G", "K"], v: Tokens["G", "V"], z: Tokens["H", "V"], g: Param["H"],
    weight: Param[1, "V"], s0: State["H", "K", "V"], eps=1e-5,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, z):
        S = decay(g) * S + outer(k, v)
        return S, normalised(len(q) ** -0.5 * (q @ S), weight, eps) * silu(z)

    return step(q, k, v, z), step.S


class MultiScaleRetention(Layer):
    """Queries and keys turned by their positions, retention with a decay of 1 - 2^(-5 - h) in head h, a norm and a gate."""

    def __init__(self, hidden_size: int = 1024, expand_k: float = 1.0, expand_v: float = 2.0, num_heads: int = 8,
                 num_kv_heads: int | None = None, norm_eps: float = 1e-5, rotary_base: float = 10000.0,
                 layer_idx: int | None = None):  # fmt: skip
        super().__init__(hidden_size, layer_idx)
        self.num_heads, self.num_kv_heads = num_heads, num_kv_heads or num_heads
        key_dim, value_dim = round(hidden_size * expand_k), round(hidden_size * expand_v)
        if key_dim % (2 * num_heads) or value_dim % num_heads or num_heads % self.num_kv_heads:
            raise ValueError(f"MultiScaleRetention: expected num_heads to divide {key_dim // 2} and {value_dim}, and "
                             f"num_kv_heads to divide it, got {num_heads} and {num_kv_heads}")  # fmt: skip
        self.head_k_dim, self.head_v_dim = key_dim // num_heads, value_dim // num_heads
        self.q_proj = nn.Linear(hidden_size, key_dim, bias=False)
        self.k_proj = nn.Linear(hidden_size, self.num_kv_heads * self.head_k_dim, bias=False)
        self.v_proj = nn.Linear(hidden_size, self.num_kv_heads * self.head_v_dim, bias=False)
        self.g_proj = nn.Linear(hidden_size, value_dim, bias=False)
        self.o_proj = nn.Linear(value_dim, hidden_size, bias=False)
        self.g_norm_swish_gate = RMSNorm(self.head_v_dim, norm_eps)
        frequencies = rotary_base ** -(
            torch.arange(0, self.head_k_dim, 2, dtype=torch.float64) / self.head_k_dim
        )
        decays = torch.log1p(-(2.0 ** (-5.0 - torch.arange(num_heads, dtype=torch.float64))))
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.register_buffer("decays", decays.float(), persistent=False)

    def angles(self, tokens: int, cache, cu_seqlens, count: int) -> torch.Tensor:
        """Of each token's position in its sequence, f64 [batch, tokens, 1, K / 2]."""
        device = self.frequencies.device
        before = self.positions(cache, count, device).to(torch.float64)
        if cu_seqlens is None:
            positions = before[:, None] + torch.arange(tokens, dtype=torch.float64, device=device)
        else:
            first = torch.repeat_interleave(before - cu_seqlens[:-1], cu_seqlens.diff().to(torch.int64))
            positions = (first + torch.arange(tokens, dtype=torch.float64, device=device))[None]
        return (positions[..., None] * self.frequencies)[:, :, None]

    def forward(self, x: torch.Tensor, cache=None, cu_seqlens: torch.Tensor | None = None) -> torch.Tensor:
        self.check(x, cu_seqlens)
        keys, values = self.head_k_dim, self.head_v_dim
        count = x.shape[0] if cu_seqlens is None else cu_seqlens.shape[0] - 1
        angles = self.angles(x.shape[1], cache, cu_seqlens, count)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        q, k = (turned(heads_of(part(x), keys), cos, sin) for part in (self.q_proj, self.k_proj))
        v, z = (heads_of(part(x), values) for part in (self.v_proj, self.g_proj))
        states = {"recurrent_state": ((self.num_heads, keys, values), torch.float32)}
        params = [self.decays, self.g_norm_swish_gate.weight[None]]
        o = self.walk(mix, [q, k, v, z], params, states, cache, cu_seqlens, eps=self.g_norm_swish_gate.eps)
        return self.o_proj(o.flatten(2))


def turned(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """The first half of the features as real parts, the second as imaginary ones."""
    re, im = x.chunk(2, dim=-1)
    return torch.cat([re * cos - im * sin, im * cos + re * sin], dim=-1)
