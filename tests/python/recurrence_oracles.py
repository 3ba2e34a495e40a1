"""The recurrences of tests/recurrences as fp64 steps, written from their papers' equations and not from the patterns.

A step takes this token's operands `x`, arrays [batch, heads, ...], and the states, [batch, heads, ...]; it returns
the output and the next states. `x.past(name, distance)` is an operand some tokens ago.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Recurrence:
    step: Callable
    """The states' names: input `<name>0` of the pattern, result `<name>`."""
    states: tuple[str, ...]
    """What the mathematics allow."""
    chunked: bool = True
    feedback: bool = False
    """Operands that are not standard normal: functions of such an array."""
    operands: dict[str, Callable] = field(default_factory=dict)
    """The text of the op that stands in the way of the chunked form, and the reason's words."""
    opaque: tuple[str, str] | None = None


RECURRENCES: dict[str, Recurrence] = {}


def recurrence(*states: str, **options):
    def register(step):
        RECURRENCES[step.__name__] = Recurrence(step, states, **options)
        return step

    return register


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


def softplus(x):
    return np.log1p(np.exp(x))


def outer(a, b):
    return a[..., :, None] * b[..., None, :]


def dot(a, b):
    return np.sum(a * b, axis=-1)


def left(k, S):
    """k^T S"""
    return np.einsum("bhk,bhkv->bhv", k, S)


def right(S, k):
    """S k"""
    return np.einsum("bhvk,bhk->bhv", S, k)


def vector(scalar):
    return np.asarray(scalar)[..., None]


def matrix(scalar):
    return np.asarray(scalar)[..., None, None]


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def near_one(x):
    """Before a softplus or a sigmoid: decays around 0.99, since strong decay hides errors of the carry."""
    return x - 4.5


@recurrence("s", operands={"exponent": lambda x: -5.0 - np.arange(len(x))})
def retnet(x, S):
    S = matrix(1 - 2.0**x.exponent) * S + outer(x.k, x.v)
    return left(x.q, S), S


@recurrence("s", operands={"slope": lambda x: 8.0 * (1 + np.arange(len(x))) / len(x) / 100})
def lightning(x, S):
    S = np.exp(-matrix(x.slope)) * S + outer(silu(x.k), x.v)
    o = left(silu(x.q), S)
    return o / np.sqrt(vector(np.mean(o**2, axis=-1)) + 1e-6) * x.u, S


@recurrence("s", operands={"z": lambda x: x + 2})
def gla(x, S):
    S = (sigmoid(x.z) ** (1 / 16))[..., None] * S + outer(x.k, x.v)
    o = left(x.q, S)
    norm = (o - vector(o.mean(-1))) / np.sqrt(vector(o.var(-1)) + 1e-5)
    return silu(x.r) * norm * x.weight, S


@recurrence("s", operands={"z": lambda x: x + 2, "y": lambda x: x + 2})
def gla_outer(x, S):
    alpha, beta = sigmoid(x.z) ** (1 / 16), sigmoid(x.y) ** (1 / 16)
    S = outer(alpha, beta) * S + outer(x.k, x.v)
    return left(x.q, S), S


@recurrence("s", operands={"z": lambda x: x + 5 * np.sign(x)})
def negative_eigenvalues(x, S):
    S = (2 * sigmoid(x.z) - 1)[..., None] * S + outer(x.k, x.v)
    return left(x.q, S), S


@recurrence("h", "x_tail", "B_tail", "C_tail", operands={"bias": near_one, "A_log": lambda x: 0.3 * x})
def mamba2(x, H):
    def convolved(name, weights):
        return silu(sum(x.past(name, j) * getattr(x, f"{weights}{j}") for j in range(4)))

    inner, B, C = convolved("x", "xw"), convolved("B", "bw"), convolved("C", "cw")
    dt = softplus(x.dt + x.bias)
    H = matrix(np.exp(-dt * np.exp(x.A_log))) * H + outer(vector(dt) * inner, B)
    return (right(H, C) + vector(x.D) * inner) * silu(x.z), H


