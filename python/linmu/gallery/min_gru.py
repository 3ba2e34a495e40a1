"""minGRU

Feng, Tung, Ahmed, Bengio, Hajimirsadeghi: Were RNNs All We Needed?, 2024, https://arxiv.org/abs/2410.01201

    h_t = (1 - sigmoid(z_t)) * h_{t-1} + sigmoid(z_t) * x_t
"""

from linmu.rules import State, Tokens, pattern, scan, sigmoid

EXAMPLE = {"z": lambda x: x - 2}


@pattern
def min_gru(z: Tokens["H", "D"], x: Tokens["H", "D"], h0: State["H", "D"]):
    @scan(H=h0)
    def step(H, z, x):
        H = (1 - sigmoid(z)) * H + sigmoid(z) * x
        return H, H

    return step(z, x), step.H
