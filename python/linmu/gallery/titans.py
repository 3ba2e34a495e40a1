"""The delta rule with momentum and forgetting (Titans, linear memory)

Behrouz, Zhong, Mirrokni: Titans: Learning to Memorize at Test Time, 2025, https://arxiv.org/abs/2501.00663

    S_t = eta_t S_{t-1} - theta_t k_t (k_t^T M_{t-1} - v_t^T)
    M_t = (1 - alpha_t) M_{t-1} + S_t
    o_t = q_t^T M_t

with theta twice the paper's step, whose loss has no half.
"""

from linmu.gallery.common import rates, units
from linmu.rules import State, Tokens, assume, outer, pattern, scan

EXAMPLE = {"k": units, "alpha": lambda x: rates(x) / 10, "eta": rates, "theta": lambda x: rates(x) / 4}


@pattern
def titans(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], alpha: Tokens["H"], eta: Tokens["H"],
    theta: Tokens["H"], m0: State["H", "K", "V"], s0: State["H", "K", "V"],
):  # fmt: skip
    @scan(M=m0, S=s0)
    def step(M, S, q, k, v, alpha, eta, theta):
        S = assume(eta, 0, 1) * S - theta * outer(k, k @ M - v)
        M = assume(1 - alpha, 0, 1) * M + S
        return M, S, q @ M

    return step(q, k, v, alpha, eta, theta), step.M, step.S
