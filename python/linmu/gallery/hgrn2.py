"""HGRN2

Qin, Yang, Sun, Shen, Li, Sun, Zhong: HGRN2: Gated Linear RNNs with State Expansion, 2024, https://arxiv.org/abs/2404.07904

    S_t = diag(f_t) S_{t-1} + (1 - f_t) i_t^T
    o_t = q_t^T S_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays
from linmu.rules import State, Tokens, exp, outer, pattern, scan

EXAMPLE = {"g": log_decays}


@pattern
def hgrn2(q: Tokens["H", "K"], i: Tokens["H", "V"], g: Tokens["H", "K"], s0: State["H", "K", "V"], scale=1.0):
    @scan(S=s0)
    def step(S, q, i, g):
        S = decay(g)[:, None] * S + outer(1 - exp(g), i)
        return S, scale * (q @ S)

    return step(q, i, g), step.S


def chunk_hgrn2(
    q, i, g, scale=None, initial_state=None, output_final_state=False, cu_seqlens=None, **options
):
    """g is the logarithm of the forget gate f, of [batch, tokens, heads, K]; the input gate is 1 - f."""
    calls.check_options("chunk_hgrn2", options)
    states = {"initial_state": (initial_state, (q.shape[2], g.shape[-1], i.shape[-1]))}
    return calls.walk("chunk_hgrn2", hgrn2, {"q": q, "i": i, "g": g}, states, cu_seqlens, output_final_state,
                      scale=calls.scaled(scale, q))  # fmt: skip
