"""Simple gated linear attention

Yang, Wang, Shen, Panda, Kim: Gated Linear Attention Transformers, 2023, https://arxiv.org/abs/2312.06635, with one gate
a head, as in Mamba-2.

    S_t = exp(g_t) S_{t-1} + k_t v_t^T
    o_t = q_t^T S_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays
from linmu.gallery.retention import of_log_decays
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"g": log_decays}


@pattern
def simple_gla(
    q: Tokens["H", "K"],
    k: Tokens["G", "K"],
    v: Tokens["G", "V"],
    g: Tokens["H"],
    s0: State["H", "K", "V"],
    scale=1.0,
):
    @scan(S=s0)
    def step(S, q, k, v, g):
        S = decay(g) * S + outer(k, v)
        return S, scale * (q @ S)

    return step(q, k, v, g), step.S


def chunk_simple_gla(q, k, v, g=None, g_gamma=None, scale=None, initial_state=None, output_final_state=False,
                     state_v_first=False, cu_seqlens=None, cu_seqlens_cpu=None, **options):  # fmt: skip
    function = "chunk_simple_gla"
    calls.check_options(function, options)
    if g is not None and g_gamma is not None:
        raise ValueError(f"{function}: expected one of g and g_gamma, got both; add them: g=g + g_gamma")
    if g is None:
        g_gamma = q.new_zeros(q.shape[2]) if g_gamma is None else g_gamma
        return of_log_decays(function, q, k, v, g_gamma, scale, initial_state, output_final_state, cu_seqlens,
                             state_v_first)  # fmt: skip
    states = {"initial_state": (initial_state, (q.shape[2], k.shape[-1], v.shape[-1]))}
    return calls.walk(function, simple_gla, {"q": q, "k": k, "v": v, "g": g}, states, cu_seqlens, output_final_state,
                      state_v_first, scale=calls.scaled(scale, k))  # fmt: skip


fused_chunk_simple_gla = chunk_simple_gla


def fused_recurrent_simple_gla(q, k, v, g=None, g_gamma=None, scale=None, initial_state=None, output_final_state=False,
                               reverse=False, state_v_first=False, cu_seqlens=None, **options):  # fmt: skip
    calls.check_options("fused_recurrent_simple_gla", {"reverse": reverse, **options})
    return chunk_simple_gla(
        q, k, v, g, g_gamma, scale, initial_state, output_final_state, state_v_first, cu_seqlens
    )
