"""One step's ops on arrays: as a kernel, and as the fp64 interpreter has them."""

import subprocess
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

import linmu

LINMUC = Path(__file__).resolve().parents[2] / "build/bin/linmuc"
STORED = {"f32": np.float32, "i1": np.bool_}
STORAGE = {np.dtype(np.float32): "f32", np.dtype(np.int32): "i32", np.dtype(np.bool_): "i1"}


def text_of(step: str, operands: dict[str, np.ndarray], result: str, width: int | None) -> str:
    """A map of `step`, which makes %r of type RESULT of %a, %b, ...; `!a` is the type of %a, `!r` of %r.

    A width gives vectors of so many elements, none scalars. Outputs are floats: an i1 comes out as a number, an
    i32 as its lower half and what it has beyond that, which f32 holds exactly.
    """
    number = "dense<65535>" if width else "65535"
    outputs = {
        "f32": ["%r"],
        "i1": ["%float"],
        "i32": ["%low", "%high"],
    }[result]
    step += {
        "f32": "",
        "i1": "\n%float = arith.uitofp %r : !r to !f",
        "i32": f"\n%mask = arith.constant {number} : !r\n%lower = arith.andi %r, %mask : !r\n"
        "%upper = arith.xori %r, %lower : !r\n%low = arith.sitofp %lower : !r to !f\n"
        "%high = arith.sitofp %upper : !r to !f",
    }[result]

    def outside(element):
        return f"tensor<?x?x1x{width}x{element}>" if width else f"tensor<?x?x1x{element}>"

    def inside(element):
        return f"tensor<{width}x{element}>" if width else element

    types = {name: STORAGE[values.dtype] for name, values in operands.items()} | {"r": result, "f": "f32"}
    aliases = "\n".join(f"!{name} = {inside(element)}" for name, element in types.items())
    arguments = ", ".join(f"%{name}s: {outside(types[name])}" for name in operands)
    tokens = ", ".join(f"%{name} = %{name}s : {outside(types[name])}" for name in operands)
    out = ", ".join([outside("f32")] * len(outputs))
    names = ", ".join(f"%o{i}" for i in range(len(outputs)))
    return f"""{aliases}
func.func @step({arguments}) -> ({out}) {{
  {names} = pattern.map tokens({tokens}) -> ({out}) {{
    {step}
    pattern.yield outputs({", ".join(outputs)} : {", ".join(["!f"] * len(outputs))})
  }}
  return {names} : {out}
}}
"""


def as_tokens(values: np.ndarray, width: int | None) -> np.ndarray:
    """[B=1, N, H=1] or [B, N, H, width], filled up with the first value."""
    width = width or 1
    padded = np.full(-(-values.size // width) * width, values[0], values.dtype)
    padded[: values.size] = values
    return padded.reshape((1, -1, 1, width) if width > 1 else (1, -1, 1))


def joined(outputs: list[np.ndarray], result: str) -> np.ndarray:
    """The elements of %r, of the outputs that it came out as."""
    outputs = [np.asarray(x).reshape(-1) for x in outputs]
    if result == "i32":
        return sum(x.astype(np.int64) for x in outputs).astype(np.int32)
    return outputs[0].astype(STORED[result])


def by_kernel(step: str, operands: dict[str, np.ndarray], result: str = "f32", width: int | None = 16):
    kernel = linmu.compile(text_of(step, operands, result, width))
    size = next(iter(operands.values())).size
    made = kernel(*(as_tokens(x, width) for x in operands.values()))
    return joined(list(made) if isinstance(made, tuple | list) else [made], result)[:size]


def by_interpreter(
    folder: Path, step: str, operands: dict[str, np.ndarray], result: str = "f32", width: int | None = 16
):
    (folder / "step.mlir").write_text(text_of(step, operands, result, width))
    tensors = {f"{name}s": as_tokens(x, width) for name, x in operands.items()}
    save_file(tensors, folder / "in.safetensors")
    command = [LINMUC, "step.mlir", "--run", "in.safetensors", "--out", "out.safetensors"]
    done = subprocess.run([*command, "--target=interpreter"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    size = next(iter(operands.values())).size
    made = load_file(folder / "out.safetensors")
    return joined([made[name] for name in sorted(made)], result)[:size]


def ulps(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The errors of f32 numbers in units of the last place of the expected fp64 numbers.

    Subnormal numbers count as zero. An infinity, a NaN or the sign of a zero that is wrong is an infinite error.
    """
    smallest = float(np.finfo(np.float32).tiny)
    with np.errstate(all="ignore"):
        rounded = expected.astype(np.float32)
        unit = np.ldexp(1.0, np.frexp(np.where(np.isfinite(expected), expected, 1))[1] - 24)
        error = np.abs(actual.astype(np.float64) - expected) / unit
        # What rounds to the smallest number may be it or zero.
        is_small = np.abs(expected) < smallest
        small = (actual == 0) | (np.abs(actual) == smallest) & (np.abs(rounded) == smallest)
        error = np.where(is_small, np.where(small, 0, np.inf), error)
        # Beyond the largest number, infinity and it are neighbours.
        overflows = ~np.isfinite(rounded) & np.isfinite(expected)
        largest = np.finfo(np.float32).max
        near = (np.abs(actual) == largest) & (np.abs(expected) < 2.0**128 * (1 + 2.0**-23))
        error = np.where(overflows, np.where((actual == rounded) | near, 0, np.inf), error)
        near = np.isinf(actual) & (np.abs(rounded) >= np.float32(largest) * (1 - 2.0**-23))
        error = np.where(near & (np.sign(actual) == np.sign(expected)), 0, error)
        error = np.where(np.isinf(expected), np.where(actual == expected, 0, np.inf), error)
        error = np.where(np.isnan(expected), np.where(np.isnan(actual), 0, np.inf), error)
        wrong_sign = (expected == 0) & (np.signbit(actual) != np.signbit(expected))
        return np.where(wrong_sign | (np.isnan(actual) & ~np.isnan(expected)), np.inf, error)


def every_exponent(count: int, seed: int = 0) -> np.ndarray:
    """About `count` f32 numbers, random ones in each binade of both signs, and the ends of binades."""
    random, each = np.random.default_rng(seed), -(-count // (2 * 254))
    mantissas = random.integers(0, 2**23, (2, 254, each), dtype=np.uint32)
    mantissas[:, :, 0], mantissas[:, :, 1] = 0, 2**23 - 1
    exponents = np.arange(1, 255, dtype=np.uint32)[None, :, None] << 23
    signs = np.arange(2, dtype=np.uint32)[:, None, None] << 31
    numbers = (signs | exponents | mantissas).view(np.float32).reshape(-1)
    return np.concatenate([numbers, np.array([0.0, -0.0, np.inf, -np.inf, np.nan], np.float32)])
