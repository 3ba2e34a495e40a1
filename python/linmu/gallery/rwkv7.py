"""RWKV-7's time mixing

Peng, Zhang, Goldstein, et al.: RWKV-7 "Goose", 2025, https://arxiv.org/abs/2503.14456

    w_t = exp(-e^(-1/2) sigmoid(d_t)),    kappa_t of length one,    eta_t = sigmoid(a_t)
    S_t = (diag(w_t) - (kappa_t * eta_t) kappa_t^T) S_{t-1} + k_t v_t^T
    o_t = r_t^T S_t + (r_t . (rho * k_t)) v_t
"""

from math import exp as number_exp

from linmu.gallery.common import unit
from linmu.rules import Param, State, Tokens, exp, outer, pattern, scan, sigmoid

EXAMPLE = {"d": lambda x: x - 4}


@pattern
def rwkv7(
    r: Tokens["H", "D"], d: Tokens["H", "D"], k: Tokens["H", "D"], v: Tokens["H", "D"], kappa: Tokens["H", "D"],
    a: Tokens["H", "D"], rho: Param["H", "D"], s0: State["H", "D", "D"],
):  # fmt: skip
    @scan(S=s0)
    def step(S, r, d, k, v, kappa, a):
        w, kappa = exp(-number_exp(-0.5) * sigmoid(d)), unit(kappa)
        S = w[:, None] * S - outer(kappa * sigmoid(a), kappa @ S) + outer(k, v)
        return S, r @ S + r @ (rho * k) * v

    return step(r, d, k, v, kappa, a), step.S
