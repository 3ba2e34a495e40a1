"""The delta rule (DeltaNet)

Schlag, Irie, Schmidhuber: Linear Transformers Are Secretly Fast Weight Programmers, 2021, https://arxiv.org/abs/2102.11174;
Yang, Wang, Zhang, Shen, Kim: Parallelizing Linear Transformers with the Delta Rule, 2024, https://arxiv.org/abs/2406.06484

    S_t = (I - beta_t k_t k_t^T) S_{t-1} + beta_t k_t v_t^T
    o_t = q_t^T S_t
"""

from linmu.gallery import calls
from linmu.gallery.common import rates, unit, units
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"k": units, "beta": rates}


@pattern
def delta_rule(
    q: Tokens["H", "K"], k: Tokens["G", "K"], v: Tokens["G", "V"], beta: Tokens["H"], s0: State["H", "K", "V"], scale=1.0,
    normalise=False,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, beta):
        if normalise:
            q, k = unit(q), unit(k)
        S = S + outer(k, beta * (v - k @ S))
        return S, scale * (q @ S)

    return step(q, k, v, beta), step.S


def chunk_delta_rule(q, k, v, beta, scale=None, initial_state=None, output_final_state=False, use_qk_l2norm_in_kernel=False,
                     cu_seqlens=None, cu_seqlens_cpu=None, **options):  # fmt: skip
    calls.check_options("chunk_delta_rule", options)
    states = {"initial_state": (initial_state, (q.shape[2], k.shape[-1], v.shape[-1]))}
    return calls.walk("chunk_delta_rule", delta_rule, {"q": q, "k": k, "v": v, "beta": beta}, states, cu_seqlens,
                      output_final_state, scale=calls.scaled(scale, k), normalise=bool(use_qk_l2norm_in_kernel))  # fmt: skip


fused_chunk_delta_rule = chunk_delta_rule


def fused_recurrent_delta_rule(q, k, v, beta=None, scale=None, initial_state=None, output_final_state=False,
                               use_qk_l2norm_in_kernel=False, cu_seqlens=None):  # fmt: skip
    beta = q.new_ones(q.shape[:3]) if beta is None else beta
    return chunk_delta_rule(
        q, k, v, beta, scale, initial_state, output_final_state, use_qk_l2norm_in_kernel, cu_seqlens
    )
