"""Results against what is expected of them: tolerances, and the error of the worst token and head."""

import numpy as np
import torch

# Rounding of sums in f32, which a solve amplifies; then that of results, to 8 and to 11 bits.
TOLERANCE, FEEDBACK_TOLERANCE, BF16_TOLERANCE, F16_TOLERANCE = 2e-5, 1e-4, 2e-2, 4e-3
# Of products whose operands are rounded to bf16 or f16, those of a solve among them.
ROUNDED_TOLERANCE = 2e-2


class Mismatch(Exception):
    pass


def worst(actual: torch.Tensor, expected: np.ndarray, head_axis: int) -> float:
    """The error of the worst token and head beyond that of rounding to the result's type, relative to the head's
    root mean square. Operands are of size one: what is much smaller has cancelled, and has no relative accuracy."""
    if expected.size == 0:
        return 0.0
    values = actual.double().numpy()
    rounded = torch.from_numpy(expected).to(actual.dtype).double().numpy()
    axes = tuple(i for i in range(expected.ndim) if i != head_axis)
    scale = np.maximum(np.sqrt((expected**2).mean(axis=axes, keepdims=True)), 0.1)
    distance = np.abs(values - expected) - np.abs(rounded - expected)
    squares = (np.maximum(distance, 0) / scale) ** 2
    features = tuple(range(head_axis + 1, expected.ndim))
    error = np.sqrt(squares.mean(axis=features) if features else squares)
    return float(np.nan_to_num(error, nan=np.inf).max())


def compare(
    actual: dict,
    expected: dict[str, np.ndarray],
    what: str,
    storage: str,
    feedback: bool,
    rounded_products: bool = False,
) -> None:
    """By name: `o...` and `y` are outputs [B, N, H, ...], `S...` states [B, H, ...], `...tail` are copies. Rounded
    products err by the type's digits in states as well."""
    for name, values in expected.items():
        tolerance = FEEDBACK_TOLERANCE if feedback else TOLERANCE
        if rounded_products and storage != "f32":
            tolerance = ROUNDED_TOLERANCE
        elif name[0] in "oy":
            tolerance = {"bf16": BF16_TOLERANCE, "f16": F16_TOLERANCE}.get(storage, tolerance)
        axis = 1 if name[0] == "S" else 2
        if name.endswith("tail"):
            tolerance, axis = 1e-30, actual[name].dim() - 1
        error = worst(actual[name], values, min(axis, values.ndim - 1))
        if not error < tolerance:
            raise Mismatch(f"{what}: '{name}' has error {error:.1e}, expected < {tolerance:.0e}")
