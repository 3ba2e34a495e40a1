"""Gated linear attention

Yang, Wang, Shen, Panda, Kim: Gated Linear Attention Transformers, 2023, https://arxiv.org/abs/2312.06635

    S_t = diag(exp(g_t)) S_{t-1} + k_t v_t^T
    o_t = q_t^T S_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"g": log_decays}


@pattern
def gla(
    q: Tokens["H", "K"], k: Tokens["G", "K"], v: Tokens["G", "V"], g: Tokens["H", "K"], s0: State["H", "K", "V"],
    scale=1.0,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, g):
        S = decay(g)[:, None] * S + outer(k, v)
        return S, scale * (q @ S)

    return step(q, k, v, g), step.S


def chunk_gla(q, k, v, g, scale=None, initial_state=None, output_final_state=False, state_v_first=False, cu_seqlens=None,
              cu_seqlens_cpu=None, **options):  # fmt: skip
    calls.check_options("chunk_gla", options)
    states = {"initial_state": (initial_state, (q.shape[2], k.shape[-1], v.shape[-1]))}
    return calls.walk("chunk_gla", gla, {"q": q, "k": k, "v": v, "g": g}, states, cu_seqlens, output_final_state,
                      state_v_first, scale=calls.scaled(scale, k))  # fmt: skip


fused_chunk_gla = chunk_gla


def fused_recurrent_gla(q, k, v, gk=None, gv=None, scale=None, initial_state=None, output_final_state=False, reverse=False,
                        state_v_first=False, cu_seqlens=None, **options):  # fmt: skip
    calls.check_options("fused_recurrent_gla", {"gv": gv, "reverse": reverse, **options})
    if gk is None:
        raise NotImplementedError(
            "fused_recurrent_gla: expected gk, got None; without gates it is chunk_linear_attn"
        )
    return chunk_gla(q, k, v, gk, scale, initial_state, output_final_state, state_v_first, cu_seqlens)
