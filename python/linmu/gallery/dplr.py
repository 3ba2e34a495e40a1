"""The delta rule with a diagonal plus low rank, and RWKV-7

Peng, Zhang, Goldstein, et al.: RWKV-7 "Goose", 2025, https://arxiv.org/abs/2503.14456

    S_t = (diag(exp(w_t)) + b_t a_t^T) S_{t-1} + k_t v_t^T
    o_t = q_t^T S_t

RWKV-7 calls q the reception r, and takes a = -kappa and b = kappa * eta of its removal key kappa.
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays, units
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"w": log_decays, "a": lambda x: -units(x), "b": lambda x: units(x) / 2}


@pattern
def dplr(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], a: Tokens["H", "K"], b: Tokens["H", "K"],
    w: Tokens["H", "K"], s0: State["H", "K", "V"], scale=1.0,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, a, b, w):
        S = decay(w)[:, None] * S + outer(b, a @ S) + outer(k, v)
        return S, scale * (q @ S)

    return step(q, k, v, a, b, w), step.S


def chunk_dplr_delta_rule(q, k, v, a, b, gk, scale=None, initial_state=None, output_final_state=False, cu_seqlens=None,
                          cu_seqlens_cpu=None, safe_gate=False, chunk_size=None, disable_recompute=False, cp_context=None,
                          lower_bound=None, **options):  # fmt: skip
    calls.check_options("chunk_dplr_delta_rule", {"cp_context": cp_context, **options})
    states = {"initial_state": (initial_state, (q.shape[2], k.shape[-1], v.shape[-1]))}
    return calls.walk("chunk_dplr_delta_rule", dplr, {"q": q, "k": k, "v": v, "a": a, "b": b, "gk": gk}, states, cu_seqlens,
                      output_final_state, scale=calls.scaled(scale, k))  # fmt: skip


def fused_recurrent_dplr_delta_rule(q, k, v, a, b, gk, scale=None, initial_state=None, output_final_state=False,
                                    reverse=False, cu_seqlens=None):  # fmt: skip
    calls.check_options("fused_recurrent_dplr_delta_rule", {"reverse": reverse})
    return chunk_dplr_delta_rule(q, k, v, a, b, gk, scale, initial_state, output_final_state, cu_seqlens)


def chunk_rwkv7(r, w, k, v, a, b, scale=1.0, initial_state=None, output_final_state=False, cu_seqlens=None,
                cu_seqlens_cpu=None, **options):  # fmt: skip
    return chunk_dplr_delta_rule(
        r, k, v, a, b, w, scale, initial_state, output_final_state, cu_seqlens, **options
    )


def fused_recurrent_rwkv7(
    r, w, k, v, a, b, scale=None, initial_state=None, output_final_state=True, cu_seqlens=None
):
    return chunk_rwkv7(r, w, k, v, a, b, scale, initial_state, output_final_state, cu_seqlens)
