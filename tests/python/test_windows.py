"""Window attention against Video Swin's padded grid in numpy: kernel and interpreter, and what must not leak."""

import statistics
import time

import numpy as np
import pytest
import torch

import linmu
from window_cases import SCORES, Case, check, difference, interpret, random_case

RAGGED = [(5, 7, 6), (1, 9, 5), (3, 3, 3)]


@pytest.mark.parametrize("seed", range(60))
def test_random_windows_follow_the_padded_grid(seed):
    assert check(random_case(seed), seed) is None


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("shift", [(1, 2, 1), (2, 3, 3), (1, 0, 2)])
@pytest.mark.parametrize("schedule", [{}, {"key_block": 8}])
def test_ragged_grids_of_several_items_shift_modulo_the_padded_extent(joined, shift, schedule):
    case = Case(grids=RAGGED, window=(3, 4, 4), shift=shift, joined=joined, schedule=schedule)
    assert check(case) is None


@pytest.mark.parametrize("joined", [False, True])
def test_a_window_that_only_wrapped_tokens_and_padding_share(joined):
    """5 tokens in windows of 4, padded to 8, shifted by 2: the last window is the padding and tokens 0 and 1."""
    case = Case(grids=[(1, 1, 5)], window=(1, 1, 4), shift=(0, 0, 2), joined=joined)
    operands = case.operands(0)
    y = case.kernel()(**operands)
    changed = {**operands, "v": operands["v"].clone()}
    changed["v"][0, 1 + 1] += 100
    moved = (case.kernel()(**changed) - y).abs().amax(dim=(0, 2, 3)) > 1
    assert moved.tolist() == [False, True, True, False, False, False, False, False]


@pytest.mark.parametrize(("joined", "reached"), [(False, [0, 1]), (True, [0, 1, 6])])
def test_wraps_are_joined_where_the_last_window_holds_both_ends(joined, reached):
    """7 tokens in windows of 4, padded to 8, shifted by 2: token 6 shares its window with tokens 0 and 1."""
    case = Case(grids=[(1, 1, 7)], window=(1, 1, 4), shift=(0, 0, 2), joined=joined)
    operands = case.operands(0)
    y = case.kernel()(**operands)
    operands["v"][0, 1] += 100
    moved = (case.kernel()(**operands) - y).abs().amax(dim=(0, 2, 3)) > 0.1
    assert moved.nonzero().flatten().tolist() == [1 + token for token in reached]


@pytest.mark.parametrize("score", [name for name in SCORES if name != "plain"])
@pytest.mark.parametrize("schedule", [{}, {"key_block": 8}])
def test_scores_are_exact_whatever_their_size(score, schedule):
    case = Case(grids=[(2, 5, 6)], window=(2, 3, 4), shift=(1, 1, 2), score=score, schedule=schedule)
    assert check(case) is None


@pytest.mark.parametrize("target", ["kernel", "interpreter"])
@pytest.mark.parametrize("schedule", [{}, {"key_block": 8}])
def test_a_query_that_sees_no_key_gets_zero(target, schedule):
    case = Case(grids=[(1, 3, 4)], window=(1, 3, 4), shift=(0, 0, 0), score="forbid", schedule=schedule)
    operands = case.operands(0)
    y = case.kernel()(**operands) if target == "kernel" else interpret(case.text(), operands)
    assert (y[0, 1 + 4 : 1 + 8] == 0).all()  # row 1
    assert (y[0, 1 : 1 + 4] != 0).all()


@pytest.mark.parametrize("operand", ["q", "k", "v"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("schedule", [{}, {"key_block": 8}])
def test_what_is_no_number_stays_in_its_window(operand, value, schedule):
    """Windows of 2 x 4 x 4, shifted: a key and value at the origin of the grid, beyond the wrap of two axes."""
    case = Case(grids=[(2, 6, 7)], window=(2, 4, 4), shift=(0, 2, 2), schedule=schedule)
    kernel, operands = case.kernel(), case.operands(0)
    clean = kernel(**operands)
    operands[operand][0, 1, :, 3] = value
    y = kernel(**operands)
    t, row, column = np.unravel_index(np.arange(2 * 6 * 7), (2, 6, 7))
    own = np.zeros(case.tokens, bool)
    own[1 : 1 + 84] = (row < 2) & (column < 2)
    torch.testing.assert_close(y[0, ~own], clean[0, ~own], rtol=0, atol=0)
    if operand == "v":
        assert not torch.isfinite(y[0, own][..., 3]).any()
    assert difference(y, case.expected(operands), case.dtype) is None


@pytest.mark.parametrize("schedule", [{}, {"key_block": 8}])
def test_values_of_forbidden_keys_are_not_multiplied(schedule):
    case = Case(
        grids=[(1, 2, 12)], window=(1, 2, 12), shift=(0, 0, 0), score="forbid", schedule=schedule, values=3
    )
    operands = case.operands(0)
    operands["v"][0, 1] = torch.tensor([np.nan, np.inf, -np.inf])  # seen by the token itself alone
    y = case.kernel()(**operands)
    assert difference(y, case.expected(operands), case.dtype) is None
    assert torch.isfinite(y[0, 2:]).all()
    assert difference(interpret(case.text(), operands), case.expected(operands), case.dtype) is None


@pytest.mark.parametrize("window", [(2047, 1024, 1024), (2147483647, 1, 1), (1, 1, 2147483647)])
def test_the_largest_windows_run_on_small_grids(window):
    shift = tuple(size - 1 for size in window)
    assert check(Case(grids=[(3, 4, 2), (1, 1, 70)], window=window, shift=shift)) is None


@pytest.mark.parametrize("shift", [(0, 0, 0), (0, 1, 4500)])
def test_axes_of_thousands_of_tokens(shift):
    case = Case(
        grids=[(1, 3, 4100)], window=(1, 2, 5000), shift=shift, heads=1, features=2, values=1, scale=2.0
    )
    assert check(case, interpreter=False) is None


def test_a_window_beyond_2_to_the_31_tokens_is_refused_at_its_place():
    text = Case(grids=[], window=(65536, 65536, 1), shift=(0, 0, 0)).text()
    with pytest.raises(
        linmu.PatternError,
        match=r"<pattern>:2:6: error: .*requires a window of at most 2147483647 tokens "
        r"\(t \* h \* w\), got \[65536, 65536, 1\]",
    ):
        linmu.compile(text)


def _ratio(fast, slow, rounds=30) -> float:
    """The median over interleaved rounds of the time of `slow` over that of `fast`."""
    ratios = []
    for _ in range(rounds):
        times = []
        for call in (fast, slow):
            call()
            start = time.perf_counter()
            for _ in range(20):
                call()
            times.append(time.perf_counter() - start)
        ratios.append(times[1] / times[0])
    return statistics.median(ratios)


@pytest.mark.alone
@pytest.mark.parametrize("large", [(8, 8, 8), (16, 32, 32), (2047, 1024, 1024)])
def test_a_larger_window_costs_the_grids_work(large):
    """A loose bound for a loaded machine: the work of a window of 16 x 32 x 32 would be 100 times the grid's."""
    calls = []
    for window in ((4, 4, 4), large):
        case = Case(grids=[(4, 4, 4)], window=window, shift=(0, 0, 0), heads=1, features=16, values=16)
        kernel, operands = case.kernel(), case.operands(0)
        calls.append(lambda kernel=kernel, operands=operands: kernel(**operands, threads=1))
    assert _ratio(*calls) < 2
