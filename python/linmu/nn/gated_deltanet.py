"""Gated DeltaNet: https://arxiv.org/abs/2412.06464, with the names of fla.layers.GatedDeltaNet."""

import math

import torch
from torch import nn

from linmu.gallery.common import unit
from linmu.nn.layer import Layer, heads_of
from linmu.nn.parts import RMSNorm, ShortConvolution, normalised, short_convolution, silu
from linmu.rules import Param, State, Tail, Tokens, exp, outer, pattern, scan, sigmoid, softplus

__all__ = ["GatedDeltaNet"]


@pattern
def mix(
    q: Tokens["G", "K"], k: Tokens["G", "K"], v: Tokens["H", "V"], a: Tokens["H"], b: Tokens["H"], z: Tokens["H", "V"],
    q_w0: Param["G", "K"], q_w1: Param["G", "K"], q_w2: Param["G", "K"], q_w3: Param["G", "K"], q_bias: Param["G", "K"],
    k_w0: Param["G", "K"], k_w1: Param["G", "K"], k_w2: Param["G", "K"], k_w3: Param["G", "K"], k_bias: Param["G", "K"],
    v_w0: Param["H", "V"], v_w1: Param["H", "V"], v_w2: Param["H", "V"], v_w3: Param["H", "V"], v_bias: Param["H", "V"],
    A_log: Param["H"], dt_bias: Param["H"], weight: Param[1, "V"],
    s0: State["H", "K", "V"], q0: Tail[3, "G", "K"], k0: Tail[3, "G", "K"], v0: Tail[3, "H", "V"],
    eps=1e-5, strength=1.0, gated=True,
):  # fmt: skip
    q, q1 = short_convolution(q, q_w0, q_w1, q_w2, q_w3, q_bias, q0)
    k, k1 = short_convolution(k, k_w0, k_w1, k_w2, k_w3, k_bias, k0)
    v, v1 = short_convolution(v, v_w0, v_w1, v_w2, v_w3, v_bias, v0)

    @scan(S=s0)
    def step(S, q, k, v, a, b, z):
        q, k = unit(q) * len(q) ** -0.5, unit(k)
        S = exp(-(exp(A_log) * softplus(a + dt_bias))) * S
        S = S + outer(k, strength * sigmoid(b) * (v - k @ S))
        o = normalised(q @ S, weight, eps)
        return S, o * silu(z) if gated else o

    return step(q, k, v, a, b, z), step.S, q1, k1, v1


class GatedDeltaNet(Layer):
    """Queries, keys and values of short convolutions, the gated delta rule, a norm and a gate. `num_v_heads` is a multiple
    of `num_heads`; with `allow_neg_eigval` writes are twice as strong."""

    def __init__(self, hidden_size: int = 2048, expand_v: float = 2, head_dim: int = 256, num_heads: int = 6,
                 num_v_heads: int | None = None, use_gate: bool = True, allow_neg_eigval: bool = False, conv_size: int = 4,
                 conv_bias: bool = False, layer_idx: int | None = None, norm_eps: float = 1e-5):  # fmt: skip
        super().__init__(hidden_size, layer_idx)
        self.num_heads, self.num_v_heads = num_heads, num_v_heads or num_heads
        if self.num_v_heads % num_heads:
            raise ValueError(
                f"GatedDeltaNet: expected num_v_heads to be a multiple of {num_heads}, got {num_v_heads}"
            )
        self.head_k_dim, self.head_v_dim = head_dim, round(head_dim * expand_v)
        self.use_gate, self.allow_neg_eigval = use_gate, allow_neg_eigval
        key_dim, value_dim = num_heads * head_dim, self.num_v_heads * self.head_v_dim
        self.q_proj, self.k_proj = (nn.Linear(hidden_size, key_dim, bias=False) for _ in range(2))
        self.v_proj = nn.Linear(hidden_size, value_dim, bias=False)
        self.a_proj, self.b_proj = (nn.Linear(hidden_size, self.num_v_heads, bias=False) for _ in range(2))
        self.A_log = nn.Parameter(torch.empty(self.num_v_heads).uniform_(1e-3, 16).log())
        dt = torch.exp(torch.empty(self.num_v_heads).uniform_(math.log(1e-3), math.log(0.1))).clamp(min=1e-4)
        self.dt_bias = nn.Parameter(dt + torch.log(-torch.expm1(-dt)))  # softplus of it is dt
        self.q_conv1d, self.k_conv1d = (ShortConvolution(key_dim, conv_size, conv_bias) for _ in range(2))
        self.v_conv1d = ShortConvolution(value_dim, conv_size, conv_bias)
        if use_gate:
            self.g_proj = nn.Linear(hidden_size, value_dim, bias=False)
        self.o_norm = RMSNorm(self.head_v_dim, norm_eps)
        self.o_proj = nn.Linear(value_dim, hidden_size, bias=False)

    def forward(self, x: torch.Tensor, cache=None, cu_seqlens: torch.Tensor | None = None) -> torch.Tensor:
        self.check(x, cu_seqlens)
        keys, values, heads = self.head_k_dim, self.head_v_dim, self.num_v_heads
        v = heads_of(self.v_proj(x), values)
        tokens = [heads_of(self.q_proj(x), keys), heads_of(self.k_proj(x), keys), v, self.a_proj(x), self.b_proj(x),
                  heads_of(self.g_proj(x), values) if self.use_gate else v]  # fmt: skip
        params = [*self.q_conv1d.taps(keys), *self.k_conv1d.taps(keys), *self.v_conv1d.taps(values), self.A_log,
                  self.dt_bias, self.o_norm.weight[None]]  # fmt: skip
        of_keys, of_values = ((3, self.num_heads, keys), v.dtype), ((3, heads, values), v.dtype)
        states = {"recurrent_state": ((heads, keys, values), torch.float32), "conv_state_q": of_keys,
                  "conv_state_k": of_keys, "conv_state_v": of_values}  # fmt: skip
        o = self.walk(mix, tokens, params, states, cache, cu_seqlens, eps=self.o_norm.eps,
                      strength=2.0 if self.allow_neg_eigval else 1.0, gated=self.use_gate)  # fmt: skip
        return self.o_proj(o.flatten(2))
