"""The published rules as steps in fp64 torch, from their papers' equations and not from the gallery's files.

A step takes the tensors `x` of one token, [batch, heads, ...], and the states; it gives the output and the next states.
"""

from math import exp

import torch
from gallery_cases import case, column, eye, half, log_decay, matrix, outer, read, silu, unit
from torch.nn.functional import softplus


@case("chunk_linear_attn", "q:HK k:GK v:GV", "HKV", "HK", q=torch.abs, k=torch.abs)
def linear_attention(x, S, z):
    S, z = S + outer(x.k, x.v), z + x.k
    return read(x.q, S) / column((x.q * z).sum(-1)), S, z


@case("chunk_retention", "q:HK k:HK v:HV", "HKV")
def retention(x, S):
    gamma = 1 - 2.0 ** (-5 - torch.arange(S.shape[1], dtype=torch.float64))
    S = matrix(gamma) * S + outer(x.k, x.v)
    return x.scale * read(x.q, S), S


@case("chunk_lightning_attn", "q:HK k:HK v:HV", "HKV")
def lightning(x, S):  # of layer 1 of 4
    heads = S.shape[1]
    decay = torch.exp(-8 / heads * (1 - 1 / 4) * torch.arange(heads, dtype=torch.float64))
    S = matrix(decay) * S + outer(x.k, x.v)
    return x.scale * read(x.q, S), S


@case("chunk_simple_gla", "q:HK k:GK v:GV g:H", "HKV", g=log_decay)
def simple_gla(x, S):
    S = matrix(x.g.exp()) * S + outer(x.k, x.v)
    return x.scale * read(x.q, S), S


@case("chunk_gla", "q:HK k:GK v:GV g:HK", "HKV", g=log_decay)
def gla(x, S):
    S = torch.diag_embed(x.g.exp()) @ S + outer(x.k, x.v)
    return x.scale * read(x.q, S), S


@case("fused_recurrent_hgrn", "x:D g:D", "D", g=log_decay, scaled_by="")
def hgrn(x, h):
    h = x.g.exp() * h + x.x
    return h, h


@case("chunk_hgrn2", "q:HK i:HV g:HK", "HKV", g=log_decay, scaled_by="q")
def hgrn2(x, S):
    f = x.g.exp()
    S = torch.diag_embed(f) @ S + outer(1 - f, x.i)
    return x.scale * read(x.q, S), S


@case("chunk_delta_rule", "q:HK k:HK v:HV beta:H", "HKV", k=unit, beta=torch.sigmoid, feedback=True)
def delta_rule(x, S):
    beta = matrix(x.beta)
    S = (eye(x.k) - beta * outer(x.k, x.k)) @ S + beta * outer(x.k, x.v)
    return x.scale * read(x.q, S), S


@case(
    "chunk_gated_delta_rule",
    "q:GK k:GK v:HV g:H beta:H",
    "HKV",
    k=unit,
    g=log_decay,
    beta=torch.sigmoid,
    feedback=True,
)
def gated_delta_rule(x, S):
    beta = matrix(x.beta)
    S = matrix(x.g.exp()) * (eye(x.k) - beta * outer(x.k, x.k)) @ S + beta * outer(x.k, x.v)
    return x.scale * read(x.q, S), S


@case(
    "chunk_kda", "q:GK k:GK v:HV g:HK beta:H", "HKV", k=unit, g=log_decay, beta=torch.sigmoid, feedback=True
)
def kda(x, S):
    beta = matrix(x.beta)
    S = (eye(x.k) - beta * outer(x.k, x.k)) @ torch.diag_embed(x.g.exp()) @ S + beta * outer(x.k, x.v)
    return x.scale * read(x.q, S), S


@case("chunk_comba", "q:GK k:GK v:HV p:GK g:H beta:H", "HKV", k=unit, p=unit, g=log_decay, beta=torch.sigmoid,
      feedback=True)  # fmt: skip
def comba(x, S):
    beta = matrix(x.beta)
    S = matrix(x.g.exp()) * (eye(x.k) - beta * outer(x.k, x.p)) @ S + beta * outer(x.k, x.v)
    return x.scale * read(x.q, S), S


# k, v and beta of two keys a token, which stand beside each other along the tokens of the function's arguments.
@case("chunk_gated_delta_product", "q:HK k:2HK v:2HV g:H beta:2H", "HKV", k=unit, g=log_decay, beta=torch.sigmoid,
      feedback=True)  # fmt: skip
