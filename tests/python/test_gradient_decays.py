"""Gradients where decays are of every size, the decay's own too, against the loop of the equations in fp64.

Each head has decays of one class: near 1, e^-5, e^-12, exactly 0 and all of them mixed. A gradient is held to the worst
token of each head, relative to that gradient's root mean square over the head.
"""

import functools

import numpy as np
import pytest
import torch

from gradient_support import gradients

WIDTH = 16
CLASSES = ("near 1", "e^-5", "e^-12", "0", "mixed")
HEADS = len(CLASSES)
KINDS = ("none", "scalar", "row", "value", "both", "signed")
VECTORS = ("row", "value", "both", "signed")

# S' = a S + k w^T, read by q behind the write; with feedback w = b (v - k^T (a S)), the gated delta rule. With "both" the
# rows decay by exp(g) and the columns by exp(h), with "signed" the rows by p exp(g), where p is 1 or -1.
TEXT = """
!t = tensor<?x?x{H}x{D}xf32>
!b = tensor<?x?x{H}xf32>
!g = tensor<?x?x{H}{X}xf32>
!s = tensor<?x{H}x{D}x{D}xf32>
!v = tensor<{D}xf32>
!m = tensor<{D}x{D}xf32>
func.func @decayed(%q: !t, %k: !t, %v: !t, %b: !b, %g: !g{extra}, %s0: !s{cu}) -> (!t {{pattern.name = "o"}}, !s {{pattern.name = "s"}}) {{
  %o, %s = pattern.scan tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t, %bt = %b : !b, %gt = %g : !g{extra_token})
      states(%S = %s0 : !s) {clause} -> (!t) {{
    {decay}
    %D = arith.mulf %A, %S : !m
    %B = pattern.broadcast %bt : f32 to !v
    {write}
    %W = pattern.outer %kt, %w : !v, !v
    %N = arith.addf %D, %W : !m
    %y = pattern.read %N, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%N : !m)
  }}
  return %o, %s : !t, !s
}}
"""
KNOWN = "%known = pattern.assume %gt in [-1.0e5, 0.0] : {0}\n    %a = math.exp %known : {0}\n    "
DECAYS = {
    "none": "%A = arith.constant dense<1.0> : !m",
    "scalar": KNOWN.format("f32") + "%A = pattern.broadcast %a : f32 to !m",
    "row": KNOWN.format("!v") + "%A = pattern.broadcast %a along 0 : !v to !m",
    "value": KNOWN.format("!v") + "%A = pattern.broadcast %a along 1 : !v to !m",
    "both": KNOWN.format("!v")
    + """%others = pattern.assume %ht in [-1.0e5, 0.0] : !v
    %c = math.exp %others : !v
    %A = pattern.outer %a, %c : !v, !v""",
    "signed": KNOWN.format("!v")
    + """%either = pattern.assume %pt in [-1.0, 1.0] : !v
    %c = arith.mulf %either, %a : !v
    %A = pattern.broadcast %c along 0 : !v to !m""",
}
EXTRA = {"both": "h", "signed": "p"}
WRITES = {
    False: "%w = arith.mulf %B, %vt : !v",
    True: "%old = pattern.read %D, %kt : !m, !v\n    %e = arith.subf %vt, %old : !v\n    %w = arith.mulf %B, %e : !v",
}


def source_of(kind: str, feedback: bool, folder, ragged: bool = False):
    width, extra = f"x{WIDTH}" if kind in VECTORS else "", EXTRA.get(kind)
    text = TEXT.format(
        H=HEADS,
        D=WIDTH,
        X=width,
        extra=f", %{extra}: !g" if extra else "",
        extra_token=f", %{extra}t = %{extra} : !g" if extra else "",
        decay=DECAYS[kind],
        write=WRITES[feedback],
        cu=", %cu: tensor<?xi32>" if ragged else "",
        clause="sequences(%cu : tensor<?xi32>)" if ragged else "",
    )
    source = folder / "pattern.mlir"
    source.write_text(text)
    return source


