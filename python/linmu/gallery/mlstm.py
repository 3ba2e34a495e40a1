"""mLSTM (xLSTM)

Beck, Pöppel, Spanring, et al.: xLSTM: Extended Long Short-Term Memory, 2024, https://arxiv.org/abs/2405.04517

    C_t = sigmoid(f_t) C_{t-1} + exp(i_t) k_t v_t^T
    n_t = sigmoid(f_t) n_{t-1} + exp(i_t) k_t
    o_t = q_t^T C_t / max(|q_t^T n_t|, 1)

without the stabiliser, which changes no result in exact arithmetic: i is to stay below 80.
"""

from linmu.gallery import calls
from linmu.rules import State, Tokens, exp, maximum, outer, pattern, scan, sigmoid

EXAMPLE = {"f": lambda x: x + 3}


@pattern
def mlstm(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], i: Tokens["H"], f: Tokens["H"],
    c0: State["H", "K", "V"], n0: State["H", "K"], scale=1.0,
):  # fmt: skip
    @scan(C=c0, N=n0)
    def step(C, N, q, k, v, i, f):
        k = scale * k
        C, N = sigmoid(f) * C + exp(i) * outer(k, v), sigmoid(f) * N + exp(i) * k
        return C, N, q @ C / maximum(abs(q @ N), 1)

    return step(q, k, v, i, f), step.C, step.N


def chunk_mlstm(
    q, k, v, i, f, scale=None, initial_state=None, output_final_state=False, cu_seqlens=None, **options
):
    """i and f are the input and forget gates before exp and sigmoid, of [batch, tokens, heads]; states are (C, n)."""
    calls.check_options("chunk_mlstm", options)
    c0, n0 = (None, None) if initial_state is None else initial_state
    shape = (q.shape[2], k.shape[-1], v.shape[-1])
    states = {"initial_state[0]": (c0, shape), "initial_state[1]": (n0, shape[:2])}
    return calls.walk("chunk_mlstm", mlstm, {"q": q, "k": k, "v": v, "i": i, "f": f}, states, cu_seqlens,
                      output_final_state, scale=calls.scaled(scale, k))  # fmt: skip
