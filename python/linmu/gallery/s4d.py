"""S4D with real poles

Gu, Gupta, Goel, Re: On the Parameterization and Initialization of Diagonal State Space Models, 2022,
https://arxiv.org/abs/2206.11893

    h_t = exp(dt A) * h_{t-1} + (exp(dt A) - 1) / A * B x_t,    A = -exp(a)        of each channel
    y_t = C . h_t + D x_t
"""

from linmu.rules import Param, State, Tokens, exp, expm1, pattern, scan

SIZES = {"H": 256, "N": 16}
EXAMPLE = {"log_dt": lambda x: x - 4}


@pattern
def s4d(
    x: Tokens["H"], log_dt: Param["H"], a: Param["H", "N"], B: Param["H", "N"], C: Param["H", "N"], D: Param["H"],
    h0: State["H", "N"],
):  # fmt: skip
    @scan(H=h0)
    def step(H, x):
        A = -exp(a)
        dtA = exp(log_dt) * A
        H = exp(dtA) * H + expm1(dtA) / A * B * x
        return H, C @ H + D * x

    return step(x), step.H
