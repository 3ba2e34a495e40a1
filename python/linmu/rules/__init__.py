"""Rules in Python: functions of tokens, parameters and states, traced into patterns."""

from linmu.rules.annotations import Index, Mask, Media, Param, Sequences, State, Tail, Tokens, zeros
from linmu.rules.functions import *  # noqa: F403
from linmu.rules.functions import __all__ as _functions
from linmu.rules.orders import permute, token_order
from linmu.rules.rule import Rule, pattern
from linmu.rules.scans import scan
from linmu.rules.windows import window_attention

__all__ = [  # noqa: PLE0604
    "Index", "Mask", "Media", "Param", "Rule", "Sequences", "State", "Tail", "Tokens", "pattern", "permute", "scan", "token_order",
    "window_attention", "zeros", *_functions,
]  # fmt: skip