@recurrence("s", operands={"gamma": lambda x: 0.9 + 0.09 * sigmoid(x)})
def hgrn2(x, S):
    f = x.gamma + (1 - x.gamma) * sigmoid(x.z)
    S = f[..., None] * S + outer(1 - f, x.i)
    return left(x.g, S), S


@recurrence("s", feedback=True, operands={"k": unit})
def deltanet(x, S):
    beta = sigmoid(x.b)
    S = S + matrix(beta) * outer(x.k, x.v - left(x.k, S))
    return left(x.q, S), S


@recurrence("s", feedback=True, operands={"bias": near_one})
def gated_deltanet(x, S):
    q, k = unit(x.q), unit(x.k)
    alpha, beta = np.exp(-np.exp(x.A_log) * softplus(x.a + x.bias)), sigmoid(x.b)
    transition = matrix(alpha) * (np.eye(k.shape[-1]) - matrix(beta) * outer(k, k))
    S = S @ transition + matrix(beta) * outer(x.v, k)
    return right(S, q), S


@recurrence("s", feedback=True, operands={"k1": unit, "k2": unit})
def deltaproduct(x, H):
    for k, v, b in ((x.k1, x.v1, x.b1), (x.k2, x.v2, x.b2)):
        beta = matrix(2 * sigmoid(b))
        H = (np.eye(k.shape[-1]) - beta * outer(k, k)) @ H + beta * outer(k, v)
    return left(x.q, H), H


@recurrence("s", feedback=True, operands={"d": near_one})
def rwkv7(x, S):
    w, kappa, eta = np.exp(-np.exp(-0.5) * sigmoid(x.d)), unit(x.kappa), sigmoid(x.eta)
    a, b = -kappa, kappa * eta
    S = S @ (w[..., None] * np.eye(w.shape[-1]) + outer(a, b)) + outer(x.v, x.k)
    return right(S, x.r) + vector(dot(x.r, x.rho * x.k)) * x.v, S


@recurrence("c", "n", operands={"f": lambda x: x + 3})
def mlstm(x, C, n):
    k, f, i = x.k / np.sqrt(x.k.shape[-1]), sigmoid(x.f), np.exp(x.i)
    C = matrix(f) * C + matrix(i) * outer(x.v, k)
    n = vector(f) * n + vector(i) * k
    return sigmoid(x.o) * right(C, x.q) / vector(np.maximum(np.abs(dot(n, x.q)), 1)), C, n


@recurrence("c", "n", "m", chunked=False, operands={"f": lambda x: x + 3, "i": lambda x: x / 2},
            opaque=("arith.maximumf %carried", "is on the path from the state to itself and is not linear in it"))  # fmt: skip
def mlstm_stabilised(x, C, n, m):
    log_f, k = -softplus(-x.f), x.k / np.sqrt(x.k.shape[-1])
    largest = np.maximum(log_f + m, x.i)
    i, f = np.exp(x.i - largest), np.exp(log_f + m - largest)
    C = matrix(f) * C + matrix(i) * outer(x.v, k)
    n = vector(f) * n + vector(i) * k
    h = right(C, x.q) / vector(np.maximum(np.abs(dot(n, x.q)), np.exp(-largest)))
    return h, C, n, largest


@recurrence("s", feedback=True, operands={"k": unit, "a": near_one})
def kda(x, S):
    alpha, beta = np.exp(-softplus(x.a)), matrix(sigmoid(x.b))
    S = (np.eye(x.k.shape[-1]) - beta * outer(x.k, x.k)) @ (alpha[..., None] * S) + beta * outer(x.k, x.v)
    return left(x.q, S), S


@recurrence("s", feedback=True, operands={"k": unit, "a": near_one})
def comba(x, S):
    alpha, beta = np.exp(-softplus(x.a)), sigmoid(x.b)
    identity = np.eye(x.k.shape[-1])
    transition = matrix(alpha) * identity - matrix(sigmoid(x.share) * beta) * outer(x.k, x.k)
    S = S @ transition + matrix(beta) * outer(x.v, x.k)
    return right(S, x.q - vector(x.correction) * x.k), S


@recurrence("s")
def longhorn(x, S):
    beta = sigmoid(x.beta)
    delta = beta / (1 + beta * dot(x.k, x.k))
    S = (1 - vector(delta) * x.k**2) * S + vector(delta * x.x) * x.k
    return dot(S, x.q), S


