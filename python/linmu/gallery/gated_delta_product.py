"""The gated delta product (DeltaProduct)

Siems, Carstensen, Zela, Hutter, Pontil, Grazzi: DeltaProduct, 2025, https://arxiv.org/abs/2502.10297

    S_t = (prod_j (I - beta_tj k_tj k_tj^T)) exp(g_t) S_{t-1} + the writes beta_tj k_tj v_tj^T, one after the other
    o_t = q_t^T S_t

with two keys a token.
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays, rates, unit, units
from linmu.gallery.gated_delta_rule import gated_delta_rule
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"k1": units, "k2": units, "g": log_decays, "beta1": rates, "beta2": rates}


@pattern
def gated_delta_product(
    q: Tokens["H", "K"], k1: Tokens["H", "K"], k2: Tokens["H", "K"], v1: Tokens["H", "V"], v2: Tokens["H", "V"],
    g: Tokens["H"], beta1: Tokens["H"], beta2: Tokens["H"], s0: State["H", "K", "V"], scale=1.0, normalise=False,
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k1, k2, v1, v2, g, beta1, beta2):
        S = decay(g) * S
        for k, v, beta in ((k1, v1, beta1), (k2, v2, beta2)):
            k = unit(k) if normalise else k
            S = S + outer(k, beta * (v - k @ S))
        return S, scale * ((unit(q) if normalise else q) @ S)

    return step(q, k1, k2, v1, v2, g, beta1, beta2), step.S


def chunk_gated_delta_product(q, k, v, g, beta, num_householder, scale=None, initial_state=None, output_final_state=False,
                              use_qk_l2norm_in_kernel=False, cu_seqlens=None, cu_seqlens_cpu=None, cp_context=None,
                              **options):  # fmt: skip
    """k, v and beta are of [batch, tokens * num_householder, ...], those of a token beside each other."""
    function = "chunk_gated_delta_product"
    calls.check_options(function, {"cp_context": cp_context, **options})
    if num_householder not in (1, 2):
        raise NotImplementedError(f"{function} supports num_householder of 1 and 2, got {num_householder}")
    g = q.new_zeros(q.shape[:3]) if g is None else g
    of_each = (x.unflatten(1, (-1, num_householder)).unbind(2) for x in (k, v, beta))
    names = [f"{name}{j}" for name in ("k", "v", "beta") for j in range(1, num_householder + 1)]
    parts = dict(zip(names, [part for parts in of_each for part in parts]))
    gates = {"g": g, **{name: parts.pop(name) for name in names if name.startswith("beta")}}
    states = {"initial_state": (initial_state, (q.shape[2], k.shape[-1], v.shape[-1]))}
    rule = gated_delta_product if num_householder == 2 else gated_delta_rule
    return calls.walk(function, rule, {"q": q, **parts, **gates}, states, cu_seqlens, output_final_state,
                      scale=calls.scaled(scale, k), normalise=bool(use_qk_l2norm_in_kernel))  # fmt: skip
