"""The gated delta rule (Gated DeltaNet, Qwen3-Next)

Yang, Kautz, Hatamizadeh: Gated Delta Networks, 2024, https://arxiv.org/abs/2412.06464

    S_t = exp(g_t) (I - beta_t k_t k_t^T) S_{t-1} + beta_t k_t v_t^T
    o_t = q_t^T S_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays, rates, unit, units
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"k": units, "g": log_decays, "beta": rates}


@pattern
def gated_delta_rule(
    q: Tokens["G", "K"], k: Tokens["G", "K"], v: Tokens["H", "V"], g: Tokens["H"], beta: Tokens["H"],
    s0: State["H", "K", "V"], scale=1.0, normalise=False,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, g, beta):
        if normalise:
            q, k = unit(q), unit(k)
        S = decay(g) * S
        S = S + outer(k, beta * (v - k @ S))
        return S, scale * (q @ S)

    return step(q, k, v, g, beta), step.S


def gates(
    function, g, beta, use_gate_in_kernel, A_log, dt_bias, use_beta_sigmoid_in_kernel, allow_neg_eigval
):
    """g and beta where the function is given what they are computed of."""
    import torch

    if use_gate_in_kernel:
        if A_log is None:
            raise ValueError(f"{function}: expected A_log beside use_gate_in_kernel=True, got None")
        rate = A_log.float().exp().reshape(-1, *(1,) * (g.dim() - 3))
        bias = 0 if dt_bias is None else dt_bias.float().reshape(g.shape[2:])
        g = -rate * torch.nn.functional.softplus(g.float() + bias)
    if allow_neg_eigval and not use_beta_sigmoid_in_kernel:
        raise ValueError(
            f"{function}: expected use_beta_sigmoid_in_kernel=True beside allow_neg_eigval=True, got False"
        )
    if use_beta_sigmoid_in_kernel:
        beta = beta.float().sigmoid() * (2 if allow_neg_eigval else 1)
    return g, beta


def chunk_gated_delta_rule(q, k, v, g, beta, scale=None, initial_state=None, output_final_state=False,
                           use_qk_l2norm_in_kernel=False, use_beta_sigmoid_in_kernel=False, allow_neg_eigval=False,
                           state_v_first=False, cu_seqlens=None, cu_seqlens_cpu=None, chunk_indices=None, cp_context=None,
                           use_gate_in_kernel=False, A_log=None, dt_bias=None, **options):  # fmt: skip
    function = "chunk_gated_delta_rule"
    calls.check_options(function, {"cp_context": cp_context, **options})
    g, beta = gates(
        function, g, beta, use_gate_in_kernel, A_log, dt_bias, use_beta_sigmoid_in_kernel, allow_neg_eigval
    )
    states = {"initial_state": (initial_state, (v.shape[2], k.shape[-1], v.shape[-1]))}
    return calls.walk(function, gated_delta_rule, {"q": q, "k": k, "v": v, "g": g, "beta": beta}, states, cu_seqlens,
                      output_final_state, state_v_first, scale=calls.scaled(scale, k),
                      normalise=bool(use_qk_l2norm_in_kernel))  # fmt: skip


chunk_gdn = chunk_gated_delta_rule


def fused_recurrent_gated_delta_rule(q, k, v, g=None, gk=None, gv=None, beta=None, scale=None, initial_state=None,
                                     output_final_state=False, use_qk_l2norm_in_kernel=False, use_gate_in_kernel=False,
                                     A_log=None, dt_bias=None, use_beta_sigmoid_in_kernel=False, allow_neg_eigval=False,
                                     state_v_first=False, cu_seqlens=None, **options):  # fmt: skip
    calls.check_options("fused_recurrent_gated_delta_rule", {"gk": gk, "gv": gv, **options})
    g = v.new_zeros(v.shape[:3]) if g is None else g
    beta = v.new_ones(v.shape[:3]) if beta is None else beta
    return chunk_gated_delta_rule(q, k, v, g, beta, scale, initial_state, output_final_state, use_qk_l2norm_in_kernel,
                                  use_beta_sigmoid_in_kernel, allow_neg_eigval, state_v_first, cu_seqlens,
                                  use_gate_in_kernel=use_gate_in_kernel, A_log=A_log, dt_bias=dt_bias)  # fmt: skip


fused_recurrent_gdn = fused_recurrent_gated_delta_rule
