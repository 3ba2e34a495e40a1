"""The delta rule with the identity plus low rank

Yang, Wang, Zhang, Shen, Kim: Parallelizing Linear Transformers with the Delta Rule, 2024, https://arxiv.org/abs/2406.06484,
section 6

    S_t = (I + b_t a_t^T) S_{t-1} + k_t v_t^T
    o_t = q_t^T S_t
"""

from linmu.gallery import calls
from linmu.gallery.common import units
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"a": lambda x: -units(x), "b": lambda x: units(x) / 2}


@pattern
def iplr(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], a: Tokens["H", "K"], b: Tokens["H", "K"],
    s0: State["H", "K", "V"], scale=1.0,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, a, b):
        S = S + outer(b, a @ S) + outer(k, v)
        return S, scale * (q @ S)

    return step(q, k, v, a, b), step.S


def chunk_iplr_delta_rule(q, k, v, a, b, scale=None, initial_state=None, output_final_state=False, cu_seqlens=None,
                          cu_seqlens_cpu=None, **options):  # fmt: skip
    calls.check_options("chunk_iplr_delta_rule", options)
    states = {"initial_state": (initial_state, (q.shape[2], k.shape[-1], v.shape[-1]))}
    return calls.walk("chunk_iplr_delta_rule", iplr, {"q": q, "k": k, "v": v, "a": a, "b": b}, states, cu_seqlens,
                      output_final_state, scale=calls.scaled(scale, k))  # fmt: skip


fused_recurrent_iplr_delta_rule = chunk_iplr_delta_rule
