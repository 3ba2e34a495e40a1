"""The recurrences of tests/recurrences as rules in Python: the same patterns, by their keys."""

from math import exp as number_exp

import linmu
from linmu import (
    Param,
    State,
    Tail,
    Tokens,
    assume,
    cos,
    exp,
    exp2,
    expm1,
    fma,
    lag,
    maximum,
    outer,
    rsqrt,
    scan,
    sigmoid,
    sin,
    softplus,
    sqrt,
    tanh,
    where,
)


def silu(x):
    return x * sigmoid(x)


@linmu.pattern
def deltanet(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], b: Tokens["H"], s0: State["H", "K", "V"]
):
    @scan(S=s0)
    def step(S, q, k, v, b):
        S = S + outer(k, sigmoid(b) * (v - k @ S))
        return S, q @ S

    return step(q, k, v, b), step.S


@linmu.pattern
def gated_deltanet(
    q: Tokens["G", "K"], k: Tokens["G", "K"], v: Tokens["H", "V"], a: Tokens["H"], b: Tokens["H"],
    A_log: Param["H"], bias: Param["H"], s0: State["H", "V", "K"],
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, a, b):
        q, k = q * rsqrt(q @ q), k * rsqrt(k @ k)
        alpha, beta = exp(-(exp(A_log) * softplus(a + bias))), sigmoid(b)
        S = alpha * (S - outer(beta * (S @ k), k)) + outer(beta * v, k)
        return S, S @ q

    return step(q, k, v, a, b), step.S


@linmu.pattern
def comba(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], a: Tokens["H"], b: Tokens["H"],
    share: Param["H"], correction: Param["H"], s0: State["H", "V", "K"],
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, a, b):
        alpha, beta = exp(-softplus(a)), sigmoid(b)
        S = alpha * S + outer(beta * v - sigmoid(share) * beta * (S @ k), k)
        return S, S @ (q - correction * k)

    return step(q, k, v, a, b), step.S


@linmu.pattern
def deltaproduct(
    q: Tokens["H", "K"], k1: Tokens["H", "K"], k2: Tokens["H", "K"], v1: Tokens["H", "V"], v2: Tokens["H", "V"],
    b1: Tokens["H"], b2: Tokens["H"], s0: State["H", "K", "V"],
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k1, k2, v1, v2, b1, b2):
        for k, v, b in (k1, v1, b1), (k2, v2, b2):
            beta = 2 * sigmoid(b)
            S = S - beta * outer(k, k @ S) + beta * outer(k, v)
        return S, q @ S

    return step(q, k1, k2, v1, v2, b1, b2), step.S


@linmu.pattern
def gated_slots(
    q: Tokens["H", "D"], k: Tokens["H", "D"], v: Tokens["H", "D"], a: Tokens["H", "M"],
    keys0: State["H", "M", "D"], values0: State["H", "M", "D"],
):  # fmt: skip
    @scan(K=keys0, V=values0)
    def step(K, V, q, k, v, a):
        alpha = exp(-0.125 * softplus(-a))
        K = alpha[:, None] * K + outer(1 - alpha, k)
        V = alpha[:, None] * V + outer(1 - alpha, v)
        powers = exp(K @ q)
        return K, V, (powers / powers.sum()) @ V

    return step(q, k, v, a), step.K, step.V


@linmu.pattern
def gateloop(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], alpha: Tokens["H"], beta: Tokens["H"],
    re0: State["H", "K", "V"], im0: State["H", "K", "V"],
):  # fmt: skip
    @scan(X=re0, Y=im0)
    def step(X, Y, q, k, v, alpha, beta):
        size = sigmoid(alpha)
        a, b = size * cos(beta), size * sin(beta)
        X, Y = a * X - b * Y + outer(k, v), a * Y + b * X
        return X, Y, q @ X

    return step(q, k, v, alpha, beta), step.X, step.Y


