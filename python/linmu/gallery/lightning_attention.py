"""Lightning attention (TransNormerLLM, MiniMax-01)

Qin, Sun, Li, Shen, Sun, Zhong: Lightning Attention-2, 2024, https://arxiv.org/abs/2401.04658

    S_t = lambda_h S_{t-1} + k_t v_t^T,    lambda_h = exp(-(8 h / H) (1 - layer / layers))
    o_t = q_t^T S_t

The activation, norm and gate around it are those of TransNormerLLM, https://arxiv.org/abs/2307.14995.
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, silu
from linmu.gallery.retention import of_log_decays
from linmu.rules import Param, State, Tokens, outer, pattern, rsqrt, scan

EXAMPLE = {"g": lambda x: -abs(x) / 10}


@pattern
def lightning_attention(
    q: Tokens["H", "D"], k: Tokens["H", "D"], v: Tokens["H", "D"], u: Tokens["H", "D"], g: Param["H"],
    s0: State["H", "D", "D"],
):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, u):
        S = decay(g) * S + outer(silu(k), v)
        o = silu(q) @ S
        return S, o * rsqrt(o @ o / len(o) + 1e-6) * u

    return step(q, k, v, u), step.S


def chunk_lightning_attn(q, k, v, layer_idx, num_layers, scale=None, initial_state=None, output_final_state=False,
                         cu_seqlens=None, **options):  # fmt: skip
    """fla's, which is the recurrence alone."""
    import torch

    calls.check_options("chunk_lightning_attn", options)
    heads = q.shape[2]
    g = -(8 / heads * (1 - layer_idx / num_layers)) * torch.arange(
        heads, dtype=torch.float32, device=q.device
    )
    return of_log_decays(
        "chunk_lightning_attn", q, k, v, g, scale, initial_state, output_final_state, cu_seqlens
    )


def fused_recurrent_lightning_attn(q, k, v, layer_idx, num_layers, scale=None, initial_state=None,
                                   output_final_state=False, reverse=False, cu_seqlens=None):  # fmt: skip
    calls.check_options("fused_recurrent_lightning_attn", {"reverse": reverse})
    return chunk_lightning_attn(
        q, k, v, layer_idx, num_layers, scale, initial_state, output_final_state, cu_seqlens
    )
