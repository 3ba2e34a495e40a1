"""State space duality (Mamba-2)

Dao, Gu: Transformers are SSMs, 2024, https://arxiv.org/abs/2405.21060

    H_t = exp(dt_t A) H_{t-1} + dt_t x_t B_t^T
    y_t = H_t C_t + D x_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, silu
from linmu.rules import Param, State, Tokens, outer, pattern, scan

EXAMPLE = {"dt": lambda x: abs(x) / 10, "A": lambda x: -abs(x)}


@pattern
def ssd(
    x: Tokens["H", "P"], dt: Tokens["H"], B: Tokens["G", "N"], C: Tokens["G", "N"], z: Tokens["H", "P"], A: Param["H"],
    D: Param["H"], h0: State["H", "P", "N"], gate=True,
):  # fmt: skip
    @scan(H=h0)
    def step(H, x, dt, B, C, z):
        H = decay(dt * A) * H + outer(dt * x, B)
        y = H @ C + D * x
        return H, y * silu(z) if gate else y

    return step(x, dt, B, C, z), step.H


def mamba_chunk_scan_combined(x, dt, A, B, C, chunk_size=None, D=None, z=None, dt_bias=None, initial_states=None,
                              seq_idx=None, cu_seqlens=None, dt_softplus=False, dt_limit=(0.0, float("inf")),
                              return_final_states=False, **options):  # fmt: skip
    """mamba_ssm's. x: [batch, tokens, heads, P], dt: [batch, tokens, heads], A, D and dt_bias: [heads], B and C: [batch,
    tokens, groups, N], states [sequences, heads, P, N]. Gives y, with `return_final_states` also the final states."""
    import torch

    function = "mamba_chunk_scan_combined"
    calls.check_options(function, {"seq_idx": seq_idx, **options})
    if D is not None and D.dim() != 1:
        raise NotImplementedError(f"{function}: expected D of [heads], got {list(D.shape)}")
    if dt_bias is not None or dt_softplus:
        dt = dt.float() + (0 if dt_bias is None else dt_bias.float())
        dt = torch.nn.functional.softplus(dt) if dt_softplus else dt
    if tuple(dt_limit) != (0.0, float("inf")):
        dt = dt.clamp(*dt_limit)
    D = torch.zeros_like(A) if D is None else D
    operands = {"x": x, "dt": dt, "B": B, "C": C, "z": x if z is None else z, "A": A, "D": D}
    states = {"initial_states": (initial_states, (*x.shape[2:], B.shape[-1]))}
    out, final = calls.walk(
        function, ssd, operands, states, cu_seqlens, return_final_states, gate=z is not None
    )
    return (out, final) if return_final_states else out
