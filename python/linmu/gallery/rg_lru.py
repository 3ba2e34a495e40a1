"""The real-gated linear recurrent unit (Griffin, RecurrentGemma)

De, Smith, Fernando, et al.: Griffin, 2024, https://arxiv.org/abs/2402.19427

    a_t = sigmoid(lambda)^(8 sigmoid(r_t))
    h_t = a_t * h_{t-1} + sqrt(1 - a_t^2) * sigmoid(i_t) * x_t
"""

from linmu.rules import Param, State, Tokens, exp, pattern, scan, sigmoid, softplus, sqrt

EXAMPLE = {}


@pattern
def rg_lru(
    x: Tokens["H", "D"], r: Tokens["H", "D"], i: Tokens["H", "D"], decay: Param["H", "D"], h0: State["H", "D"]
):
    @scan(H=h0)
    def step(H, x, r, i):
        a = exp(-8 * sigmoid(r) * softplus(-decay))
        H = a * H + sqrt(1 - a * a) * (sigmoid(i) * x)
        return H, H

    return step(x, r, i), step.H
