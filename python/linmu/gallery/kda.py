"""Kimi delta attention

Kimi Team: Kimi Linear: An Expressive, Efficient Attention Architecture, 2025, https://arxiv.org/abs/2510.26692

    S_t = (I - beta_t k_t k_t^T) diag(exp(g_t)) S_{t-1} + beta_t k_t v_t^T
    o_t = q_t^T S_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays, rates, unit, units
from linmu.gallery.gated_delta_rule import gates
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"k": units, "g": log_decays, "beta": rates}


@pattern
def kda(
    q: Tokens["G", "K"], k: Tokens["G", "K"], v: Tokens["H", "V"], g: Tokens["H", "K"], beta: Tokens["H"],
    s0: State["H", "K", "V"], scale=1.0, normalise=False,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, g, beta):
        if normalise:
            q, k = unit(q), unit(k)
        S = decay(g)[:, None] * S
        S = S + outer(k, beta * (v - k @ S))
        return S, scale * (q @ S)

    return step(q, k, v, g, beta), step.S


def chunk_kda(q, k, v, g, beta, scale=None, initial_state=None, output_final_state=False, use_qk_l2norm_in_kernel=False,
              use_gate_in_kernel=False, use_beta_sigmoid_in_kernel=False, allow_neg_eigval=False, safe_gate=False,
              lower_bound=None, disable_recompute=False, return_intermediate_states=False, state_v_first=False,
              cu_seqlens=None, cu_seqlens_cpu=None, cp_context=None, use_graph=False, max_num_seqs=None, A_log=None,
              dt_bias=None, **options):  # fmt: skip
    function = "chunk_kda"
    refused = {"return_intermediate_states": return_intermediate_states, "cp_context": cp_context, "use_graph": use_graph,
               "max_num_seqs": max_num_seqs}  # fmt: skip
    if use_gate_in_kernel and lower_bound is not None:  # a gate of another form
        refused["lower_bound"] = lower_bound
    calls.check_options(function, {**refused, **options})
    g, beta = gates(
        function, g, beta, use_gate_in_kernel, A_log, dt_bias, use_beta_sigmoid_in_kernel, allow_neg_eigval
    )
    states = {"initial_state": (initial_state, (v.shape[2], k.shape[-1], v.shape[-1]))}
    return calls.walk(function, kda, {"q": q, "k": k, "v": v, "g": g, "beta": beta}, states, cu_seqlens,
                      output_final_state, state_v_first, scale=calls.scaled(scale, k),
                      normalise=bool(use_qk_l2norm_in_kernel))  # fmt: skip


def fused_recurrent_kda(q, k, v, g, beta, A_log=None, dt_bias=None, scale=None, initial_state=None,
                        output_final_state=False, use_qk_l2norm_in_kernel=False, use_gate_in_kernel=False,
                        use_beta_sigmoid_in_kernel=False, allow_neg_eigval=False, lower_bound=None, state_v_first=False,
                        cu_seqlens=None, **options):  # fmt: skip
    return chunk_kda(q, k, v, g, beta, scale, initial_state, output_final_state, use_qk_l2norm_in_kernel,
                     use_gate_in_kernel, use_beta_sigmoid_in_kernel, allow_neg_eigval, lower_bound=lower_bound,
                     state_v_first=state_v_first, cu_seqlens=cu_seqlens, A_log=A_log, dt_bias=dt_bias, **options)  # fmt: skip
