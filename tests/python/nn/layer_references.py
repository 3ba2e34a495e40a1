"""The layers of linmu.nn in plain torch: projections, convolutions, a loop over tokens, norms and gates, whole sequences from
zero states. They take a layer whose parameters are f64, and x of [1, tokens, hidden_size]."""

import torch
from torch.nn.functional import conv1d, linear, pad, silu, softplus


def convolved(x, conv):
    """x: [1, tokens, features]"""
    rows = pad(x.transpose(1, 2), (conv.kernel_size - 1, 0))
    return silu(conv1d(rows, conv.weight, conv.bias, groups=conv.hidden_size)).transpose(1, 2)


def heads(x, size, count=None):
    x = x[0].unflatten(-1, (-1, size))
    return x if count is None else x.repeat_interleave(count // x.shape[1], dim=1)


def rms(x, weight, eps):
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight


def unit(x):
    return x / (x.square().sum(-1, keepdim=True) + 1e-6).sqrt()


def gated_deltanet(layer, x):
    keys, count = layer.head_k_dim, layer.num_v_heads
    q = unit(heads(convolved(linear(x, layer.q_proj.weight), layer.q_conv1d), keys, count)) * keys**-0.5
    k = unit(heads(convolved(linear(x, layer.k_proj.weight), layer.k_conv1d), keys, count))
    v = heads(convolved(linear(x, layer.v_proj.weight), layer.v_conv1d), layer.head_v_dim)
    g = -layer.A_log.exp() * softplus(linear(x, layer.a_proj.weight)[0] + layer.dt_bias)
    beta = linear(x, layer.b_proj.weight)[0].sigmoid() * (2 if layer.allow_neg_eigval else 1)
    S, out = torch.zeros(count, keys, layer.head_v_dim, dtype=x.dtype), []
    for t in range(x.shape[1]):
        S = g[t].exp()[:, None, None] * S
        error = v[t] - torch.einsum("hk,hkv->hv", k[t], S)
        S = S + torch.einsum("h,hk,hv->hkv", beta[t], k[t], error)
        out.append(torch.einsum("hk,hkv->hv", q[t], S))
    o = rms(torch.stack(out), layer.o_norm.weight, layer.o_norm.eps)
    if layer.use_gate:
        o = o * silu(heads(linear(x, layer.g_proj.weight), layer.head_v_dim))
    return linear(o.flatten(1), layer.o_proj.weight)[None]


def gla(layer, x):
    q, k, v = (linear(x, part.weight) for part in (layer.q_proj, layer.k_proj, layer.v_proj))
    if layer.use_short_conv:
        q, k, v = (
            convolved(*pair) for pair in ((q, layer.q_conv1d), (k, layer.k_conv1d), (v, layer.v_conv1d))
        )
    count = layer.num_heads
    q, k = (heads(part, layer.head_k_dim, count) for part in (q, k))
    v = heads(v, layer.head_v_dim, count)
    low, high = layer.gk_proj
    f = heads(linear(linear(x, low.weight), high.weight, high.bias), layer.head_k_dim, count)
    decay = f.sigmoid() ** (1 / layer.gate_logit_normalizer)
    S, out = torch.zeros(count, layer.head_k_dim, layer.head_v_dim, dtype=x.dtype), []
    for t in range(x.shape[1]):
        S = decay[t][..., None] * S + torch.einsum("hk,hv->hkv", k[t], v[t])
        out.append(layer.head_k_dim**-0.5 * torch.einsum("hk,hkv->hv", q[t], S))
    norm = layer.g_norm_swish_gate
    o = rms(torch.stack(out), norm.weight, norm.eps) * silu(
        heads(linear(x, layer.g_proj.weight), layer.head_v_dim)
    )
    return linear(o.flatten(1), layer.o_proj.weight)[None]


def retention(layer, x):
    count, keys = layer.num_heads, layer.head_k_dim
    position = torch.arange(x.shape[1], dtype=x.dtype)[:, None]
    turn = torch.exp(1j * position * 10000 ** -(torch.arange(0, keys, 2, dtype=x.dtype) / keys))[:, None]

    def turned(part):
        re, im = heads(linear(x, part.weight), keys, count).chunk(2, dim=-1)
        z = torch.complex(re, im) * turn
        return torch.cat([z.real, z.imag], dim=-1)

    q, k = turned(layer.q_proj), turned(layer.k_proj)
    v = heads(linear(x, layer.v_proj.weight), layer.head_v_dim, count)
    decay = 1 - 2.0 ** (-5 - torch.arange(count, dtype=x.dtype))
    S, out = torch.zeros(count, keys, layer.head_v_dim, dtype=x.dtype), []
    for t in range(x.shape[1]):
        S = decay[:, None, None] * S + torch.einsum("hk,hv->hkv", k[t], v[t])
        out.append(keys**-0.5 * torch.einsum("hk,hkv->hv", q[t], S))
    norm = layer.g_norm_swish_gate
    o = rms(torch.stack(out), norm.weight, norm.eps) * silu(
        heads(linear(x, layer.g_proj.weight), layer.head_v_dim)
    )
    return linear(o.flatten(1), layer.o_proj.weight)[None]


def mamba2(layer, x):
    inner, group, count = layer.intermediate_size, layer.n_groups * layer.state_size, layer.num_heads
    z, xBC, dt = linear(x, layer.in_proj.weight, layer.in_proj.bias).split(
        [inner, inner + 2 * group, count], dim=-1
    )
    u, B, C = convolved(xBC, layer.conv1d).split([inner, group, group], dim=-1)
    u, B, C = heads(u, layer.head_dim), heads(B, layer.state_size, count), heads(C, layer.state_size, count)
    dt = softplus(dt[0] + layer.dt_bias)
    H, out = torch.zeros(count, layer.head_dim, layer.state_size, dtype=x.dtype), []
    for t in range(x.shape[1]):
        H = (-dt[t] * layer.A_log.exp()).exp()[:, None, None] * H + torch.einsum(
            "h,hp,hn->hpn", dt[t], u[t], B[t]
        )
        out.append(torch.einsum("hpn,hn->hp", H, C[t]) + layer.D[:, None] * u[t])
    y = torch.stack(out).flatten(1) * silu(z[0])
    y = rms(y.unflatten(-1, (layer.n_groups, -1)), 1, layer.norm.eps).flatten(1) * layer.norm.weight
    return linear(y, layer.out_proj.weight, layer.out_proj.bias)[None]
