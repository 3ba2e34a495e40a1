"""Mamba-2: https://arxiv.org/abs/2405.21060, with the names of fla.layers.Mamba2."""

import math

import torch
from torch import nn

from linmu.nn.layer import Layer, heads_of
from linmu.nn.parts import RMSNorm, ShortConvolution, short_convolution, silu
from linmu.rules import Param, State, Tail, Tokens, exp, outer, pattern, scan, softplus

__all__ = ["Mamba2"]


@pattern
def mix(
    x: Tokens["H", "P"], B: Tokens["G", "N"], C: Tokens["G", "N"], dt: Tokens["H"], z: Tokens["H", "P"],
    x_w0: Param["H", "P"], x_w1: Param["H", "P"], x_w2: Param["H", "P"], x_w3: Param["H", "P"], x_bias: Param["H", "P"],
    B_w0: Param["G", "N"], B_w1: Param["G", "N"], B_w2: Param["G", "N"], B_w3: Param["G", "N"], B_bias: Param["G", "N"],
    C_w0: Param["G", "N"], C_w1: Param["G", "N"], C_w2: Param["G", "N"], C_w3: Param["G", "N"], C_bias: Param["G", "N"],
    A_log: Param["H"], dt_bias: Param["H"], D: Param["H"], h0: State["H", "P", "N"], x0: Tail[3, "H", "P"],
    B0: Tail[3, "G", "N"], C0: Tail[3, "G", "N"],
):  # fmt: skip
    x, x1 = short_convolution(x, x_w0, x_w1, x_w2, x_w3, x_bias, x0)
    B, B1 = short_convolution(B, B_w0, B_w1, B_w2, B_w3, B_bias, B0)
    C, C1 = short_convolution(C, C_w0, C_w1, C_w2, C_w3, C_bias, C0)

    @scan(H=h0)
    def step(H, x, B, C, dt, z):
        dt = softplus(dt + dt_bias)
        H = exp(-(dt * exp(A_log))) * H + outer(dt * x, B)
        return H, (H @ C + D * x) * silu(z)

    return step(x, B, C, dt, z), step.H, x1, B1, C1


class Mamba2(Layer):
    """One projection to the gate, x, B, C and dt; short convolutions, the state space, a gate and a norm over each group."""

    def __init__(self, hidden_size: int = 2048, head_dim: int = 64, state_size: int = 128, expand: float = 2,
                 n_groups: int = 1, conv_kernel: int = 4, use_conv_bias: bool = True, use_bias: bool = False,
                 norm_eps: float = 1e-5, layer_idx: int | None = None):  # fmt: skip
        super().__init__(hidden_size, layer_idx)
        self.intermediate_size = round(expand * hidden_size)
        self.head_dim, self.state_size, self.n_groups = head_dim, state_size, n_groups
        self.num_heads = self.intermediate_size // head_dim
        if self.intermediate_size % head_dim or self.num_heads % n_groups:
            raise ValueError(f"Mamba2: expected head_dim to divide {self.intermediate_size}, and n_groups the heads, got "
                             f"{head_dim} and {n_groups}")  # fmt: skip
        features = self.intermediate_size + 2 * n_groups * state_size
        self.in_proj = nn.Linear(
            hidden_size, self.intermediate_size + features + self.num_heads, bias=use_bias
        )
        self.conv1d = ShortConvolution(features, conv_kernel, use_conv_bias)
        dt = torch.exp(torch.empty(self.num_heads).uniform_(math.log(1e-3), math.log(0.1))).clamp(min=1e-4)
        self.dt_bias = nn.Parameter(dt + torch.log(-torch.expm1(-dt)))  # softplus of it is dt
        self.A_log = nn.Parameter(torch.empty(self.num_heads).uniform_(1, 16).log())
        self.D = nn.Parameter(torch.ones(self.num_heads))
        self.norm = RMSNorm(self.intermediate_size, norm_eps)
        self.out_proj = nn.Linear(self.intermediate_size, hidden_size, bias=use_bias)

    def taps(self) -> list[torch.Tensor]:
        """Those of x, B and C, which are parts of one convolution."""
        inner, group = self.intermediate_size, self.n_groups * self.state_size
        whole = torch.stack([row.flatten() for row in self.conv1d.taps(1)])
        parts = zip(
            whole.split([inner, group, group], dim=1), (self.head_dim, self.state_size, self.state_size)
        )
        return [row.unflatten(0, (-1, size)) for part, size in parts for row in part]

    def forward(self, x: torch.Tensor, cache=None, cu_seqlens: torch.Tensor | None = None) -> torch.Tensor:
        self.check(x, cu_seqlens)
        inner, group = self.intermediate_size, self.n_groups * self.state_size
        z, x, B, C, dt = self.in_proj(x).split([inner, inner, group, group, self.num_heads], dim=-1)
        x, z, B, C = (heads_of(part, size) for part, size in ((x, self.head_dim), (z, self.head_dim), (B, self.state_size),
                                                              (C, self.state_size)))  # fmt: skip
        states = {"recurrent_state": ((self.num_heads, self.head_dim, self.state_size), torch.float32)}
        states |= {
            f"conv_state_{name}": ((3, *part.shape[2:]), part.dtype)
            for name, part in (("x", x), ("B", B), ("C", C))
        }
        params = [*self.taps(), self.A_log, self.dt_bias, self.D]
        y = self.walk(mix, [x, B, C, dt, z], params, states, cache, cu_seqlens).flatten(2)
        groups = torch.nn.functional.rms_norm(
            heads_of(y, inner // self.n_groups), (inner // self.n_groups,), None, self.norm.eps
        )
        return self.out_proj(groups.flatten(2) * self.norm.weight)
