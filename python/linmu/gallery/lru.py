"""The linear recurrent unit

Orvieto, Smith, Gu, et al.: Resurrecting Recurrent Neural Networks for Long Sequences, 2023,
https://arxiv.org/abs/2303.06349

    x_t = lambda x_{t-1} + sqrt(1 - |lambda|^2) u_t,    lambda = exp(-exp(nu) + i exp(theta))
    y_t = Re(c x_t)

of complex numbers, written as pairs of real ones.
"""

from linmu.rules import Param, State, Tokens, cos, exp, pattern, scan, sin, sqrt

SIZES = {"H": 256}
EXAMPLE = {"nu": lambda x: x - 3, "theta": lambda x: x - 3}


@pattern
def lru(
    u_re: Tokens["H"], u_im: Tokens["H"], nu: Param["H"], theta: Param["H"], c_re: Param["H"], c_im: Param["H"],
    x0: State["H"], y0: State["H"],
):  # fmt: skip
    @scan(X=x0, Y=y0)
    def step(X, Y, u_re, u_im):
        size, phase = exp(-exp(nu)), exp(theta)
        re, im, gamma = size * cos(phase), size * sin(phase), sqrt(1 - size * size)
        X, Y = re * X - im * Y + gamma * u_re, re * Y + im * X + gamma * u_im
        return X, Y, c_re * X - c_im * Y

    return step(u_re, u_im), step.X, step.Y
