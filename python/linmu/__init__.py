"""Linear-attention patterns compiled for the machine at hand, from their text or written as Python rules.

>>> kernel = linmu.compile("cell.mlir")
>>> output, state = kernel(query, key, value, gate)
"""

from _linmu import __version__

from linmu.kernel import Kernel, PatternError, compile, explain, load, statistics

# What linmu.rules has, which is imported when one of them is first asked for.
_RULES = [
    "Index", "Mask", "Media", "Param", "Rule", "Sequences", "State", "Tail", "Tokens", "assume", "cos", "dot", "erf", "exp", "exp2",
    "expm1", "fma", "lag", "log", "log1p", "log2", "maximum", "maxnum", "minimum", "minnum", "outer", "pattern",
    "permute", "quotient", "remainder", "rsqrt", "scan", "sigmoid", "sin", "softplus", "sqrt", "tanh", "to_float",
    "to_int", "token_order", "where", "window_attention", "zeros",
]  # fmt: skip

__all__ = ["Kernel", "PatternError", "__version__", "compile", "explain", "load", "statistics", *_RULES]  # noqa: PLE0604


def __getattr__(name):
    if name not in _RULES and name not in ("models", "rules"):
        raise AttributeError(f"module 'linmu' has no attribute '{name}'")
    import importlib

    if name == "models":
        return importlib.import_module("linmu.models")

    rules = importlib.import_module("linmu.rules")
    globals().update({rule: getattr(rules, rule) for rule in _RULES})
    return rules if name == "rules" else globals()[name]


def __dir__():
    return sorted([*globals(), *_RULES])