@linmu.pattern
def gla(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], z: Tokens["H", "K"], r: Tokens["H", "V"],
    weight: Param[1, "V"], s0: State["H", "K", "V"],
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, z, r):
        S = (sigmoid(z) ** 0.0625)[:, None] * S + outer(k, v)
        o = q @ S
        o = o - o.mean()
        return S, silu(r) * (o * rsqrt(o @ o / len(o) + 1e-5) * weight)

    return step(q, k, v, z, r), step.S


@linmu.pattern
def gla_outer(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], z: Tokens["H", "K"], y: Tokens["H", "V"],
    s0: State["H", "K", "V"],
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, z, y):
        alpha, beta = sigmoid(z) ** 0.0625, sigmoid(y) ** 0.0625
        S = alpha[:, None] * S * beta[None, :] + outer(k, v)
        return S, q @ S

    return step(q, k, v, z, y), step.S


@linmu.pattern
def momentum(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], beta: Param["H"], gamma: Param["H"],
    s0: State["H", "K", "V"], p0: State["H", "K", "V"], z0: State["H", "K"],
):  # fmt: skip
    def phi(x):
        return where(x > 0, x + 1, exp(x))

    @scan(S=s0, P=p0, Z=z0)
    def step(S, P, Z, q, k, v):
        q, k = phi(q), phi(k)
        P = sigmoid(beta) * P + outer(k, v)
        S, Z = S + gamma * P, Z + k
        return S, P, Z, q @ S / (Z @ q)

    return step(q, k, v), step.S, step.P, step.Z


@linmu.pattern
def negative_eigenvalues(
    q: Tokens["H", "K"],
    k: Tokens["H", "K"],
    v: Tokens["H", "V"],
    z: Tokens["H", "K"],
    s0: State["H", "K", "V"],
):
    @scan(S=s0)
    def step(S, q, k, v, z):
        S = (2 * sigmoid(z) - 1)[:, None] * S + outer(k, v)
        return S, q @ S

    return step(q, k, v, z), step.S


@linmu.pattern
def hgrn2(
    g: Tokens["H", "K"],
    z: Tokens["H", "K"],
    i: Tokens["H", "V"],
    gamma: Param["H", "K"],
    s0: State["H", "K", "V"],
):
    @scan(S=s0)
    def step(S, g, z, i):
        f = assume(gamma + (1 - gamma) * sigmoid(z), 0, 1)
        S = f[:, None] * S + outer(1 - f, i)
        return S, g @ S

    return step(g, z, i), step.S


@linmu.pattern
def kda(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], a: Tokens["H", "K"], b: Tokens["H"],
    s0: State["H", "K", "V"],
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, a, b):
        S = exp(-softplus(a))[:, None] * S
        bk = sigmoid(b) * k
        S = S - outer(bk, k @ S) + outer(bk, v)
        return S, q @ S

    return step(q, k, v, a, b), step.S


@linmu.pattern
def lightning(
    q: Tokens["H", "D"], k: Tokens["H", "D"], v: Tokens["H", "D"], u: Tokens["H", "D"], slope: Param["H"],
    s0: State["H", "D", "D"],
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, u):
        S = exp(-assume(slope, 0, 100)) * S + outer(silu(k), v)
        o = silu(q) @ S
        return S, o * rsqrt(o @ o / len(o) + 1e-6) * u

    return step(q, k, v, u), step.S


@linmu.pattern
def linear_attention(
    q: Tokens["H", "K"],
    k: Tokens["H", "K"],
    v: Tokens["H", "V"],
    s0: State["H", "K", "V"],
    z0: State["H", "K"],
):
    def phi(x):
        return where(x > 0, x + 1, exp(x))

    @scan(S=s0, Z=z0)
    def step(S, Z, q, k, v):
        S, Z = S + outer(phi(k), v), Z + phi(k)
        return S, Z, phi(q) @ S / (phi(q) @ Z)

    return step(q, k, v), step.S, step.Z


@linmu.pattern
def longhorn(x: Tokens["H"], beta: Tokens["H"], k: Tokens[1, "M"], q: Tokens[1, "M"], s0: State["H", "M"]):
    @scan(S=s0)
    def step(S, x, beta, k, q):
        beta = sigmoid(beta)
        delta = beta / (1 + beta * (k @ k))
        S = assume(1 - delta * (k * k), 0, 1) * S + delta * x * k
        return S, S @ q

    return step(x, beta, k, q), step.S


