"""HGRN: the hierarchically gated recurrence

Qin, Yang, Zhong: Hierarchically Gated Recurrent Neural Network, 2023, https://arxiv.org/abs/2311.04823

    h_t = exp(g_t) * h_{t-1} + x_t
"""

from linmu.gallery import calls
from linmu.gallery.common import decay, log_decays
from linmu.rules import State, Tokens, pattern, scan

EXAMPLE = {"g": log_decays}


@pattern
def hgrn(x: Tokens["H", "D"], g: Tokens["H", "D"], h0: State["H", "D"]):
    @scan(H=h0)
    def step(H, x, g):
        H = decay(g) * H + x
        return H, H

    return step(x, g), step.H


def fused_recurrent_hgrn(x, g, initial_state=None, output_final_state=False, cu_seqlens=None, **options):
    """Of [batch, tokens, features]; the features are dealt to heads, which run beside each other."""
    calls.check_options("fused_recurrent_hgrn", options)
    size = max(n for n in range(1, 65) if x.shape[-1] % n == 0)
    parts = (-1, size)
    state = None if initial_state is None else initial_state.unflatten(-1, parts)
    operands = {"x": x.unflatten(-1, parts), "g": g.unflatten(-1, parts)}
    states = {"initial_state": (state, (x.shape[-1] // size, size))}
    out, final = calls.walk("fused_recurrent_hgrn", hgrn, operands, states, cu_seqlens, output_final_state)
    return out.flatten(2), None if final is None else final.flatten(1)


chunk_hgrn = fused_recurrent_hgrn
