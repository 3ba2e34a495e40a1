"""Rules under torch.compile, which sees a call of one as an operator on its tensors and traces nothing of it."""

import torch

from linmu import torch_operator
from linmu.rules.rule import rule_named

__all__ = ["call_rule"]


@torch.compiler.allow_in_graph
def call_rule(name: str, threads: int, constants: tuple, *tensors):
    """The results of the rule of that name; `constants` are pairs of name and value."""
    rule, fixed = rule_named(name), {key: _fixed(value) for key, value in constants}
    return torch_operator.call(rule.compiled(*rule.specialised(list(tensors), fixed)), list(tensors), threads)


def _fixed(value):
    """A constant is compiled into the kernel, so that a graph is for that one, also where numbers are symbols in it."""
    for symbol, number in ((torch.SymFloat, float), (torch.SymInt, int), (torch.SymBool, bool)):
        if isinstance(value, symbol):
            return number(value)
    return value
