"""Random window attentions: grids, windows, shifts, scores, types and values that are no numbers, by the kernel and the
interpreter against window_oracle.py."""

import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import linmu
import window_oracle

# Of the largest value: f32 sums over up to some 100 keys, and exponents of scores up to some 20.
F32_TOLERANCE = 2e-5
BF16_TOLERANCE = 2**-7  # of a rounded value

FORBIDDEN = "%never = arith.constant 0xFF800000 : f32\n"


@dataclass
class Score:
    """A region's ops from %s, %qt ... %kx and %h to %r, and the same in numpy."""

    ops: str
    function: object


def _distance(axis: str) -> str:
    return (
        f"%d{axis} = arith.subi %q{axis}, %k{axis} : i32\n%f{axis} = arith.sitofp %d{axis} : i32 to f32\n"
        f"%a{axis} = math.absf %f{axis} : f32\n"
    )


SCORES = {
    "plain": None,
    "cap": Score(
        "%c = arith.constant 5.0 : f32\n%u = arith.divf %s, %c : f32\n%t = math.tanh %u : f32\n"
        "%r = arith.mulf %t, %c : f32",
        lambda s, q, k, h: 5 * np.tanh(s / 5),
    ),
    "decay": Score(
        _distance("t") + _distance("x") + "%c = arith.constant 0.25 : f32\n%p = arith.mulf %ax, %c : f32\n"
        "%u = arith.subf %s, %at : f32\n%r = arith.subf %u, %p : f32",
        lambda s, q, k, h: s - abs(q[..., 0] - k[..., 0]) - 0.25 * abs(q[..., 2] - k[..., 2]),
    ),
    "head": Score(
        "%f = arith.sitofp %h : i32 to f32\n%r = arith.mulf %s, %f : f32", lambda s, q, k, h: s * h
    ),
    # Keys to the left, and every key for queries of row 1, which therefore see nothing.
    "forbid": Score(
        FORBIDDEN + "%one = arith.constant 1 : i32\n%left = arith.cmpi slt, %kx, %qx : i32\n"
        "%row = arith.cmpi eq, %qy, %one : i32\n%not = arith.ori %left, %row : i1\n"
        "%r = arith.select %not, %never, %s : f32",
        lambda s, q, k, h: np.where((k[..., 2] < q[..., 2]) | (q[..., 1] == 1), -np.inf, s),
    ),
    # Far below -1e30, where only the nearest keys have weight.
    "deep": Score(
        _distance("x") + "%c = arith.constant -2.0e+30 : f32\n%p = arith.mulf %ax, %c : f32\n"
        "%u = arith.addf %p, %c : f32\n%r = arith.addf %u, %s : f32",
        lambda s, q, k, h: -2e30 * (1 + abs(q[..., 2] - k[..., 2])) + s,
    ),
}


@dataclass
class Case:
    grids: list
    window: tuple
    shift: tuple
    joined: bool = False
    score: str = "plain"
    heads: int = 2
    key_heads: int = 1
    features: int = 8
    values: int = 8
    batch: int = 1
    dtype: torch.dtype = torch.float32
    schedule: dict = field(default_factory=dict)
    poison: int = 0  # elements of the operands that become NaN or infinite
    scale: float = 0.5  # exact in f32

    @property
    def media(self):
        """Items with one more token of text before each, and two after the last."""
        rows, first = [], 0
        for number, grid in enumerate(self.grids):
            first += number + 1
            rows.append((first, *grid))
            first += int(np.prod(grid))
        return rows

    @property
    def tokens(self):
        return max((first + t * h * w for first, t, h, w in self.media), default=0) + 2

    def text(self) -> str:
        kind = {torch.float32: "f32", torch.bfloat16: "bf16"}[self.dtype]
        q, k = (f"tensor<?x?x{heads}x{self.features}x{kind}>" for heads in (self.heads, self.key_heads))
        v, o = (f"tensor<?x?x{heads}x{self.values}x{kind}>" for heads in (self.key_heads, self.heads))
        region = ""
        if score := SCORES[self.score]:
            region = (
                " {\n^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %h: i32):\n"
                f"{score.ops}\npattern.yield outputs(%r : f32)\n}}"
            )
        return (
            f"func.func @w(%q: {q}, %k: {k}, %v: {v}, %m: tensor<?x4xi32>) -> {o} {{\n"
            f"%o = pattern.window_attention %q, %k, %v media(%m : tensor<?x4xi32>) window {list(self.window)} "
            f"shift {list(self.shift)} scale {self.scale} wrap {'joined' if self.joined else 'masked'} : "
            f"({q}, {k}, {v}) -> {o}{region}\nreturn %o : {o}\n}}\n"
        )

    def operands(self, seed: int) -> dict:
        random = torch.Generator().manual_seed(seed)

        def normal(heads, size):
            x = torch.randn(self.batch, self.tokens, heads, size, generator=random)
            for _ in range(self.poison):
                place = tuple(int(torch.randint(n, (1,), generator=random)) for n in x.shape)
                what = (float("nan"), float("inf"), -float("inf"))[
                    int(torch.randint(3, (1,), generator=random))
                ]
                x[place] = what
            return x.to(self.dtype)

        return {
            "q": normal(self.heads, self.features),
            "k": normal(self.key_heads, self.features),
            "v": normal(self.key_heads, self.values),
            "m": torch.tensor(self.media, dtype=torch.int32).reshape(-1, 4),
        }

    def expected(self, operands: dict):
        score = SCORES[self.score]
        with np.errstate(invalid="ignore", over="ignore", under="ignore"):
            return window_oracle.windows(
                *(operands[name].double().numpy() for name in "qkv"),
                self.media,
                window=self.window,
                shift=self.shift,
                scale=self.scale,
                joined=self.joined,
                score=score and score.function,
            )

    def kernel(self, target: str = "cpu"):
        return linmu.compile(self.text(), schedule=self.schedule, target=target, cache=False)


