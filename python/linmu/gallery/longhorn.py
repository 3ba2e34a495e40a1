"""Longhorn

Liu, Wang, Wu, Feng, Stone, Liu: Longhorn: State Space Models are Amortized Online Learners, 2024,
https://arxiv.org/abs/2407.14207

    delta_t = beta_t / (1 + beta_t k_t^T k_t)
    s_t = (1 - delta_t k_t * k_t) * s_{t-1} + delta_t x_t k_t        of each channel
    o_t = q_t^T s_t
"""

from linmu.rules import State, Tokens, assume, pattern, scan, sigmoid

SIZES = {"H": 256, "M": 16}
EXAMPLE = {}


@pattern
def longhorn(x: Tokens["H"], beta: Tokens["H"], k: Tokens[1, "M"], q: Tokens[1, "M"], s0: State["H", "M"]):
    @scan(S=s0)
    def step(S, x, beta, k, q):
        beta = sigmoid(beta)
        delta = beta / (1 + beta * (k @ k))
        S = assume(1 - delta * (k * k), 0, 1) * S + delta * x * k
        return S, S @ q

    return step(x, beta, k, q), step.S
