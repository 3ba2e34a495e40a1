"""TTT-Linear, a token at a time

Sun, Li, Dalal, et al.: Learning to (Learn at Test Time), 2024, https://arxiv.org/abs/2407.04620

    W_t = W_{t-1} - 2 eta_t k_t (k_t^T W_{t-1} - v_t^T)
    o_t = q_t^T W_t

the gradient step of |k^T W - v|^2, without the layer norm of its instance.
"""

from linmu.gallery.common import rates, units
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"k": units, "eta": lambda x: rates(x) / 2}


@pattern
def ttt_linear(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], eta: Tokens["H"], w0: State["H", "K", "V"]
):
    @scan(W=w0)
    def step(W, q, k, v, eta):
        W = W - 2 * eta * outer(k, k @ W - v)
        return W, q @ W

    return step(q, k, v, eta), step.W
