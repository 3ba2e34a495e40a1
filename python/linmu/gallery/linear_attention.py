"""Linear attention

Katharopoulos, Vyas, Pappas, Fleuret: Transformers are RNNs, 2020, https://arxiv.org/abs/2006.16236

    S_t = S_{t-1} + k_t v_t^T
    z_t = z_{t-1} + k_t
    o_t = q_t^T S_t / (q_t^T z_t)
"""

from linmu.gallery import calls
from linmu.rules import State, Tokens, outer, pattern, scan

EXAMPLE = {"q": abs, "k": abs}


@pattern
def linear_attention(
    q: Tokens["H", "K"], k: Tokens["G", "K"], v: Tokens["G", "V"], s0: State["H", "K", "V"], z0: State["H", "K"],
    scale=1.0,
):  # fmt: skip
    @scan(S=s0, Z=z0)
    def step(S, Z, q, k, v):
        S, Z = S + outer(k, v), Z + k
        return S, Z, scale * (q @ S) / (scale * (q @ Z) + 1e-10)

    return step(q, k, v), step.S, step.Z


@pattern
def plain_linear_attention(
    q: Tokens["H", "K"], k: Tokens["G", "K"], v: Tokens["G", "V"], s0: State["H", "K", "V"], scale=1.0
):
    @scan(S=s0)
    def step(S, q, k, v):
        S = S + outer(k, v)
        return S, scale * (q @ S)

    return step(q, k, v), step.S


def chunk_linear_attn(q, k, v, scale=None, initial_state=None, output_final_state=False, normalize=True, cu_seqlens=None,
                      **options):  # fmt: skip
    """fla's: with `normalize` the states are (S, z), z of [sequences, 1, heads, K]."""
    function = "chunk_linear_attn"
    calls.check_options(function, options)
    scale, shape = calls.scaled(scale, k), (q.shape[2], k.shape[-1], v.shape[-1])
    operands = {"q": q, "k": k, "v": v}
    if not normalize:
        states = {"initial_state": (initial_state, shape)}
        return calls.walk(
            function, plain_linear_attention, operands, states, cu_seqlens, output_final_state, scale=scale
        )
    s0, z0 = initial_state if isinstance(initial_state, tuple) else (initial_state, None)
    z0 = z0 if z0 is None else z0.squeeze(1)
    states = {"initial_state[0]": (s0, shape), "initial_state[1]": (z0, shape[:2])}
    # As fla, which gives the states of this form whether they are asked for or not.
    out, (end, sums) = calls.walk(function, linear_attention, operands, states, cu_seqlens, True, scale=scale)
    return out, (end if output_final_state else None, sums[:, None])


def fused_recurrent_linear_attn(q, k, v, scale=None, initial_state=None, output_final_state=False, reverse=False,
                                normalize=False, cu_seqlens=None):  # fmt: skip
    calls.check_options("fused_recurrent_linear_attn", {"reverse": reverse})
    return chunk_linear_attn(q, k, v, scale, initial_state, output_final_state, normalize, cu_seqlens)


fused_chunk_linear_attn = chunk_linear_attn
