"""Gradients of window attention: the prototype of tests/oracles against autograd, differences and the padded grid in
numpy; kernels and the interpreter against the prototype, of random grids, windows, shifts, scores and types."""

import functools
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import linmu
from gradient_support import gradients, worst_slope
from window_cases import SCORES, Case, random_case

sys.path.insert(0, str(Path(__file__).parent.parent / "oracles"))
import gradient_windows  # noqa: E402

NIGHTLY = bool(os.environ.get("TEST_NIGHTLY"))
# Of the worst token and head, relative to the gradient's root mean square. The interpreter's results are stored in f32.
TOLERANCE = {"interpreter": 1e-6, "f32": 5e-5, "bf16": 2e-2}

DERIVATIVES = {
    "plain": None,
    "cap": lambda s, q, k, h: 5 * torch.tanh(s / 5),
    "decay": lambda s, q, k, h: s - abs(q[..., 0] - k[..., 0]) - 0.25 * abs(q[..., 2] - k[..., 2]),
    "head": lambda s, q, k, h: s * h,
    "forbid": lambda s, q, k, h: torch.where(
        (k[..., 2] < q[..., 2]) | (q[..., 1] == 1), -torch.inf, s
    ),
    "deep": lambda s, q, k, h: -2e30 * (1 + abs(q[..., 2] - k[..., 2])) + s,
}  # fmt: skip


def prototype(case: Case) -> gradient_windows.Windows:
    return gradient_windows.Windows(
        case.media, case.window, case.shift, case.scale, case.joined, DERIVATIVES[case.score]
    )


def drawn(case: Case, seed: int = 0) -> dict:
    """Operands and the cotangent of the result."""
    operands = case.operands(seed)
    random = torch.Generator().manual_seed(seed + 1000)
    shape = (case.batch, case.tokens, case.heads, case.values)
    return operands | {"d_o": torch.randn(shape, generator=random).to(case.dtype)}


def expected_gradients(case: Case, given: dict) -> dict:
    rows = zip(*(given[name].double() for name in ("q", "k", "v", "d_o")), strict=True)
    found = [gradient_windows.gradient(prototype(case), *row) for row in rows]
    return {
        f"d_{name}": torch.stack(parts) for name, parts in zip("qkv", zip(*found, strict=True), strict=True)
    }


