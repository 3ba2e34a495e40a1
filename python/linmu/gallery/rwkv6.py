"""RWKV-6

Peng, Goldstein, Anthony, et al.: Eagle and Finch, 2024, https://arxiv.org/abs/2404.05892

    o_t = r_t^T (S_{t-1} + diag(u) k_t v_t^T)
    S_t = diag(exp(w_t)) S_{t-1} + k_t v_t^T
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays
from linmu.rules import Param, State, Tokens, outer, pattern, scan

EXAMPLE = {"w": log_decays}


@pattern
def rwkv6(
    r: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], w: Tokens["H", "K"], u: Param["H", "K"],
    s0: State["H", "K", "V"], scale=1.0,
):  # fmt: skip
    @scan(S=s0)
    def step(S, r, k, v, w):
        o = scale * (r @ S + r @ (u * k) * v)
        return decay(w)[:, None] * S + outer(k, v), o

    return step(r, k, v, w), step.S


def chunk_rwkv6(r, k, v, w, u, scale=None, initial_state=None, output_final_state=False, cu_seqlens=None,
                cu_seqlens_cpu=None, **options):  # fmt: skip
    calls.check_options("chunk_rwkv6", options)
    states = {"initial_state": (initial_state, (r.shape[2], k.shape[-1], v.shape[-1]))}
    return calls.walk("chunk_rwkv6", rwkv6, {"r": r, "k": k, "v": v, "w": w, "u": u}, states, cu_seqlens,
                      output_final_state, scale=calls.scaled(scale, r))  # fmt: skip


def fused_recurrent_rwkv6(r, k, v, w, u, scale=None, initial_state=None, output_final_state=False, reverse=False,
                          cu_seqlens=None):  # fmt: skip
    calls.check_options("fused_recurrent_rwkv6", {"reverse": reverse})
    return chunk_rwkv6(r, k, v, w, u, scale, initial_state, output_final_state, cu_seqlens)