def operands_of(kind: str, tokens: int) -> tuple[dict, dict]:
    """Inputs and cotangents, batch 1, f32."""
    random = np.random.default_rng(len(kind))
    shape = (tokens, HEADS, WIDTH)

    def logarithms():
        u = random.uniform(size=shape if kind in VECTORS else shape[:2])
        near, none = np.log1p(-u / 1000), np.full_like(u, -1e4)
        choice = random.integers(0, 4, size=u.shape)
        sizes = [near, np.full_like(u, -5.0), np.full_like(u, -12.0), none]
        mixed = np.choose(choice, sizes)
        return np.stack([*(size[:, h] for h, size in enumerate(sizes)), mixed[:, HEADS - 1]], axis=1)

    g = logarithms()
    k = random.normal(size=shape)
    inputs = {
        "q": random.normal(size=shape) / 4,
        "k": k / np.linalg.norm(k, axis=-1, keepdims=True),
        "v": random.normal(size=shape),
        "b": random.uniform(size=shape[:2]),
        "g": g,
        "s0": random.normal(size=(HEADS, WIDTH, WIDTH)),
    }
    if kind == "both":
        inputs["h"] = logarithms()
    if kind == "signed":
        inputs["p"] = random.choice([-1.0, 1.0], size=shape)
    cotangents = {"d_o": random.normal(size=shape), "d_s": random.normal(size=(HEADS, WIDTH, WIDTH))}
    return tuple(
        {name: x[None].astype(np.float32) for name, x in some.items()} for some in (inputs, cotangents)
    )


def expected_of(kind: str, feedback: bool, inputs: dict, cotangents: dict) -> dict[str, np.ndarray]:
    """The gradients of the loop by autograd, in fp64."""
    leaves = {name: torch.from_numpy(x[0]).double().requires_grad_() for name, x in inputs.items()}
    state, outputs = leaves["s0"], []
    for q, k, v, b, g in zip(*(leaves[name].unbind() for name in "qkvbg"), strict=True):
        a = {"scalar": g[..., None, None], "value": g[..., None, :]}.get(kind, g[..., None]).exp()
        if kind == "both":
            a = a * leaves["h"][len(outputs)][..., None, :].exp()
        if kind == "signed":
            a = a * leaves["p"][len(outputs)][..., None]
        decayed = state if kind == "none" else a * state
        w = v - torch.einsum("hk,hkv->hv", k, decayed) if feedback else v
        state = decayed + k[..., None] * (b[:, None] * w)[:, None]
        outputs.append(torch.einsum("hk,hkv->hv", q, state))
    total = (state * torch.from_numpy(cotangents["d_s"][0])).sum()
    if outputs:
        total = total + (torch.stack(outputs) * torch.from_numpy(cotangents["d_o"][0])).sum()
    found = torch.autograd.grad(total, leaves.values(), allow_unused=True)
    return {
        f"d_{name}": (torch.zeros_like(leaf) if gradient is None else gradient).numpy()
        for (name, leaf), gradient in zip(leaves.items(), found, strict=True)
    }


def worst(actual: np.ndarray, expected: np.ndarray) -> float:
    """The largest error over the root mean square; of what is zero throughout, the absolute error."""
    scale = np.sqrt((expected**2).mean())
    return float(np.abs(actual - expected).max() / (scale or 1.0))


def of_head(name: str, gradient: np.ndarray, head: int) -> np.ndarray:
    return gradient[head] if name == "d_s0" else gradient[:, head]


@functools.cache
def case(kind: str, feedback: bool, tokens: int):
    inputs, cotangents = operands_of(kind, tokens)
    return inputs, cotangents, expected_of(kind, feedback, inputs, cotangents)


def errors_of(kind, feedback, tokens, folder, *options) -> dict[tuple[str, str], float]:
    inputs, cotangents, expected = case(kind, feedback, tokens)
    actual = gradients(source_of(kind, feedback, folder), folder, inputs | cotangents, *options)
    assert sorted(actual) == sorted(expected)
    return {
        (name, decays): worst(of_head(name, actual[name][0], head), of_head(name, expected[name], head))
        for name in expected
        if not (kind == "none" and name == "d_g")
        for head, decays in enumerate(CLASSES)
    }


