"""Ragged batches from Python: each sequence gives what it gives in a call of its own."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import linmu

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "patterns.md").read_text()
(EXAMPLE,) = (text for text in re.findall(r"```mlir\n(.*?)```", DOCS, flags=re.DOTALL) if "@ragged" in text)
ALONE = EXAMPLE.replace("sequences(%cu : tensor<?xi32>)", "").replace("%cu: tensor<?xi32>, ", "")
ALGORITHMS = [
    {},
    {"algorithm": "recurrent"},
    {"algorithm": "chunked"},
    {"algorithm": "chunked", "columns": 5},
    {"algorithm": "two_kernels"},
    {"algorithm": "segmented", "segments": 3},
]

FUSED = """!t = tensor<?x?x2x16xf32>
!g = tensor<?x?x2xf32>
!v = tensor<16xf32>
!m = tensor<16x16xf32>
func.func @f(%x: !t, %v: !t, %g: !g, %i: tensor<?x?xi32>, %media: tensor<?x4xi32>, %cu: tensor<?xi32>,
             %s0: tensor<?x2x16x16xf32>) -> (!t, tensor<?x2x16x16xf32>, !t) {
  %k = pattern.map tokens(%xt = %x : !t) order(%i : tensor<?x?xi32>) SEQUENCES -> (!t) {
    %before = pattern.lag %xt by 2 otherwise %xt : !v : !v
    %d = arith.subf %xt, %before : !v
    pattern.yield outputs(%d : !v)
  }
  %o, %s = pattern.scan reverse tokens(%kt = %k : !t, %vt = %v : !t, %gt = %g : !g)
      states(%S = %s0 : tensor<?x2x16x16xf32>) order(%i : tensor<?x?xi32>) SEQUENCES -> (!t) {
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %kt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  %o2, %s2 = pattern.scan tokens(%kt = %o : !t, %vt = %v : !t)
      states(%S = %s : tensor<?x2x16x16xf32>) SEQUENCES -> (!t) {
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %S, %W : !m
    %y = pattern.read %S1, %kt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  %w = pattern.window_attention %o2, %x, %v media(%media : tensor<?x4xi32>) window [2, 2, 2] shift [1, 0, 1]
      scale 0.25 wrap masked : (!t, !t, !t) -> !t
  return %o2, %s2, %w : !t, tensor<?x2x16x16xf32>, !t
}
"""


def table(lengths):
    return np.cumsum([0, *lengths]).astype(np.int32)


def assert_each_alone(results, calls, cu):
    """`results` of one call against one call a sequence: token outputs, then what has an entry a sequence."""
    for s, (begin, end) in enumerate(pairwise(cu)):
        for result, alone in zip(results, calls[s], strict=True):
            part = result[:, begin:end] if result.shape[1] == cu[-1] else result[s : s + 1]
            # f32 sums in another order: a sequence that is alone may run by another algorithm.
            np.testing.assert_allclose(part, alone, rtol=0, atol=2e-5 * max(1, np.abs(alone).max(initial=0)))


@pytest.mark.parametrize("schedule", ALGORITHMS, ids=str)
@pytest.mark.parametrize("lengths", [[0], [], [1], [5, 0, 0, 2], [63, 1, 65, 2, 0, 17], [1] * 33])
def test_the_example_gives_what_calls_of_one_sequence_give(lengths, schedule):
    ragged, alone = (linmu.compile(text, schedule=schedule) for text in (EXAMPLE, ALONE))
    random = np.random.default_rng(1)
    cu = table(lengths)
    q, k, v = (random.standard_normal((1, cu[-1], 2, 16), np.float32) for _ in range(3))
    states = random.standard_normal((len(lengths), 2, 16, 16), np.float32)
    tails = random.standard_normal((len(lengths), 1, 2, 16), np.float32)
    calls = [
        alone(*(x[:, a:b] for x in (q, k, v)), states[s : s + 1], tails[s : s + 1])
        for s, (a, b) in enumerate(pairwise(cu))
    ]
    results = ragged(q, k, v, cu, states, tails)
    assert results[1].shape == states.shape and results[2].shape == tails.shape
    assert_each_alone(results, calls, cu)
    output = np.empty_like(q)
    ragged(q, k, v, cu, states, tails, out=[output, states, tails])  # in place
    for actual, expected in zip([output, states, tails], results, strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("schedule", [{}, {"fuse": "false"}, {"algorithm": "two_kernels"}], ids=str)
def test_maps_orders_windows_and_states_from_scan_to_scan(schedule):
    clause = "sequences(%cu : tensor<?xi32>)"
    ragged = linmu.compile(FUSED.replace("SEQUENCES", clause), schedule=schedule)
    text = FUSED.replace("SEQUENCES", "").replace("%cu: tensor<?xi32>,", "")
    alone = linmu.compile(text, schedule=schedule)
    random = np.random.default_rng(2)
    lengths, grids = [30, 3, 0, 41, 1], [(2, 3, 3), (1, 1, 2), None, (3, 3, 4), (1, 1, 1)]
    cu = table(lengths)
    x, v = (random.standard_normal((1, cu[-1], 2, 16), np.float32) for _ in range(2))
    g = random.standard_normal((1, cu[-1], 2), np.float32)
    states = random.standard_normal((len(lengths), 2, 16, 16), np.float32)
    orders = [random.permutation(n).astype(np.int32) for n in lengths]
    media = [np.array([[0, *grid]] if grid else np.zeros((0, 4)), np.int32).reshape(-1, 4) for grid in grids]
    calls = [
        alone(*(t[:, a:b] for t in (x, v, g)), orders[s][None], media[s], states[s : s + 1])
        for s, (a, b) in enumerate(pairwise(cu))
    ]
    order = np.concatenate([i + a for i, a in zip(orders, cu, strict=False)])[None].astype(np.int32)
    rows = np.concatenate([m + [[a, 0, 0, 0]] for m, a in zip(media, cu, strict=False)]).astype(np.int32)
    assert_each_alone(ragged(x, v, g, order, rows, cu, states), calls, cu)


@pytest.mark.parametrize("schedule", ALGORITHMS, ids=str)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_stay_in_their_sequence(bad, schedule):
    ragged = linmu.compile(EXAMPLE, schedule=schedule)
    random = np.random.default_rng(3)
    lengths = [20, 33, 1, 40]
    cu = table(lengths)
    q, k, v = (random.standard_normal((1, cu[-1], 2, 16), np.float32) for _ in range(3))
    states, tails = np.zeros((4, 2, 16, 16), np.float32), np.zeros((4, 1, 2, 16), np.float32)
    expected = ragged(q, k, v, cu, states, tails)
    for where in (cu[1], cu[2] - 1):  # the first and the last token of sequence 1
        for tensor in (k, v):
            tensor[0, where] = bad
    actual = ragged(q, k, v, cu, states, tails)
    for s in (0, 2, 3):
        np.testing.assert_array_equal(actual[0][:, cu[s] : cu[s + 1]], expected[0][:, cu[s] : cu[s + 1]])
        for after, before in zip(actual[1:], expected[1:], strict=True):
            np.testing.assert_array_equal(after[s], before[s])
    assert not np.isfinite(actual[1][1]).any()


@pytest.mark.parametrize(
    ("entries", "states", "message"),
    [
        ([1, 12], 1, "operand 'cu' of pattern 'ragged': expected entry 0 to be 0, got 1"),
        (
            [0, 8, 7, 12],
            3,
            "operand 'cu' of pattern 'ragged': expected entry 2 to be at least entry 1, 8, got 7",
        ),
        ([0, 8], 1, "operand 'cu' of pattern 'ragged': expected the last entry to be the 12 tokens, got 8"),
        ([0, 13], 1, "operand 'cu' of pattern 'ragged': expected the last entry to be the 12 tokens, got 13"),
        ([], 0, "operand 'cu' of pattern 'ragged': expected shape [S+1], got [0]"),
        ([0, 12], 2, "operand 's0' of pattern 'ragged': expected shape [S=1, 2, 16, 16], got [2, 2, 16, 16]"),
    ],
)
def test_a_table_that_is_none_is_refused(entries, states, message):
    ragged = linmu.compile(EXAMPLE)
    tokens = [np.zeros((1, 12, 2, 16), np.float32) for _ in range(3)]
    s0, v0 = np.zeros((states, 2, 16, 16), np.float32), np.zeros((states, 1, 2, 16), np.float32)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ragged(*tokens, np.array(entries, np.int32), s0, v0)


def test_a_batch_beside_sequences_is_refused():
    ragged = linmu.compile(EXAMPLE)
    q, k, v = (np.zeros((2, 6, 2, 16), np.float32) for _ in range(3))
    s0, v0 = np.zeros((1, 2, 16, 16), np.float32), np.zeros((1, 1, 2, 16), np.float32)
    message = "operand 'q' of pattern 'ragged': expected shape [1, N=6, 2, 16], got [2, 6, 2, 16]"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ragged(q, k, v, np.array([0, 6], np.int32), s0, v0)


def test_a_state_between_scans_has_sequences_in_both_or_in_neither():
    # The first two loops have the clause, the scan that goes on from their state lacks it.
    text = FUSED.replace("SEQUENCES", "sequences(%cu : tensor<?xi32>)", 2).replace("SEQUENCES", "")
    message = "requires a state or tail, got the result of another op that is a state or tail of sequences"
    with pytest.raises(linmu.PatternError, match=message):
        linmu.explain(text)


def test_inputs_and_results_have_the_extents_of_sequences():
    ragged = linmu.compile(EXAMPLE)
    assert ragged.inputs[3:] == [
        ("cu", "i32", ("S+1",)),
        ("s0", "f32", ("S", 2, 16, 16)),
        ("v0", "f32", ("S", 1, 2, 16)),
    ]
    assert ragged.results[0] == ("o", "f32", (1, "N", 2, 16))


def run_file(folder, tensors, target):
    (folder / "pattern.mlir").write_text(EXAMPLE)
    save_file(tensors, folder / "in.safetensors")
    command = [
        "linmuc",
        "pattern.mlir",
        "--run=in.safetensors",
        "--out=out.safetensors",
        f"--target={target}",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def operands(lengths):
    random = np.random.default_rng(4)
    cu = table(lengths)
    tensors = {name: random.standard_normal((1, cu[-1], 2, 16), np.float32) for name in "qkv"}
    tensors["cu"] = cu
    tensors["s0"] = random.standard_normal((len(lengths), 2, 16, 16), np.float32)
    tensors["v0"] = random.standard_normal((len(lengths), 1, 2, 16), np.float32)
    return tensors


@pytest.mark.parametrize("target", ["cpu", "interpreter"])
def test_run_of_a_file(tmp_path, target):
    tensors = operands([3, 0, 18])
    done = run_file(tmp_path, tensors, target)
    assert (done.returncode, done.stderr) == (0, "")
    results = load_file(tmp_path / "out.safetensors")
    for name, expected in zip(("o", "s", "v1"), linmu.compile(EXAMPLE)(**tensors), strict=True):
        np.testing.assert_allclose(results[name], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("target", ["cpu", "interpreter"])
def test_run_of_a_file_refuses_a_table_that_is_none(tmp_path, target):
    tensors = {**operands([3, 0, 18]), "cu": np.array([0, 3, 2, 21], np.int32)}
    done = run_file(tmp_path, tensors, target)
    assert done.returncode != 0
    assert "to be at least entry 1, 3, got 2" in done.stderr


def test_run_of_a_file_says_what_the_table_is(tmp_path):
    tensors = operands([3, 0, 18])
    del tensors["cu"]
    done = run_file(tmp_path, tensors, "cpu")
    assert "requires a tensor 'cu', I32 [sequences + 1], for pattern 'ragged'" in done.stderr