def interpret(text: str, operands: dict):
    """The fp64 definition; its result is rounded to the result's type."""
    with tempfile.TemporaryDirectory() as folder:
        pattern, inputs, outputs = (Path(folder) / name for name in ("window.mlir", "in", "out"))
        pattern.write_text(text)
        save_file(operands, inputs)
        command = ["linmuc", pattern, "--run", inputs, "--out", outputs, "--target=interpreter"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the interpreter: {done.stderr}")
        return next(iter(load_file(outputs).values()))


def difference(actual, expected, dtype) -> str | None:
    """What differs, if anything does: each infinity and NaN must be one, the rest close."""
    actual = actual.double().numpy()
    for name, test in (("NaN", np.isnan), ("inf", np.isposinf), ("-inf", np.isneginf)):
        if (wrong := test(actual) != test(expected)).any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            return f"{name} at {place}: got {actual[place]}, expected {expected[place]}"
    finite = np.isfinite(expected)
    largest = np.abs(expected[finite]).max(initial=0)
    error = np.abs(actual[finite] - expected[finite]).max(initial=0)
    if dtype == torch.bfloat16:
        limit = BF16_TOLERANCE * largest
    else:
        limit = F32_TOLERANCE * max(1, largest)
    return None if error <= limit else f"error {error:.1e} of values up to {largest:.1e}"


def check(case: Case, seed: int = 0, interpreter: bool = True, target: str = "cpu") -> str | None:
    """What is wrong with the kernel or the interpreter, if anything is."""
    operands = case.operands(seed)
    expected = case.expected(operands)
    if problem := difference(case.kernel(target)(**operands), expected, case.dtype):
        return f"kernel: {problem}\n{case}"
    if interpreter and (problem := difference(interpret(case.text(), operands), expected, case.dtype)):
        return f"interpreter: {problem}\n{case}"
    return None


def random_case(seed: int) -> Case:
    """Grids of up to some 300 tokens in windows that are smaller, ragged or larger."""
    random = np.random.default_rng(seed)

    def choose(*options):
        return options[random.integers(len(options))]

    longest = choose(5, 9)
    grids = [tuple(int(n) for n in random.integers(1, longest, 3)) for _ in range(random.integers(4))]
    if random.random() < 0.2:
        grids.append((1, 1, int(random.integers(60, 160))))
    window = tuple(choose(int(random.integers(1, 8)), int(random.integers(1, 4)), 16) for _ in range(3))
    shift = tuple(choose(0, int(random.integers(n)), n // 2, n - 1) for n in window)
    heads = choose(1, 2, 4)
    schedule = choose({}, {}, {"key_block": 8}, {"query_block": 8}, {"query_block": 8, "key_block": 16})
    return Case(
        grids=grids,
        window=window,
        shift=shift,
        joined=bool(random.integers(2)),
        score=choose(*SCORES),
        heads=heads,
        key_heads=choose(*(n for n in (1, 2, 4) if heads % n == 0)),
        features=choose(1, 5, 8, 20),
        values=choose(1, 3, 8, 24),
        batch=choose(1, 2),
        dtype=choose(torch.float32, torch.float32, torch.bfloat16),
        schedule=schedule,
        poison=choose(0, 0, 1, 4),
    )
