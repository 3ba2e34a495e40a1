"""Layers of torch over rules: projection, short convolution, rule, norm and gate, each walk in one launch.

>>> layer, cache = linmu.nn.GatedDeltaNet(hidden_size=512, head_dim=64, num_heads=4), linmu.nn.Cache()
>>> with torch.no_grad():
...     y = layer(x, cache)             # a prompt of any length
...     y = layer(x_next, cache)        # and the tokens after it

Parameters have the names and shapes of flash-linear-attention's layers of these names, so that their weights load. Layers
run without gradients.
"""

from linmu.nn.cache import Cache
from linmu.nn.gated_deltanet import GatedDeltaNet
from linmu.nn.gla import GatedLinearAttention
from linmu.nn.mamba2 import Mamba2
from linmu.nn.parts import RMSNorm, ShortConvolution
from linmu.nn.retention import MultiScaleRetention

__all__ = [
    "Cache",
    "GatedDeltaNet",
    "GatedLinearAttention",
    "Mamba2",
    "MultiScaleRetention",
    "RMSNorm",
    "ShortConvolution",
]