@recurrence("h", operands={"log_dt": near_one, "log_minus_A": lambda x: np.log(np.arange(1, 17.0))[None]})
def s4d_real(x, H):
    A, dt = -np.exp(x.log_minus_A), vector(np.exp(x.log_dt))
    H = np.exp(dt * A) * H + (np.exp(dt * A) - 1) / A * x.B * vector(x.x)
    return dot(x.C, H) + x.D * x.x, H


@recurrence("h", operands={"z": lambda x: x - 2})
def mingru(x, h):
    z = sigmoid(x.z)
    h = (1 - z) * h + z * x.candidate
    return h, h


@recurrence("h")
def rg_lru(x, h):
    a = sigmoid(x.decay) ** (8 * sigmoid(x.r))
    h = a * h + np.sqrt(1 - a**2) * sigmoid(x.i) * x.x
    return h, h


@recurrence("x", "y", operands={"nu": near_one, "theta": near_one})
def lru(x, X, Y):
    modulus = np.exp(-np.exp(x.nu))
    rotation = modulus * np.exp(1j * np.exp(x.theta))
    h = rotation * (X + 1j * Y) + np.sqrt(1 - modulus**2) * (x.u_re + 1j * x.u_im)
    return np.real((x.C_re + 1j * x.C_im) * h), np.real(h), np.imag(h)


@recurrence("re", "im", operands={"alpha": lambda x: x + 3})
def gateloop(x, re, im):
    H = matrix(sigmoid(x.alpha) * np.exp(1j * x.beta)) * (re + 1j * im) + outer(x.k, x.v)
    return left(x.q, np.real(H)), np.real(H), np.imag(H)


@recurrence("s", "p", "z", operands={"beta": lambda x: x + 2, "z0": np.exp})
def momentum(x, S, P, z):
    def phi(x):
        return np.where(x > 0, x + 1, np.exp(x))

    P = matrix(sigmoid(x.beta)) * P + outer(phi(x.k), x.v)
    S, z = S + matrix(x.gamma) * P, z + phi(x.k)
    return left(phi(x.q), S) / vector(dot(phi(x.q), z)), S, P, z


@recurrence("c", "n", "h", chunked=False, operands={"n0": np.exp},
            opaque=("math.tanh", "is on the path from the state to itself and is not linear in it"))  # fmt: skip
def slstm(x, c, n, h):
    z, i, f = np.tanh(x.z + x.r * h), np.exp(x.i), sigmoid(x.f)
    c, n = f * c + i * z, f * n + i
    h = sigmoid(x.o) * c / n
    return h, c, n, h


@recurrence("w", feedback=True, operands={"k": unit, "eta": lambda x: sigmoid(x) / 2})
def ttt_linear(x, W):
    gradient = 2 * outer(right(W, x.k) - x.v, x.k)
    W = W - matrix(x.eta) * gradient
    return right(W, x.q), W


@recurrence("m", "s", feedback=True, operands={"k": unit, "theta": near_one, "alpha": near_one})
def titans(x, M, S):
    gradient = 2 * outer(right(M, x.k) - x.v, x.k)
    S = matrix(sigmoid(x.eta)) * S - matrix(sigmoid(x.theta)) * gradient
    M = matrix(1 - sigmoid(x.alpha)) * M + S
    return right(M, x.q), M, S


@recurrence("s", "z", operands={"z0": np.exp})
def linear_attention(x, S, z):
    def phi(x):
        return np.where(x > 0, x + 1, np.exp(x))

    S, z = S + outer(phi(x.k), x.v), z + phi(x.k)
    return left(phi(x.q), S) / vector(dot(phi(x.q), z)), S, z


@recurrence("keys", "values")
def gated_slots(x, K, V):
    alpha = sigmoid(x.a) ** (1 / 8)
    K = alpha[..., None] * K + outer(1 - alpha, x.k)
    V = alpha[..., None] * V + outer(1 - alpha, x.v)
    powers = np.exp(right(K, x.q))
    return left(powers / vector(powers.sum(-1)), V), K, V