def gated_delta_product(x, S):
    S = matrix(x.g.exp()) * S
    for j in range(2):
        k, v, beta = x.k[:, j], x.v[:, j], matrix(x.beta[:, j])
        S = (eye(k) - beta * outer(k, k)) @ S + beta * outer(k, v)
    return x.scale * read(x.q, S), S


@case("chunk_iplr_delta_rule", "q:HK k:HK v:HV a:HK b:HK", "HKV", a=lambda x: -unit(x), b=half, feedback=True)
def iplr(x, S):
    S = (eye(x.k) + outer(x.b, x.a)) @ S + outer(x.k, x.v)
    return x.scale * read(x.q, S), S


@case("chunk_dplr_delta_rule", "q:HK k:HK v:HV a:HK b:HK gk:HK", "HKV", a=lambda x: -unit(x), b=half, gk=log_decay,
      feedback=True)  # fmt: skip
def dplr(x, S):
    S = (torch.diag_embed(x.gk.exp()) + outer(x.b, x.a)) @ S + outer(x.k, x.v)
    return x.scale * read(x.q, S), S


@case("chunk_rwkv7", "r:HK w:HK k:HK v:HV a:HK b:HK", "HKV", a=lambda x: -unit(x), b=half, w=log_decay, feedback=True,
      scaled_by="")  # fmt: skip
def rwkv7(x, S):
    S = (torch.diag_embed(x.w.exp()) + outer(x.b, x.a)) @ S + outer(x.k, x.v)
    return read(x.r, S), S


@case("chunk_rwkv6", "r:HK k:HK v:HV w:HK u:HK!", "HKV", w=log_decay, scaled_by="r")
def rwkv6(x, S):
    o = x.scale * read(x.r, S + outer(x.u * x.k, x.v))
    return o, torch.diag_embed(x.w.exp()) @ S + outer(x.k, x.v)


@case("chunk_gsa", "q:HK k:HK v:HV s:HM g:HM", "HKM", "HMV", s=torch.sigmoid, g=log_decay, scaled_by="q")
def gsa(x, A, B):
    A = A @ torch.diag_embed(x.g.exp()) + outer(x.k, x.s)
    B = torch.diag_embed(x.g.exp()) @ B + outer(x.s, x.v)
    return read(torch.softmax(x.scale * read(x.q, A), dim=-1), B), A, B


@case("chunk_gdn2", "q:HK k:HK v:HV g:HK b:HK w:HV", "HKV", k=unit, g=log_decay, b=torch.sigmoid, w=torch.sigmoid,
      feedback=True)  # fmt: skip
def gdn2(x, S):
    S = (eye(x.k) - outer(x.k, x.b * x.k)) @ torch.diag_embed(x.g.exp()) @ S + outer(x.k, x.w * x.v)
    return x.scale * read(x.q, S), S


@case(
    "chunk_gated_oja_rule",
    "q:GK k:GK v:HV gv:HV beta:H",
    "HKV",
    v=unit,
    gv=log_decay,
    beta=torch.sigmoid,
    feedback=True,
)
def gated_oja_rule(x, S):
    beta = matrix(x.beta)
    S = S @ torch.diag_embed(x.gv.exp()) @ (eye(x.v) - beta * outer(x.v, x.v)) + beta * outer(x.k, x.v)
    return x.scale * read(x.q, S), S


@case("mamba_chunk_scan_combined", "x:HP dt:H B:GN C:GN z:HP A:H! D:H! dt_bias:H!", "HPN", A=lambda x: -x.exp(),
      dt_bias=lambda x: x - 3, scaled_by="")  # fmt: skip
def ssd(x, H):  # with dt_softplus
    dt = softplus(x.dt + x.dt_bias)
    H = matrix(torch.exp(dt * x.A)) * H + outer(column(dt) * x.x, x.B)
    return (torch.einsum("bhpn,bhn->bhp", H, x.C) + column(x.D) * x.x) * silu(x.z), H


@case("chunk_mlstm", "q:HK k:HK v:HV i:H f:H", "HKV", "HK", f=lambda x: x + 3)
def mlstm(x, C, n):
    k, f, i = x.scale * x.k, torch.sigmoid(x.f), torch.exp(x.i)
    C, n = matrix(f) * C + matrix(i) * outer(k, x.v), column(f) * n + column(i) * k
    return read(x.q, C) / column((x.q * n).sum(-1).abs().clamp(min=1)), C, n


