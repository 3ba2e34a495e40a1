"""Retention (RetNet)

Sun, Dong, Huang, Ma, Xia, Xue, Wang, Wei: Retentive Network, 2023, https://arxiv.org/abs/2307.08621

    S_t = gamma_h S_{t-1} + k_t v_t^T,    gamma_h = 1 - 2^(-5 - h)
    o_t = q_t^T S_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay
from linmu.rules import Param, State, Tokens, outer, pattern, scan

EXAMPLE = {"g": lambda x: -abs(x) / 10}


@pattern
def retention(
    q: Tokens["H", "K"],
    k: Tokens["G", "K"],
    v: Tokens["G", "V"],
    g: Param["H"],
    s0: State["H", "K", "V"],
    scale=1.0,
):
    @scan(S=s0)
    def step(S, q, k, v):
        S = decay(g) * S + outer(k, v)
        return S, scale * (q @ S)

    return step(q, k, v), step.S


def of_log_decays(
    function, q, k, v, g, scale, initial_state, output_final_state, cu_seqlens, state_v_first=False
):
    """A walk whose heads decay by exp(g), g of [heads]."""
    states = {"initial_state": (initial_state, (q.shape[2], k.shape[-1], v.shape[-1]))}
    return calls.walk(function, retention, {"q": q, "k": k, "v": v, "g_gamma": g.float()}, states, cu_seqlens,
                      output_final_state, state_v_first, scale=calls.scaled(scale, k))  # fmt: skip


def chunk_retention(
    q, k, v, scale=None, initial_state=None, output_final_state=False, cu_seqlens=None, **options
):
    import torch

    calls.check_options("chunk_retention", options)
    g = (1 - 2.0 ** (-5.0 - torch.arange(q.shape[2], dtype=torch.float64, device=q.device))).log()
    return of_log_decays("chunk_retention", q, k, v, g, scale, initial_state, output_final_state, cu_seqlens)


fused_chunk_retention = chunk_retention


def fused_recurrent_retention(q, k, v, scale=None, initial_state=None, output_final_state=False, reverse=False,
                              state_v_first=False, cu_seqlens=None, **options):  # fmt: skip
    calls.check_options(
        "fused_recurrent_retention", {"reverse": reverse, "state_v_first": state_v_first, **options}
    )
    return chunk_retention(q, k, v, scale, initial_state, output_final_state, cu_seqlens)
