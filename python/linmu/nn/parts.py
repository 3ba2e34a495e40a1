"""Parts of layers: the causal convolution of few tokens, norms, and the rules that they are in a walk."""

import math

import torch
from torch import nn

from linmu.rules import Param, Tail, Tokens, lag, pattern, rsqrt, scan, sigmoid

__all__ = ["RMSNorm", "ShortConvolution", "normalised", "short_convolution", "silu"]

TAPS = 4  # lags reach three tokens


def silu(x):
    return x * sigmoid(x)


def normalised(x, weight, eps):
    """x over the root of the mean of its squares, scaled."""
    return x * rsqrt((x @ x) / len(x) + eps) * weight


@pattern
def short_convolution(
    x: Tokens["H", "D"], w0: Param["H", "D"], w1: Param["H", "D"], w2: Param["H", "D"], w3: Param["H", "D"],
    bias: Param["H", "D"], before: Tail[3, "H", "D"],
):  # fmt: skip
    """silu of the sum of this token's features times w0, those of the token before times w1, and so on."""

    @scan
    def step(x):
        return silu(x * w0 + lag(x, 1) * w1 + lag(x, 2) * w2 + lag(x, 3) * w3 + bias)

    return step(x.after(before)), step.x


def _state_of(parameter: torch.Tensor | None) -> tuple | None:
    """What changes when the numbers of a parameter do; None where nothing tells."""
    if parameter is None:
        return ()
    if parameter.is_inference():
        return None
    return parameter.data_ptr(), parameter._version, parameter.dtype


class ShortConvolution(nn.Module):
    """The parameters of a depthwise causal convolution: `weight` [features, 1, kernel_size], the last entry that of the
    token itself, and `bias`."""

    def __init__(self, hidden_size: int, kernel_size: int = 4, bias: bool = False):
        super().__init__()
        if not 1 <= kernel_size <= TAPS:
            raise ValueError(f"ShortConvolution: expected a kernel_size of 1 to {TAPS}, got {kernel_size}")
        self.hidden_size, self.kernel_size = hidden_size, kernel_size
        self.weight = nn.Parameter(torch.empty(hidden_size, 1, kernel_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size)) if bias else None
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        self._last: tuple = ()

    def taps(self, size: int) -> list[torch.Tensor]:
        """What `short_convolution` takes, [heads, size] each, of these features: w0 to w3 and the bias."""
        key = (size, *map(_state_of, (self.weight, self.bias)))
        if not self._last or self._last[0] != key or None in key:
            rows = self.weight.detach()[:, 0].flip(-1).t()
            rows = torch.nn.functional.pad(rows, (0, 0, 0, TAPS + 1 - rows.shape[0])).contiguous()
            if self.bias is not None:
                rows[TAPS] = self.bias.detach()
            self._last = (key, [row.unflatten(0, (-1, size)) for row in rows])
        return self._last[1]

    def extra_repr(self) -> str:
        return f"{self.hidden_size}, kernel_size={self.kernel_size}, bias={self.bias is not None}"


class RMSNorm(nn.Module):
    """The parameter of a norm over `hidden_size` features."""

    def __init__(self, hidden_size: int, eps: float = 1e-5):
        super().__init__()
        self.hidden_size, self.eps = hidden_size, eps
        self.weight = nn.Parameter(torch.ones(hidden_size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.rms_norm(x, (self.hidden_size,), self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.hidden_size}, eps={self.eps}"
