"""Gated linear attention: https://arxiv.org/abs/2312.06635, with the names of fla.layers.GatedLinearAttention."""

import torch
from torch import nn

from linmu.nn.layer import Layer, heads_of
from linmu.nn.parts import RMSNorm, ShortConvolution, normalised, short_convolution, silu
from linmu.rules import Param, State, Tail, Tokens, outer, pattern, scan, sigmoid

__all__ = ["GatedLinearAttention"]


@pattern
def mix(
    q: Tokens["H", "K"], k: Tokens["G", "K"], v: Tokens["G", "V"], f: Tokens["G", "K"], z: Tokens["H", "V"],
    weight: Param[1, "V"], s0: State["H", "K", "V"], eps=1e-5, root=16.0,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, f, z):
        S = (sigmoid(f) ** (1 / root))[:, None] * S + outer(k, v)
        return S, normalised(len(q) ** -0.5 * (q @ S), weight, eps) * silu(z)

    return step(q, k, v, f, z), step.S


@pattern
def convolved_mix(
    q: Tokens["H", "K"], k: Tokens["G", "K"], v: Tokens["G", "V"], f: Tokens["G", "K"], z: Tokens["H", "V"],
    q_w0: Param["H", "K"], q_w1: Param["H", "K"], q_w2: Param["H", "K"], q_w3: Param["H", "K"], q_bias: Param["H", "K"],
    k_w0: Param["G", "K"], k_w1: Param["G", "K"], k_w2: Param["G", "K"], k_w3: Param["G", "K"], k_bias: Param["G", "K"],
    v_w0: Param["G", "V"], v_w1: Param["G", "V"], v_w2: Param["G", "V"], v_w3: Param["G", "V"], v_bias: Param["G", "V"],
    weight: Param[1, "V"], s0: State["H", "K", "V"], q0: Tail[3, "H", "K"], k0: Tail[3, "G", "K"], v0: Tail[3, "G", "V"],
    eps=1e-5, root=16.0,
):  # fmt: skip
    q, q1 = short_convolution(q, q_w0, q_w1, q_w2, q_w3, q_bias, q0)
    k, k1 = short_convolution(k, k_w0, k_w1, k_w2, k_w3, k_bias, k0)
    v, v1 = short_convolution(v, v_w0, v_w1, v_w2, v_w3, v_bias, v0)
    o, end = mix(q, k, v, f, z, weight, s0, eps=eps, root=root)
    return o, end, q1, k1, v1


class GatedLinearAttention(Layer):
    """Queries, keys and values, with `use_short_conv` of short convolutions, a gate for each key's feature from a
    projection of low rank, the rule, a norm and a gate."""

    def __init__(self, hidden_size: int = 1024, expand_k: float = 0.5, expand_v: float = 1.0, num_heads: int = 4,
                 num_kv_heads: int | None = None, use_short_conv: bool = False, conv_size: int = 4, conv_bias: bool = False,
                 norm_eps: float = 1e-5, gate_logit_normalizer: float = 16, gate_low_rank_dim: int = 16,
                 layer_idx: int | None = None):  # fmt: skip
        super().__init__(hidden_size, layer_idx)
        self.num_heads, self.num_kv_heads = num_heads, num_kv_heads or num_heads
        key_dim, value_dim = round(hidden_size * expand_k), round(hidden_size * expand_v)
        if key_dim % num_heads or value_dim % num_heads or num_heads % self.num_kv_heads:
            raise ValueError(f"GatedLinearAttention: expected num_heads to divide {key_dim} and {value_dim}, and num_kv_heads "
                             f"to divide it, got {num_heads} and {num_kv_heads}")  # fmt: skip
        self.head_k_dim, self.head_v_dim = key_dim // num_heads, value_dim // num_heads
        own_keys, own_values = self.num_kv_heads * self.head_k_dim, self.num_kv_heads * self.head_v_dim
        self.q_proj = nn.Linear(hidden_size, key_dim, bias=False)
        self.k_proj = nn.Linear(hidden_size, own_keys, bias=False)
        self.v_proj = nn.Linear(hidden_size, own_values, bias=False)
        self.g_proj = nn.Linear(hidden_size, value_dim, bias=False)
        self.use_short_conv = use_short_conv
        if use_short_conv:
            self.q_conv1d = ShortConvolution(key_dim, conv_size, conv_bias)
            self.k_conv1d = ShortConvolution(own_keys, conv_size, conv_bias)
            self.v_conv1d = ShortConvolution(own_values, conv_size, conv_bias)
        self.gk_proj = nn.Sequential(nn.Linear(hidden_size, gate_low_rank_dim, bias=False),
                                     nn.Linear(gate_low_rank_dim, own_keys, bias=True))  # fmt: skip
        self.o_proj = nn.Linear(value_dim, hidden_size, bias=False)
        self.g_norm_swish_gate = RMSNorm(self.head_v_dim, norm_eps)
        self.gate_logit_normalizer = gate_logit_normalizer

    def forward(self, x: torch.Tensor, cache=None, cu_seqlens: torch.Tensor | None = None) -> torch.Tensor:
        self.check(x, cu_seqlens)
        keys, values = self.head_k_dim, self.head_v_dim
        q, k, f = (heads_of(part(x), keys) for part in (self.q_proj, self.k_proj, self.gk_proj))
        v, z = (heads_of(part(x), values) for part in (self.v_proj, self.g_proj))
        states = {"recurrent_state": ((self.num_heads, keys, values), torch.float32)}
        params, rule = [self.g_norm_swish_gate.weight[None]], mix
        if self.use_short_conv:
            rule = convolved_mix
            params = [
                *self.q_conv1d.taps(keys),
                *self.k_conv1d.taps(keys),
                *self.v_conv1d.taps(values),
                *params,
            ]
            states |= {
                f"conv_state_{name}": ((3, *part.shape[2:]), part.dtype)
                for name, part in (("q", q), ("k", k), ("v", v))
            }
        o = self.walk(rule, [q, k, v, f, z], params, states, cache, cu_seqlens, eps=self.g_norm_swish_gate.eps,
                      root=float(self.gate_logit_normalizer))  # fmt: skip
        return self.o_proj(o.flatten(2))