FORMS = [
    (kind, feedback)
    for kind in KINDS
    for feedback in (False, True)
    if not (kind in ("value", "both") and feedback)
]


RAGGED = [("scalar", True), ("row", False), ("value", False)]


# f32 rounds every sum of some thousand tokens; a triangular solve multiplies what was rounded.
@pytest.mark.parametrize("kind,feedback", FORMS)
def test_gradients_hold_for_decays_of_every_size(kind, feedback, tmp_path):
    # What has its factors from the kinds before it is held over fewer tokens.
    errors = errors_of(kind, feedback, 300 if kind in EXTRA else 4096, tmp_path)
    limit = 2e-4 if feedback else 5e-5
    assert max(errors.values()) < limit, {key: error for key, error in errors.items() if error >= limit}


@pytest.mark.parametrize("kind,feedback", FORMS)
def test_gradients_hold_for_every_length_around_the_ends_of_chunks(kind, feedback, tmp_path):
    for tokens in (
        (1, 16, 17, 65) if kind in EXTRA else (1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1023, 1024, 1025)
    ):
        errors = errors_of(kind, feedback, tokens, tmp_path)
        assert max(errors.values()) < (2e-4 if feedback else 5e-5), (tokens, errors)


# Results of the interpreter are stored in f32.
@pytest.mark.parametrize("kind,feedback", FORMS)
def test_the_interpreter_gives_the_gradients_of_the_equations(kind, feedback, tmp_path):
    errors = errors_of(kind, feedback, 37, tmp_path, "--target=interpreter")
    assert max(errors.values()) < 2e-6, errors


# By the borders of chunks, as on a GPU: in segments some of which have no token, or in slices of columns.
@pytest.mark.parametrize(
    "kind,feedback,schedule",
    [
        ("scalar", False, "algorithm=segmented,segments=5"),
        ("row", True, "algorithm=two_kernels,columns=8"),
        ("value", False, "algorithm=segmented,segments=2"),
        ("both", False, "algorithm=segmented,segments=2"),
        ("signed", True, "algorithm=two_kernels,columns=8"),
    ],
)
def test_gradients_hold_by_the_borders_of_chunks(kind, feedback, schedule, tmp_path):
    for tokens in (33, 200):
        errors = errors_of(kind, feedback, tokens, tmp_path, f"--schedule={schedule}")
        assert max(errors.values()) < (2e-4 if feedback else 5e-5), (tokens, errors)


@pytest.mark.parametrize(
    "kind,feedback,algorithm",
    [
        *((*form, algorithm) for form in RAGGED for algorithm in ("auto", "recurrent")),
        ("scalar", True, "two_kernels"),
        ("row", False, "segmented"),
    ],
)
def test_gradients_of_a_ragged_batch_are_those_of_its_sequences(kind, feedback, algorithm, tmp_path):
    lengths = (5, 0, 16, 37, 1, 48)
    cases = [case(kind, feedback, tokens) for tokens in lengths]

    def joined(part: int) -> dict[str, np.ndarray]:
        axis = {"s0": 0, "d_s": 0}
        return {
            name: np.concatenate([x[part][name] for x in cases], axis=axis.get(name, 1))
            for name in cases[0][part]
        }

    inputs = joined(0) | joined(1) | {"cu": np.cumsum((0, *lengths)).astype(np.int32)}
    source = source_of(kind, feedback, tmp_path, ragged=True)
    actual = gradients(source, tmp_path, inputs, f"--schedule=algorithm={algorithm}")
    ends = np.cumsum(lengths)
    for sequence, (tokens, (_, _, expected)) in enumerate(zip(lengths, cases, strict=True)):
        for name, gradient in expected.items():
            rows = slice(ends[sequence] - tokens, ends[sequence])
            found = actual[name][sequence] if name == "d_s0" else actual[name][0, rows]
            for head in range(HEADS) if gradient.size else ():
                error = worst(of_head(name, found, head), of_head(name, gradient, head))
                assert error < (2e-4 if feedback else 5e-5), (name, tokens, CLASSES[head])
