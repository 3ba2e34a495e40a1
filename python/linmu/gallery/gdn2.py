"""Gated DeltaNet 2

As flash-linear-attention's `gdn2` writes it, https://github.com/fla-org/flash-linear-attention: an erase gate b along the
keys, a write gate w along the values.

    S_t = (I - k_t (b_t * k_t)^T) diag(exp(g_t)) S_{t-1} + k_t (w_t * v_t)^T
    o_t = q_t^T S_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays, rates, unit, units
from linmu.gallery.gated_delta_rule import gates
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"k": units, "g": log_decays, "b": rates, "w": rates}


@pattern
def gdn2(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], g: Tokens["H", "K"], b: Tokens["H", "K"],
    w: Tokens["H", "V"], s0: State["H", "K", "V"], scale=1.0, normalise=False,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, g, b, w):
        if normalise:
            q, k = unit(q), unit(k)
        S = decay(g)[:, None] * S
        S = S + outer(k, w * v - (b * k) @ S)
        return S, scale * (q @ S)

    return step(q, k, v, g, b, w), step.S


def chunk_gdn2(q, k, v, g, b, w, scale=None, initial_state=None, output_final_state=False, use_qk_l2norm_in_kernel=False,
               use_gate_in_kernel=False, cu_seqlens=None, cu_seqlens_cpu=None, safe_gate=False, lower_bound=None,
               disable_recompute=False, return_intermediate_states=False, state_v_first=False, cp_context=None, A_log=None,
               dt_bias=None, **options):  # fmt: skip
    refused = {"return_intermediate_states": return_intermediate_states, "cp_context": cp_context}
    if use_gate_in_kernel and lower_bound is not None:  # a gate of another form
        refused["lower_bound"] = lower_bound
    calls.check_options("chunk_gdn2", {**refused, **options})
    g, _ = gates("chunk_gdn2", g, None, use_gate_in_kernel, A_log, dt_bias, False, False)
    states = {"initial_state": (initial_state, (q.shape[2], k.shape[-1], v.shape[-1]))}
    return calls.walk("chunk_gdn2", gdn2, {"q": q, "k": k, "v": v, "g": g, "b": b, "w": w}, states, cu_seqlens,
                      output_final_state, state_v_first, scale=calls.scaled(scale, k),
                      normalise=bool(use_qk_l2norm_in_kernel))  # fmt: skip


def fused_recurrent_gdn2(q, k, v, g, b, w, A_log=None, dt_bias=None, scale=None, initial_state=None,
                         output_final_state=False, use_qk_l2norm_in_kernel=False, use_gate_in_kernel=False,
                         lower_bound=None, state_v_first=False, cu_seqlens=None, **options):  # fmt: skip
    return chunk_gdn2(q, k, v, g, b, w, scale, initial_state, output_final_state, use_qk_l2norm_in_kernel,
                      use_gate_in_kernel, cu_seqlens, lower_bound=lower_bound, state_v_first=state_v_first, A_log=A_log,
                      dt_bias=dt_bias, **options)  # fmt: skip