def worst(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """Where nothing is sent back, as in windows of one token, rounding is measured against the operands' size."""
    scale = max(float(expected.square().mean().sqrt()), 0.05)
    return float((actual.double() - expected).norm(dim=-1).max()) / scale / actual.shape[-1] ** 0.5


@functools.cache
def kernel_of(text: str, schedule: tuple, target: str):
    return linmu.compile(text, schedule=dict(schedule), target=target, cache=False).gradient()


def by_kernel(case: Case, given: dict, target: str = "cpu", **options) -> dict:
    kernel = kernel_of(case.text(), tuple(case.schedule.items()), target)
    found = kernel(*given.values(), **options)
    return dict(zip(("d_q", "d_k", "d_v"), found, strict=True))


def check(case: Case, seed: int = 0, target: str = "cpu") -> None:
    given = drawn(case, seed)
    expected, actual = expected_gradients(case, given), by_kernel(case, given, target)
    errors = {name: worst(actual[name], exact) for name, exact in expected.items()}
    limit = TOLERANCE["f32" if case.dtype == torch.float32 else "bf16"]
    assert max(errors.values()) < limit, (errors, case)


def finite_case(seed: int) -> Case:
    """Two small grids or a long one, and numbers only."""
    case = random_case(seed)
    small = [tuple(min(n, 5) for n in grid) for grid in case.grids[:2] if max(grid) < 60]
    long = [grid for grid in case.grids if max(grid) >= 60]
    return replace(case, grids=long or small or [(2, 3, 4)], poison=0)


@pytest.mark.parametrize("seed", range(40 if NIGHTLY else 4))
def test_the_prototype_is_autograd_of_the_padded_grid(seed):
    case = replace(finite_case(seed), batch=1, dtype=torch.float32)
    given = {name: x[0].double() for name, x in drawn(case, seed).items() if name != "m"}
    leaves = [given[name].requires_grad_() for name in "qkv"]
    out = gradient_windows.forward(prototype(case), *leaves)
    padded = case.expected({name: x[None].detach() for name, x in given.items()})
    assert float((out.detach() - torch.from_numpy(padded[0])).abs().max()) < 1e-12
    out.backward(given["d_o"])
    found = gradient_windows.gradient(prototype(case), *(x.detach() for x in leaves), given["d_o"])
    for leaf, gradient in zip(leaves, found, strict=True):
        assert float((gradient - leaf.grad).abs().max()) < 1e-12


@pytest.mark.parametrize("seed", range(200 if NIGHTLY else 6))
def test_random_windows_send_back_what_the_equations_say(seed):
    check(finite_case(seed), seed)


@pytest.mark.parametrize("seed", range(40 if NIGHTLY else 3))
def test_the_interpreter_agrees_with_the_equations_and_with_differences(seed, tmp_path):
    case = replace(finite_case(seed), dtype=torch.float32)
    case = replace(case, score="cap" if case.score == "deep" else case.score)  # whose sums lose what differs
    given = drawn(case, seed)
    (tmp_path / "w.mlir").write_text(case.text())
    arrays = {name: x.numpy() for name, x in given.items()}
    actual = gradients(tmp_path / "w.mlir", tmp_path, arrays, "--target=interpreter")
    for name, exact in expected_gradients(case, given).items():
        assert worst(torch.from_numpy(actual[name]), exact) < TOLERANCE["interpreter"]

    def total(operands):
        return float(
            (case.expected({n: torch.from_numpy(x) for n, x in operands.items()}) * arrays["d_o"]).sum()
        )

    exact = {name: x.astype(np.float64) for name, x in arrays.items() if name in "qkv"}
    errors = worst_slope(total, exact, actual, np.random.default_rng(seed))
    assert max(errors.values()) < 2e-6, errors


@pytest.mark.parametrize("joined,schedule", [(False, {}), (True, {"key_block": 8, "query_block": 16})])
def test_several_items_with_ragged_shifted_windows(joined, schedule):
    grids = [(5, 7, 6), (1, 9, 5), (3, 3, 3)]
    check(Case(grids=grids, window=(3, 4, 4), shift=(1, 2, 3), joined=joined, schedule=schedule, batch=2))


def test_keys_and_values_get_the_sum_over_the_heads_that_share_them():
    check(Case(grids=[(2, 4, 5)], window=(2, 3, 3), shift=(0, 1, 1), heads=4, key_heads=2))


def test_keys_and_values_may_be_shared_by_heads_of_different_numbers():
    case = Case(grids=[(2, 4, 5)], window=(2, 3, 3), shift=(0, 1, 1), heads=4, key_heads=2)
    text = case.text().replace("%v: tensor<?x?x2x8xf32>", "%v: tensor<?x?x4x8xf32>")
    text = text.replace(
        "tensor<?x?x2x8xf32>, tensor<?x?x2x8xf32>) ->", "tensor<?x?x2x8xf32>, tensor<?x?x4x8xf32>) ->"
    )
    given = drawn(case)
    given["v"] = torch.randn(1, case.tokens, 4, 8, generator=torch.Generator().manual_seed(3))
    found = linmu.compile(text, cache=False).gradient()(*given.values())
    for actual, exact in zip(found, expected_gradients(case, given).values(), strict=True):
        assert worst(actual, exact) < TOLERANCE["f32"]


@pytest.mark.parametrize("wrt", [["v"], ["q", "k"]])
def test_some_gradients_alone_are_what_they_are_among_all(wrt):
    case = Case(grids=[(2, 4, 5)], window=(2, 3, 3), shift=(0, 1, 1))
    given = drawn(case)
    every = by_kernel(case, given)
    found = linmu.compile(case.text(), cache=False).gradient(wrt=wrt)(*given.values())
    for name, actual in zip(wrt, found if len(wrt) > 1 else [found], strict=True):
        assert torch.equal(actual, every[f"d_{name}"])


@pytest.mark.parametrize("score,schedule", [("plain", {}), ("forbid", {"key_block": 8})])
def test_text_gets_zero_and_so_does_a_query_that_sees_no_key(schedule, score):
    case = Case(
        grids=[(1, 3, 4), (2, 2, 2)], window=(1, 3, 4), shift=(0, 0, 0), score=score, schedule=schedule
    )
    given = drawn(case)
    text = torch.ones(case.tokens, dtype=torch.bool)
    for first, t, h, w in case.media:
        text[first : first + t * h * w] = False
    found = by_kernel(case, given)
    for gradient in found.values():
        assert not gradient[:, text].any()
        assert gradient.any() and torch.isfinite(gradient).all()
    if score == "forbid":  # row 1
        assert not found["d_q"][0, 1 + 4 : 1 + 8].any()


@pytest.mark.parametrize("operand", ["q", "k", "v"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_sends_nothing_through_pairs_that_are_not_seen(operand, value):
    """A query of row 1 sees no key; the key of the first column is seen by its own query alone."""
    case = Case(grids=[(1, 2, 6)], window=(1, 2, 6), shift=(0, 0, 0), score="forbid", heads=1)
    given = drawn(case)
    clean, place = by_kernel(case, given), 1 + (6 if operand == "q" else 0)
    poisoned = {**given, operand: given[operand].clone()}
    poisoned[operand][0, place, 0, 3] = value
    for name, gradient in by_kernel(case, poisoned).items():
        # Its own query, and what that sees: itself and the keys right of it.
        if operand == "q":
            torch.testing.assert_close(gradient, clean[name], rtol=0, atol=1e-6)
        elif name == "d_q":
            assert torch.isfinite(gradient[0, 2:]).all()


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_key_sends_nothing_to_queries_whose_score_of_it_is_minus_infinity(value):
    case = Case(grids=[(1, 3, 4)], window=(1, 3, 4), shift=(0, 0, 0), features=1)
    given = drawn(case)
    given["k"][0, 4] = value
    finite = np.isfinite(case.expected(given)).all(-1)
    assert 0 < finite[:, 1:-2].sum() < finite[:, 1:-2].size
    assert torch.isfinite(by_kernel(case, given)["d_q"][torch.from_numpy(finite)]).all()


@pytest.mark.parametrize("operand", ["q", "k", "v", "d_o"])
def test_what_is_no_number_stays_in_its_window(operand):
    case = Case(grids=[(2, 6, 7)], window=(2, 4, 4), shift=(0, 2, 2), schedule={"key_block": 8})
    given = drawn(case)
    clean = by_kernel(case, given)
    given[operand][0, 1, :, 3] = np.nan
    _, row, column = np.unravel_index(np.arange(2 * 6 * 7), (2, 6, 7))
    own = np.zeros(case.tokens, bool)
    own[1 : 1 + 84] = (row < 2) & (column < 2)
    for name, gradient in by_kernel(case, given).items():
        assert torch.equal(gradient[0, ~own], clean[name][0, ~own])
        assert operand in ("v", "d_o") and name == "d_v" or not torch.isfinite(gradient[0, own]).all()


def test_threads_do_not_change_a_bit():
    case = Case(grids=[(2, 6, 7)], window=(2, 4, 4), shift=(0, 2, 2), schedule={"key_block": 8})
    given = drawn(case)
    one, two = (by_kernel(case, given, threads=threads) for threads in (1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_largest_windows_run_on_small_grids():
    check(Case(grids=[(3, 4, 2), (1, 1, 70)], window=(2047, 1024, 1024), shift=(2046, 1023, 1023)))


@pytest.mark.parametrize("score", SCORES if NIGHTLY else ["cap", "forbid"])
def test_scores_by_emulation_of_a_gpu(score):
    case = Case(grids=[(1, 3, 5)], window=(1, 3, 4), shift=(0, 0, 2), score=score, features=16, values=16)
    check(case, target="emulate")


MIXED = """
!t = tensor<?x?x2x4xf32>
!v = tensor<4xf32>
!m = tensor<4x4xf32>
func.func @mixed(%q: !t, %k: !t, %v: !t, %w: tensor<2x4xf32>, %m: tensor<?x4xi32>) -> !t {
  %kn = pattern.map params(%wt = %w : tensor<2x4xf32>) tokens(%kt = %k : !t) -> (!t) {
    %before = pattern.lag %kt by 1 : !v
    %p = arith.mulf %before, %wt : !v
    %z = arith.addf %kt, %p : !v
    pattern.yield outputs(%z : !v)
  }
  %a = pattern.window_attention %q, %kn, %v media(%m : tensor<?x4xi32>) window [2, 3, 3] shift [1, 1, 1] scale 0.5
      wrap masked : (!t, !t, !t) -> !t
  %o, %s = pattern.scan tokens(%qt = %q : !t, %kt = %kn : !t, %at = %a : !t) states(%S = zero : tensor<?x2x4x4xf32>)
      -> (!t) {
    %decay = arith.constant dense<0.9> : !m
    %D = arith.mulf %decay, %S : !m
    %W = pattern.outer %kt, %at : !v, !v
    %S1 = arith.addf %D, %W : !m
    %r = pattern.read %S1, %qt : !m, !v
    %y = arith.addf %r, %at : !v
    pattern.yield outputs(%y : !v)  states(%S1 : !m)
  }
  return %o : !t
}
"""


def mixed(q, k, v, w, media):
    """The same of one sequence, [N, 2, 4], in torch."""
    kn = k + torch.cat([torch.zeros_like(k[:1]), k[:-1]]) * w
    windows = gradient_windows.Windows(media, (2, 3, 3), (1, 1, 1), 0.5, False)
    a = gradient_windows.forward(windows, q, kn, v)
    state, out = torch.zeros(2, 4, 4, dtype=q.dtype), []
    for t in range(len(q)):
        state = 0.9 * state + kn[t, :, :, None] * a[t, :, None, :]
        out.append(torch.einsum("hk,hkv->hv", q[t], state) + a[t])
    return torch.stack(out)


def test_windows_between_maps_and_scans_under_autograd():
    media, random = [(2, 3, 4, 4)], torch.Generator().manual_seed(2)
    shapes = [(2, 55, 2, 4)] * 3 + [(2, 4)]
    leaves = [torch.randn(shape, generator=random).requires_grad_() for shape in shapes]
    cotangent = torch.randn(shapes[0], generator=random)
    kernel = linmu.compile(MIXED, cache=False)
    kernel(*leaves, torch.tensor(media, dtype=torch.int32)).backward(cotangent)
    exact = [x.detach().double().requires_grad_() for x in leaves]
    rows = [mixed(*row, exact[3], media) for row in zip(*exact[:3], strict=True)]
    torch.stack(rows).backward(cotangent.double())
    for actual, expected in zip(leaves, exact, strict=True):
        assert worst(actual.grad, expected.grad) < TOLERANCE["f32"]
