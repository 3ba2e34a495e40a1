"""Linear-attention patterns compiled for the machine at hand.

>>> kernel = linmu.compile("cell.mlir")
>>> output, state = kernel(query, key, value, gate)
"""

from linmu.kernel import Kernel, PatternError, compile, explain, load, statistics

__all__ = ["Kernel", "PatternError", "compile", "explain", "load", "statistics"]
