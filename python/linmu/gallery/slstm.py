"""sLSTM (xLSTM)

Beck, Pöppel, Spanring, et al.: xLSTM: Extended Long Short-Term Memory, 2024, https://arxiv.org/abs/2405.04517

    c_t = sigmoid(f_t) * c_{t-1} + exp(i_t) * tanh(z_t + r * h_{t-1})
    n_t = sigmoid(f_t) * n_{t-1} + exp(i_t)
    h_t = sigmoid(o_t) * c_t / n_t

with recurrent weights on the diagonal; its state passes through tanh, so that it runs one token at a time.
"""

from linmu.rules import Param, State, Tokens, exp, pattern, scan, sigmoid, tanh

EXAMPLE = {"n0": lambda x: abs(x) + 1}


@pattern
def slstm(
    z: Tokens["H", "D"], i: Tokens["H", "D"], f: Tokens["H", "D"], o: Tokens["H", "D"], r: Param["H", "D"],
    c0: State["H", "D"], n0: State["H", "D"], h0: State["H", "D"],
):  # fmt: skip
    @scan(C=c0, N=n0, H=h0)
    def step(C, N, H, z, i, f, o):
        C = sigmoid(f) * C + exp(i) * tanh(z + r * H)
        N = sigmoid(f) * N + exp(i)
        H = sigmoid(o) * (C / N)
        return C, N, H, H

    return step(z, i, f, o), step.C, step.N, step.H
