"""Gated slot attention

Zhang, Yang, Zhu, Zhang, Cui, Wang, Wang, Shi, Wang, Bi, Zhou, Fu: Gated Slot Attention, 2024,
https://arxiv.org/abs/2409.07146

    K_t = K_{t-1} diag(exp(g_t)) + k_t s_t^T
    V_t = diag(exp(g_t)) V_{t-1} + s_t v_t^T
    o_t = softmax(q_t^T K_t) V_t

The softmax is that of numbers below 88.
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays, rates
from linmu.rules import State, Tokens, exp, outer, pattern, scan

EXAMPLE = {"g": log_decays, "s": rates, "q": lambda x: x / 4}


@pattern
def gsa(
    q: Tokens["H", "K"], k: Tokens["G", "K"], v: Tokens["G", "V"], s: Tokens["G", "M"], g: Tokens["G", "M"],
    keys0: State["H", "K", "M"], values0: State["H", "M", "V"], scale=1.0,
):  # fmt: skip
    @scan(A=keys0, B=values0)
    def step(A, B, q, k, v, s, g):
        A, B = decay(g) * A + outer(k, s), decay(g)[:, None] * B + outer(s, v)
        powers = exp(scale * (q @ A))
        return A, B, (powers / powers.sum()) @ B

    return step(q, k, v, s, g), step.A, step.B


def chunk_gsa(q, k, v, s, g=None, scale=None, initial_state=None, output_final_state=False, checkpoint_level=2,
              cu_seqlens=None, cu_seqlens_cpu=None, **options):  # fmt: skip
    """fla's with gates; its states are (K, V)."""
    calls.check_options("chunk_gsa", options)
    if g is None:
        raise NotImplementedError("chunk_gsa: expected g, got None: gates computed of s are not supported")
    if q.shape[2] != k.shape[2]:
        raise NotImplementedError(f"chunk_gsa: expected k of the {q.shape[2]} heads of q, got {k.shape[2]}")
    keys, values = (None, None) if initial_state is None else initial_state
    heads, slots = q.shape[2], s.shape[-1]
    states = {"initial_state[0]": (keys, (heads, k.shape[-1], slots)),
              "initial_state[1]": (values, (heads, slots, v.shape[-1]))}  # fmt: skip
    return calls.walk("chunk_gsa", gsa, {"q": q, "k": k, "v": v, "s": s, "g": g}, states, cu_seqlens, output_final_state,
                      scale=calls.scaled(scale, q))  # fmt: skip


def fused_recurrent_gsa(q, k, v, s, g=None, scale=None, initial_state=None, output_final_state=False, reverse=False,
                        cu_seqlens=None):  # fmt: skip
    calls.check_options("fused_recurrent_gsa", {"reverse": reverse})
    return chunk_gsa(q, k, v, s, g, scale, initial_state, output_final_state, cu_seqlens=cu_seqlens)