@linmu.pattern
def lru(
    u_re: Tokens["C"], u_im: Tokens["C"], nu: Param["C"], theta: Param["C"], C_re: Param["C"], C_im: Param["C"],
    x0: State["C"], y0: State["C"],
):  # fmt: skip
    @scan(X=x0, Y=y0)
    def step(X, Y, u_re, u_im):
        size, phase = exp(-exp(nu)), exp(theta)
        re, im, gamma = size * cos(phase), size * sin(phase), sqrt(1 - size * size)
        X, Y = re * X - im * Y + gamma * u_re, re * Y + im * X + gamma * u_im
        return X, Y, C_re * X - C_im * Y

    return step(u_re, u_im), step.X, step.Y


@linmu.pattern
def mamba2(
    x: Tokens["H", "P"], B: Tokens[1, "N"], C: Tokens[1, "N"], z: Tokens["H", "P"], dt: Tokens["H"],
    A_log: Param["H"], bias: Param["H"], D: Param["H"],
    xw0: Param["H", "P"], xw1: Param["H", "P"], xw2: Param["H", "P"], xw3: Param["H", "P"],
    bw0: Param[1, "N"], bw1: Param[1, "N"], bw2: Param[1, "N"], bw3: Param[1, "N"],
    cw0: Param[1, "N"], cw1: Param[1, "N"], cw2: Param[1, "N"], cw3: Param[1, "N"], h0: State["H", "P", "N"],
    x_tail0: Tail[3, "H", "P"], B_tail0: Tail[3, 1, "N"], C_tail0: Tail[3, 1, "N"],
):  # fmt: skip
    def convolved(x, w0, w1, w2, w3):
        return silu(fma(lag(x, 3), w3, fma(lag(x, 2), w2, fma(lag(x, 1), w1, x * w0))))

    @scan(S=h0)
    def step(S, x, B, C, z, dt):
        x, B = convolved(x, xw0, xw1, xw2, xw3), convolved(B, bw0, bw1, bw2, bw3)
        dt = softplus(dt + bias)
        S = S * exp(dt * -exp(A_log)) + outer(dt * x, B)
        return S, (S @ convolved(C, cw0, cw1, cw2, cw3) + D * x) * silu(z)

    return step(x.after(x_tail0), B.after(B_tail0), C.after(C_tail0), z, dt), step.S, step.x, step.B, step.C


@linmu.pattern
def mingru(z: Tokens["C"], candidate: Tokens["C"], h0: State["C"]):
    @scan(H=h0)
    def step(H, z, candidate):
        H = (1 - sigmoid(z)) * H + sigmoid(z) * candidate
        return H, H

    return step(z, candidate), step.H


@linmu.pattern
def mlstm(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], i: Tokens["H"], f: Tokens["H"],
    o: Tokens["H", "V"], c0: State["H", "V", "K"], n0: State["H", "K"],
):  # fmt: skip
    @scan(C=c0, N=n0)
    def step(C, N, q, k, v, i, f, o):
        k = len(k) ** -0.5 * k
        f, i = sigmoid(f), exp(i)
        C, N = f * C + i * outer(v, k), f * N + i * k
        return C, N, sigmoid(o) * (C @ q / maximum(abs(N @ q), 1))

    return step(q, k, v, i, f, o), step.C, step.N


@linmu.pattern
def mlstm_stabilised(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], i: Tokens["H"], f: Tokens["H"],
    c0: State["H", "V", "K"], n0: State["H", "K"], m0: State["H"],
):  # fmt: skip
    @scan(C=c0, N=n0, M=m0)
    def step(C, N, M, q, k, v, i, f):
        carried = -softplus(-f) + M
        M = maximum(carried, i)
        f, ik = exp(carried - M), exp(i - M) * (len(k) ** -0.5 * k)
        C, N = f * C + outer(v, ik), f * N + ik
        return C, N, M, C @ q / maximum(abs(N @ q), exp(-M))

    return step(q, k, v, i, f), step.C, step.N, step.M


