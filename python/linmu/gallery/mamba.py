"""The selective scan (Mamba)

Gu, Dao: Mamba: Linear-Time Sequence Modeling with Selective State Spaces, 2023, https://arxiv.org/abs/2312.00752

    h_t = exp(delta_t A) h_{t-1} + delta_t u_t B_t        of each channel, h of N numbers
    y_t = h_t . C_t + D u_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, silu
from linmu.rules import Param, State, Tokens, pattern, scan

SIZES = {"H": 256, "N": 16}
EXAMPLE = {"delta": lambda x: abs(x) / 10, "A": lambda x: -abs(x)}


@pattern
def selective_scan(
    u: Tokens["H"], delta: Tokens["H"], B: Tokens["G", "N"], C: Tokens["G", "N"], z: Tokens["H"], A: Param["H", "N"],
    D: Param["H"], h0: State["H", "N"], gate=True,
):  # fmt: skip
    @scan(H=h0)
    def step(H, u, delta, B, C, z):
        H = decay(delta * A) * H + delta * u * B
        y = H @ C + D * u
        return H, y * silu(z) if gate else y

    return step(u, delta, B, C, z), step.H


def selective_scan_fn(u, delta, A, B, C, D=None, z=None, delta_bias=None, delta_softplus=False, return_last_state=False,
                      **options):  # fmt: skip
    """mamba_ssm's. u, delta and z: [batch, channels, tokens], A: [channels, N], B and C: [batch, N, tokens] or [batch,
    groups, N, tokens], D and delta_bias: [channels]. Gives y, with `return_last_state` also the states [batch, channels,
    N]."""
    import torch

    function = "selective_scan_fn"
    calls.check_options(function, options)
    if A.is_complex() or B.dim() < 3 or C.dim() < 3:
        raise NotImplementedError(f"{function} supports real A, and B and C of tokens; got A of {A.dtype}, B of "
                                  f"{list(B.shape)}, C of {list(C.shape)}")  # fmt: skip
    delta = delta if delta_bias is None else delta.float() + delta_bias.float()[:, None]
    delta = torch.nn.functional.softplus(delta.float()) if delta_softplus else delta
    D = torch.zeros_like(A[:, 0]) if D is None else D
    B, C = (x[:, None] if x.dim() == 3 else x for x in (B, C))
    gate = z is not None
    u, delta, z = (x.transpose(1, 2) for x in (u, delta, z if gate else u))
    operands = {
        "u": u,
        "delta": delta,
        "B": B.permute(0, 3, 1, 2),
        "C": C.permute(0, 3, 1, 2),
        "z": z,
        "A": A,
        "D": D,
    }
    states = {"initial_state": (None, tuple(A.shape))}
    out, final = calls.walk(function, selective_scan, operands, states, None, return_last_state, gate=gate)
    out = out.transpose(1, 2)
    return (out, final) if return_last_state else out
