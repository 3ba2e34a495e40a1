"""Published rules in Python, one a file, and functions with the names and arguments of flash-linear-attention (fla-core
0.6) and mamba_ssm over them.

>>> from linmu.gallery import chunk_gated_delta_rule
>>> o, state = chunk_gated_delta_rule(q, k, v, g, beta, output_final_state=True)

A rule takes the tensors and states of its annotations; a function what its namesake takes, and gives what that gives. What a
function does not support is an error that names the argument. docs/gallery has a page for each rule.
"""

from linmu.gallery.comba import chunk_comba, comba, fused_recurrent_comba
from linmu.gallery.delta_rule import (
    chunk_delta_rule,
    delta_rule,
    fused_chunk_delta_rule,
    fused_recurrent_delta_rule,
)
from linmu.gallery.dplr import (
    chunk_dplr_delta_rule,
    chunk_rwkv7,
    dplr,
    fused_recurrent_dplr_delta_rule,
    fused_recurrent_rwkv7,
)
from linmu.gallery.gated_delta_product import chunk_gated_delta_product, gated_delta_product
from linmu.gallery.gated_delta_rule import (
    chunk_gated_delta_rule,
    chunk_gdn,
    fused_recurrent_gated_delta_rule,
    fused_recurrent_gdn,
    gated_delta_rule,
)
from linmu.gallery.gated_oja_rule import chunk_gated_oja_rule, fused_recurrent_gated_oja_rule, gated_oja_rule
from linmu.gallery.gdn2 import chunk_gdn2, fused_recurrent_gdn2, gdn2
from linmu.gallery.gla import chunk_gla, fused_chunk_gla, fused_recurrent_gla, gla
from linmu.gallery.gsa import chunk_gsa, fused_recurrent_gsa, gsa
from linmu.gallery.hgrn import chunk_hgrn, fused_recurrent_hgrn, hgrn
from linmu.gallery.hgrn2 import chunk_hgrn2, hgrn2
from linmu.gallery.iplr import chunk_iplr_delta_rule, fused_recurrent_iplr_delta_rule, iplr
from linmu.gallery.kda import chunk_kda, fused_recurrent_kda, kda
from linmu.gallery.lightning_attention import (
    chunk_lightning_attn,
    fused_recurrent_lightning_attn,
    lightning_attention,
)
from linmu.gallery.linear_attention import (
    chunk_linear_attn,
    fused_chunk_linear_attn,
    fused_recurrent_linear_attn,
    linear_attention,
)
from linmu.gallery.longhorn import longhorn
from linmu.gallery.lru import lru
from linmu.gallery.mamba import selective_scan, selective_scan_fn
from linmu.gallery.mamba2 import mamba_chunk_scan_combined, ssd
from linmu.gallery.min_gru import min_gru
from linmu.gallery.mlstm import chunk_mlstm, mlstm
from linmu.gallery.retention import (
    chunk_retention,
    fused_chunk_retention,
    fused_recurrent_retention,
    retention,
)
from linmu.gallery.rg_lru import rg_lru
from linmu.gallery.rwkv6 import chunk_rwkv6, fused_recurrent_rwkv6, rwkv6
from linmu.gallery.rwkv7 import rwkv7
from linmu.gallery.s4d import s4d
from linmu.gallery.simple_gla import (
    chunk_simple_gla,
    fused_chunk_simple_gla,
    fused_recurrent_simple_gla,
    simple_gla,
)
from linmu.gallery.slstm import slstm
from linmu.gallery.titans import titans
from linmu.gallery.ttt_linear import ttt_linear

# In the order of the pages.
RULES = [
    "linear_attention",
    "retention",
    "lightning_attention",
    "simple_gla",
    "gla",
    "hgrn",
    "hgrn2",
    "delta_rule",
    "gated_delta_rule",
    "kda",
    "comba",
    "gated_delta_product",
    "iplr",
    "dplr",
    "rwkv6",
    "rwkv7",
    "gsa",
    "gdn2",
    "gated_oja_rule",
    "selective_scan",
    "ssd",
    "s4d",
    "lru",
    "longhorn",
    "rg_lru",
    "min_gru",
    "mlstm",
    "slstm",
    "titans",
    "ttt_linear",
]
FUNCTIONS = [
    "chunk_comba",
    "chunk_delta_rule",
    "chunk_dplr_delta_rule",
    "chunk_gated_delta_product",
    "chunk_gated_delta_rule",
    "chunk_gated_oja_rule",
    "chunk_gdn",
    "chunk_gdn2",
    "chunk_gla",
    "chunk_gsa",
    "chunk_hgrn",
    "chunk_hgrn2",
    "chunk_iplr_delta_rule",
    "chunk_kda",
    "chunk_lightning_attn",
    "chunk_linear_attn",
    "chunk_mlstm",
    "chunk_retention",
    "chunk_rwkv6",
    "chunk_rwkv7",
    "chunk_simple_gla",
    "fused_chunk_delta_rule",
    "fused_chunk_gla",
    "fused_chunk_linear_attn",
    "fused_chunk_retention",
    "fused_chunk_simple_gla",
    "fused_recurrent_comba",
    "fused_recurrent_delta_rule",
    "fused_recurrent_dplr_delta_rule",
    "fused_recurrent_gated_delta_rule",
    "fused_recurrent_gated_oja_rule",
    "fused_recurrent_gdn",
    "fused_recurrent_gdn2",
    "fused_recurrent_gla",
    "fused_recurrent_gsa",
    "fused_recurrent_hgrn",
    "fused_recurrent_iplr_delta_rule",
    "fused_recurrent_kda",
    "fused_recurrent_lightning_attn",
    "fused_recurrent_linear_attn",
    "fused_recurrent_retention",
    "fused_recurrent_rwkv6",
    "fused_recurrent_rwkv7",
    "fused_recurrent_simple_gla",
    "mamba_chunk_scan_combined",
    "selective_scan_fn",
]

__all__ = [*RULES, *FUNCTIONS]  # noqa: PLE0604