# Rules without a function: `rule` of the gallery itself.
@case(
    "rwkv7",
    "r:HD d:HD k:HD v:HD kappa:HD a:HD rho:HD!",
    "HDD",
    d=lambda x: x - 4,
    feedback=True,
    scaled_by="",
)
def rwkv7_time_mixing(x, S):
    w, kappa, eta = torch.exp(-exp(-0.5) * torch.sigmoid(x.d)), unit(x.kappa), torch.sigmoid(x.a)
    S = (torch.diag_embed(w) - outer(kappa * eta, kappa)) @ S + outer(x.k, x.v)
    return read(x.r, S) + column((x.r * x.rho * x.k).sum(-1)) * x.v, S


@case("lightning_attention", "q:HD k:HD v:HD u:HD g:H!", "HDD", g=lambda x: -x.abs() / 10, scaled_by="")
def lightning_attention(x, S):
    S = matrix(x.g.exp()) * S + outer(silu(x.k), x.v)
    o = read(silu(x.q), S)
    return o / column((o**2).mean(-1) + 1e-6).sqrt() * x.u, S


@case("selective_scan", "u:C delta:C B:1N C:1N z:C A:CN! D:C!", "CN", delta=lambda x: softplus(x - 2), A=lambda x: -x.exp(),
      scaled_by="")  # fmt: skip
def selective_scan(x, h):
    h = torch.exp(column(x.delta) * x.A) * h + column(x.delta * x.u) * x.B
    return ((h * x.C).sum(-1) + x.D * x.u) * silu(x.z), h


@case("longhorn", "x:C beta:C k:1M q:1M", "CM", scaled_by="")
def longhorn(x, S):
    beta = torch.sigmoid(x.beta)
    delta = column(beta / (1 + beta * (x.k * x.k).sum(-1)))
    S = (1 - delta * x.k**2) * S + delta * column(x.x) * x.k
    return (S * x.q).sum(-1), S


@case("rg_lru", "x:HD r:HD i:HD decay:HD!", "HD", scaled_by="")
def rg_lru(x, h):
    a = torch.sigmoid(x.decay) ** (8 * torch.sigmoid(x.r))
    h = a * h + torch.sqrt(1 - a**2) * torch.sigmoid(x.i) * x.x
    return h, h


@case("min_gru", "z:HD x:HD", "HD", z=lambda x: x - 2, scaled_by="")
def min_gru(x, h):
    z = torch.sigmoid(x.z)
    h = (1 - z) * h + z * x.x
    return h, h


@case("s4d", "x:C log_dt:C! a:CN! B:CN! C:CN! D:C!", "CN", log_dt=lambda x: x - 4, scaled_by="")
def s4d(x, h):
    A, dt = -torch.exp(x.a), column(x.log_dt.exp())
    h = torch.exp(dt * A) * h + (torch.exp(dt * A) - 1) / A * x.B * column(x.x)
    return (x.C * h).sum(-1) + x.D * x.x, h


@case("lru", "u_re:C u_im:C nu:C! theta:C! c_re:C! c_im:C!", "C", "C", nu=lambda x: x - 3, theta=lambda x: x - 3,
      scaled_by="")  # fmt: skip
def lru(x, re, im):
    size = torch.exp(-torch.exp(x.nu))
    h = torch.polar(size, torch.exp(x.theta)) * torch.complex(re, im)
    h = h + torch.sqrt(1 - size**2) * torch.complex(x.u_re, x.u_im)
    return (torch.complex(x.c_re, x.c_im) * h).real, h.real, h.imag


@case("slstm", "z:HD i:HD f:HD o:HD r:HD!", "HD", "HD", "HD", scaled_by="")
def slstm(x, c, n, h):
    i, f = torch.exp(x.i), torch.sigmoid(x.f)
    c, n = f * c + i * torch.tanh(x.z + x.r * h), f * n + i
    h = torch.sigmoid(x.o) * c / n
    return h, c, n, h


@case("titans", "q:HK k:HK v:HV alpha:H eta:H theta:H", "HKV", "HKV", k=unit, alpha=lambda x: torch.sigmoid(x) / 10,
      eta=torch.sigmoid, theta=lambda x: torch.sigmoid(x) / 4, feedback=True, scaled_by="")  # fmt: skip
def titans(x, M, S):
    S = matrix(x.eta) * S - matrix(x.theta) * outer(x.k, read(x.k, M) - x.v)
    M = (1 - matrix(x.alpha)) * M + S
    return read(x.q, M), M, S


@case(
    "ttt_linear",
    "q:HK k:HK v:HV eta:H",
    "HKV",
    k=unit,
    eta=lambda x: torch.sigmoid(x) / 2,
    feedback=True,
    scaled_by="",
)
def ttt_linear(x, W):
    W = W - matrix(x.eta) * 2 * outer(x.k, read(x.k, W) - x.v)
    return read(x.q, W), W