@linmu.pattern
def retnet(
    q: Tokens["H", "K"],
    k: Tokens["H", "K"],
    v: Tokens["H", "V"],
    exponent: Param["H"],
    s0: State["H", "K", "V"],
):
    @scan(S=s0)
    def step(S, q, k, v):
        S = (1 - exp2(assume(exponent, -100, 0))) * S + outer(k, v)
        return S, q @ S

    return step(q, k, v), step.S


@linmu.pattern
def rg_lru(
    x: Tokens["H", "D"], r: Tokens["H", "D"], i: Tokens["H", "D"], decay: Param["H", "D"], h0: State["H", "D"]
):
    @scan(H=h0)
    def step(H, x, r, i):
        a = exp(-8 * sigmoid(r) * softplus(-decay))
        H = a * H + sqrt(1 - a * a) * (sigmoid(i) * x)
        return H, H

    return step(x, r, i), step.H


@linmu.pattern
def rwkv7(
    r: Tokens["H", "D"], d: Tokens["H", "D"], k: Tokens["H", "D"], v: Tokens["H", "D"], kappa: Tokens["H", "D"],
    eta: Tokens["H", "D"], rho: Param["H", "D"], s0: State["H", "D", "D"],
):  # fmt: skip
    @scan(S=s0)
    def step(S, r, d, k, v, kappa, eta):
        w = exp(-number_exp(-0.5) * sigmoid(d))
        kappa = kappa / sqrt(kappa @ kappa)
        S = S * w + outer(S @ -kappa, kappa * sigmoid(eta)) + outer(v, k)
        return S, S @ r + r @ (rho * k) * v

    return step(r, d, k, v, kappa, eta), step.S


@linmu.pattern
def s4d_real(
    x: Tokens["C"], log_dt: Param["C"], log_minus_A: Param[1, "N"], B: Param["C", "N"], C: Param["C", "N"],
    D: Param["C"], h0: State["C", "N"],
):  # fmt: skip
    @scan(H=h0)
    def step(H, x):
        A = -exp(log_minus_A)
        dtA = exp(log_dt) * A
        H = exp(dtA) * H + expm1(dtA) / A * B * x
        return H, C @ H + D * x

    return step(x), step.H


@linmu.pattern
def slstm(
    z: Tokens["H", "D"], i: Tokens["H", "D"], f: Tokens["H", "D"], o: Tokens["H", "D"], r: Param["H", "D"],
    c0: State["H", "D"], n0: State["H", "D"], h0: State["H", "D"],
):  # fmt: skip
    @scan(C=c0, N=n0, H=h0)
    def step(C, N, H, z, i, f, o):
        i, f = exp(i), sigmoid(f)
        C, N = f * C + i * tanh(z + r * H), f * N + i
        H = sigmoid(o) * (C / N)
        return C, N, H, H

    return step(z, i, f, o), step.C, step.N, step.H


@linmu.pattern
def titans(
    q: Tokens["H", "D"], k: Tokens["H", "D"], v: Tokens["H", "D"], alpha: Tokens["H"], eta: Tokens["H"],
    theta: Tokens["H"], m0: State["H", "D", "D"], s0: State["H", "D", "D"],
):  # fmt: skip
    @scan(M=m0, S=s0)
    def step(M, S, q, k, v, alpha, eta, theta):
        S = sigmoid(eta) * S - outer(2 * sigmoid(theta) * (M @ k - v), k)
        M = sigmoid(-alpha) * M + S
        return M, S, M @ q

    return step(q, k, v, alpha, eta, theta), step.M, step.S


@linmu.pattern
def ttt_linear(
    q: Tokens["H", "D"], k: Tokens["H", "D"], v: Tokens["H", "D"], eta: Tokens["H"], w0: State["H", "D", "D"]
):
    @scan(W=w0)
    def step(W, q, k, v, eta):
        W = W - eta * outer(2 * (W @ k - v), k)
        return W, W @ q

    return step(q, k, v, eta), step.W
