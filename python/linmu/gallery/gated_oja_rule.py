"""The gated Oja rule

Irie, Schmidhuber: Images as Weight Matrices, 2022, https://arxiv.org/abs/2210.06184, after Oja: A Simplified Neuron Model
as a Principal Component Analyzer, 1982; with the gate of flash-linear-attention's `gated_oja_rule`.

    S_t = S_{t-1} diag(exp(g_t)) (I - beta_t v_t v_t^T) + beta_t k_t v_t^T
    o_t = q_t^T S_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays, rates, unit, units
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"v": units, "g": log_decays, "beta": rates}


@pattern
def gated_oja_rule(
    q: Tokens["G", "K"], k: Tokens["G", "K"], v: Tokens["H", "V"], g: Tokens["H", "V"], beta: Tokens["H"],
    s0: State["H", "K", "V"], scale=1.0, unit_q=False, unit_k=False,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, g, beta):
        q, k = unit(q) if unit_q else q, unit(k) if unit_k else k
        S = decay(g) * S
        S = S + outer(beta * (k - S @ v), v)
        return S, scale * (q @ S)

    return step(q, k, v, g, beta), step.S


def chunk_gated_oja_rule(q, k, v, gv, beta, scale=None, initial_state=None, output_final_state=False, use_q_l2norm=False,
                         use_k_l2norm=False, cu_seqlens=None, cu_seqlens_cpu=None, **options):  # fmt: skip
    calls.check_options("chunk_gated_oja_rule", options)
    states = {"initial_state": (initial_state, (v.shape[2], k.shape[-1], v.shape[-1]))}
    operands = {"q": q, "k": k, "v": v, "gv": gv, "beta": beta}
    return calls.walk("chunk_gated_oja_rule", gated_oja_rule, operands, states, cu_seqlens, output_final_state,
                      scale=calls.scaled(scale, k), unit_q=bool(use_q_l2norm), unit_k=bool(use_k_l2norm))  # fmt: skip


def fused_recurrent_gated_oja_rule(q, k, v, gv=None, beta=None, scale=None, initial_state=None, output_final_state=False,
                                   use_q_l2norm=False, use_k_l2norm=False, cu_seqlens=None, **options):  # fmt: skip
    gv = v.new_zeros(v.shape) if gv is None else gv
    beta = v.new_ones(v.shape[:3]) if beta is None else beta
    return chunk_gated_oja_rule(q, k, v, gv, beta, scale, initial_state, output_final_state, use_q_l2norm, use_k_l2norm,
                                cu_seqlens, **options)  # fmt: skip
