"""Linear-attention patterns compiled for the machine at hand.

>>> kernel = linmu.compile("cell.mlir")
>>> output, state = kernel(query, key, value, gate)
"""

from _linmu import __version__

from linmu.kernel import Kernel, PatternError, compile, explain, load, statistics

__all__ = ["Kernel", "PatternError", "__version__", "compile", "explain", "load", "statistics"]
