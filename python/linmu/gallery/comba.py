"""Comba

Hu, Pan, Du, Lan, Tang, Wen, Liang, Sun: Comba: Improving Bilinear RNNs with Closed-loop Control, 2025,
https://arxiv.org/abs/2506.02475

    S_t = exp(g_t) (I - beta_t k_t p_t^T) S_{t-1} + beta_t k_t v_t^T
    o_t = q_t^T S_t

where p is a part of k, and q has a part of k taken from it before.
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays, rates, unit, units
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"k": units, "p": units, "g": log_decays, "beta": rates}


@pattern
def comba(
    q: Tokens["G", "K"], k: Tokens["G", "K"], v: Tokens["H", "V"], p: Tokens["G", "K"], g: Tokens["H"],
    beta: Tokens["H"], s0: State["H", "K", "V"], scale=1.0, normalise=False,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, p, g, beta):
        if normalise:
            q, k, p = unit(q), unit(k), unit(p)
        S = decay(g) * S
        S = S + outer(k, beta * (v - p @ S))
        return S, scale * (q @ S)

    return step(q, k, v, p, g, beta), step.S


def chunk_comba(q, k, v, p, g, beta=None, scale=None, initial_state=None, output_final_state=False,
                use_qk_l2norm_in_kernel=False, cu_seqlens=None, cu_seqlens_cpu=None, **options):  # fmt: skip
    calls.check_options("chunk_comba", options)
    p = k if p is None else p
    beta = v.new_ones(v.shape[:3]) if beta is None else beta
    states = {"initial_state": (initial_state, (v.shape[2], k.shape[-1], v.shape[-1]))}
    operands = {"q": q, "k": k, "v": v, "p": p, "g": g, "beta": beta}
    return calls.walk("chunk_comba", comba, operands, states, cu_seqlens, output_final_state,
                      scale=calls.scaled(scale, k), normalise=bool(use_qk_l2norm_in_kernel))  # fmt: skip


def fused_recurrent_comba(q, k, p, v, g, beta=None, scale=None, initial_state=None, output_final_state=False,
                          use_qk_l2norm_in_kernel=False, cu_seqlens=None):  # fmt: skip
    return chunk_comba(
        q, k, v, p, g, beta, scale, initial_state, output_final_state, use_qk_l2norm_in_kernel, cu_seqlens
    )
