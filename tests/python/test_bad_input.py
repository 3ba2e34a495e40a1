"""Arrays that do not fit: one error that names the operand, what was expected and what came; nothing written."""

import faulthandler
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import linmu
from linmu.rules.state_file import load as read_state

faulthandler.enable()

PATTERN = """
!t = tensor<?x?x2x4xf32>
!s = tensor<?x2x4x4xf32>
!v = tensor<4xf32>
!m = tensor<4x4xf32>
func.func @rule(%q: !t, %k: !t, %g: tensor<?x?x2xf32>, %s0: !s, %i: tensor<?x?xi32>, %w: tensor<2x4xf32>)
    -> (!t, !s) {
  %o, %s = pattern.scan params(%weight = %w : tensor<2x4xf32>)
      tokens(%qt = %q : !t, %kt = %k : !t, %gt = %g : tensor<?x?x2xf32>) states(%S = %s0 : !s)
      order(%i : tensor<?x?xi32>) -> (!t) {
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %weight : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o, %s : !t, !s
}
"""
SHAPES = {"q": (2, 5, 2, 4), "k": (2, 5, 2, 4), "g": (2, 5, 2), "s0": (2, 2, 4, 4), "i": (2, 5), "w": (2, 4)}
FLOATS = [name for name in SHAPES if name != "i"]


@pytest.fixture(scope="module")
def kernel():
    return linmu.compile(PATTERN)


def operands() -> dict:
    random = np.random.default_rng(1)
    given = {name: random.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}
    given["i"] = np.stack([random.permutation(5) for _ in range(2)]).astype(np.int32)
    return given


def results() -> list:
    return [np.full(SHAPES["q"], 7, np.float32), np.full(SHAPES["s0"], 7, np.float32)]


def refused(kernel, given, *words, out=None, threads=0):
    """The message of the one error; results are as they were."""
    out = results() if out is None else out
    before = [np.array(array, copy=True) if isinstance(array, np.ndarray) else None for array in out]
    with pytest.raises((TypeError, ValueError)) as caught:
        kernel(**given, out=out, threads=threads)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
    for array, old in zip(out, before):
        if old is not None:
            np.testing.assert_array_equal(array, old)
    return message


def test_what_fits_runs(kernel):
    out = results()
    kernel(**operands(), out=out)
    assert all(np.isfinite(array).all() and not (array == 7).any() for array in out)


@pytest.mark.parametrize("name", SHAPES)
def test_a_wrong_rank_is_named(kernel, name):
    given = operands()
    refused(kernel, given | {name: given[name][None]}, f"'{name}'")
    refused(kernel, given | {name: given[name][0]}, f"'{name}'")


@pytest.mark.parametrize(
    ("name", "axis"), [(name, axis) for name, shape in SHAPES.items() for axis in range(len(shape))]
)
def test_a_wrong_extent_is_named(kernel, name, axis):
    given = operands()
    longer = np.concatenate([given[name], np.take(given[name], [0], axis)], axis)
    message = refused(kernel, given | {name: longer})
    # Extents of the batch and of the tokens are wrong in what differs first; all others in their own operand.
    symbolic = {"w": 0, "s0": 1}.get(name, 2)
    if axis >= symbolic:
        assert f"'{name}'" in message and str(SHAPES[name][axis]) in message
        assert str(SHAPES[name][axis] + 1) in message
    else:
        assert "'" in message and str(SHAPES[name][axis]) in message


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float16, np.int32, np.int64, np.complex64, np.bool_, np.uint8]
)
@pytest.mark.parametrize("name", FLOATS)
def test_other_elements_are_named(kernel, name, dtype):
    given = operands()
    refused(kernel, given | {name: given[name].astype(dtype)}, f"'{name}'", "f32")


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int16, np.uint32])
def test_an_order_has_i32_entries(kernel, dtype):
    given = operands()
    refused(kernel, given | {"i": given["i"].astype(dtype)}, "'i'", "i32")


@pytest.mark.parametrize("wrong", [-1, 5, 2**31 - 1, -(2**31)])
def test_an_order_holds_each_token_once(kernel, wrong):
    given = operands()
    given["i"][1, 3] = wrong
    refused(kernel, given, "'i'", "0 to 4", str(wrong), "position 3")


def test_a_token_twice_is_no_order(kernel):
    given = operands()
    given["i"][0] = [0, 1, 2, 1, 4]
    refused(kernel, given, "'i'", "got 1 again at position 3")


@pytest.mark.parametrize(
    "wrong",
    [None, 3.5, "text", [1.0, 2.0], {}, object(), np.float32(1), np.array([object()] * 8)],
    ids=["None", "number", "str", "list", "dict", "object", "scalar", "objects"],
)
@pytest.mark.parametrize("name", ["q", "i"])
def test_what_is_no_tensor_is_named(kernel, name, wrong):
    refused(kernel, operands() | {name: wrong}, f"'{name}'")


def test_tensors_elsewhere_or_of_another_layout_are_named(kernel):
    given = {name: torch.from_numpy(array) for name, array in operands().items()}
    out = [torch.from_numpy(array) for array in results()]
    for wrong in (
        given["q"].to("meta"),
        given["q"].to_sparse(),
        torch.quantize_per_tensor(given["q"], 0.1, 0, torch.qint8),
        torch.nn.Parameter(given["q"].clone()),
    ):
        refused(kernel, given | {"q": wrong}, "'q'", out=out)


def test_byte_swapped_arrays_are_named(kernel):
    given = operands()
    refused(kernel, given | {"q": given["q"].astype(">f4")}, "'q'")


def test_features_must_lie_side_by_side(kernel):
    given = operands()
    wide = np.zeros((2, 5, 2, 8), np.float32)
    refused(kernel, given | {"q": wide[..., ::2]}, "'q'", "stride")
    refused(kernel, given | {"q": wide[..., 3::-1]}, "'q'", "stride")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_other_axes_may_have_any_stride(kernel, axis):
    """Views of a wider tensor, and broadcast ones, are read as they are."""
    given, expected, actual = operands(), results(), results()
    kernel(**given, out=expected)
    wide = np.zeros([2 * n if a == axis else n for a, n in enumerate(SHAPES["q"])], np.float32)
    view = wide[tuple(slice(None, None, 2) if a == axis else slice(None) for a in range(4))]
    view[...] = given["q"]
    kernel(**(given | {"q": view}), out=actual)
    for a, b in zip(actual, expected):
        np.testing.assert_array_equal(a, b)


def test_results_have_memory_of_their_own(kernel):
    given = operands()
    refused(kernel, given, "'o'", "'q'", out=[given["q"], results()[1]])
    both = np.full(2 * 5 * 2 * 4, 7, np.float32)
    overlapping = [both.reshape(SHAPES["q"]), both[:64].reshape(SHAPES["s0"])]
    refused(kernel, given, "'o'", "'s'", out=overlapping)
    repeated = np.broadcast_to(np.full((1, 5, 2, 4), 7, np.float32), SHAPES["q"])
    refused(kernel, given, "'o'", out=[repeated, results()[1]])


def test_a_state_may_be_replaced_in_place(kernel):
    given, expected = operands(), results()
    kernel(**given, out=expected)
    out = [results()[0], given["s0"]]
    kernel(**given, out=out)
    for a, b in zip(out, expected):
        np.testing.assert_array_equal(a, b)


def test_results_of_another_shape_or_count_are_named(kernel):
    given, (o, s) = operands(), results()
    refused(kernel, given, "'o'", out=[o[:, :4], s])
    refused(kernel, given, "'s'", out=[o, s.astype(np.float64)])
    refused(kernel, given, "2", "1", out=[o])
    refused(kernel, given, "2", "3", out=[o, s, s])
    o.flags.writeable = False
    refused(kernel, given, "'o'", out=[o, s])


def test_arguments_must_be_the_patterns(kernel):
    given = operands()
    short = {name: array for name, array in given.items() if name != "k"}
    refused(kernel, short, "pattern 'rule' lacks input k")
    refused(kernel, given | {"z": given["q"]}, "pattern 'rule' has no input 'z'; it has q, k, g, s0, i, w")
    with pytest.raises(TypeError, match="pattern 'rule' takes 6 inputs, got 7"):
        kernel(*given.values(), given["q"])
    with pytest.raises(TypeError, match="pattern 'rule' got input 'q' twice"):
        kernel(given["q"], **given)
    with pytest.raises(
        TypeError, match="out of pattern 'rule': expected a tensor or a list of them, got int"
    ):
        kernel(**given, out=3)
    refused(kernel, given, "threads", "-1", threads=-1)
    refused(kernel, given, "threads: expected an integer, got str", threads="two")


def test_numpy_has_no_bf16_results():
    gate = linmu.compile("""
func.func @gate(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xbf16> {
  %y = pattern.map tokens(%xt = %x : tensor<?x?x4xf32>) -> (tensor<?x?x4xbf16>) {
    pattern.yield outputs(%xt : f32)
  }
  return %y : tensor<?x?x4xbf16>
}
""")
    message = "numpy has no elements of type bf16; call with torch tensors or give out="
    with pytest.raises(TypeError, match=message):
        gate(np.ones((1, 3, 4), np.float32))


def test_a_pattern_file_that_is_no_text_is_refused_at_its_byte(tmp_path):
    path = tmp_path / "pattern.mlir"
    path.write_bytes(b"func\xff\n")
    with pytest.raises(ValueError, match="expected a pattern's text in UTF-8, got byte 0xff at 4"):
        linmu.compile(path)


@pytest.mark.parametrize(("batch", "count"), [(0, 5), (2, 0), (0, 0)])
def test_empty_calls_write_what_there_is(kernel, batch, count):
    given = operands()
    for name in ("q", "k", "g", "i"):
        given[name] = given[name][:batch, :count]
    given["s0"] = given["s0"][:batch]
    output, state = kernel(**given)
    assert output.shape == (batch, count, 2, 4)
    if count == 0:
        np.testing.assert_array_equal(state, given["s0"])


class Lender:
    """Lends `capsule` in place of a tensor."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack__(self, **_):
        return self.capsule


def test_what_a_tensor_lacks_is_told(kernel):
    given = operands()
    q = torch.from_numpy(given["q"])
    expected = {
        "expected a tensor with __dlpack__ (torch or numpy), got list": [1.0],
        "expected a tensor that its library lends, got BufferError: ": q.clone().requires_grad_(),
        "expected __dlpack__ to give a capsule 'dltensor' or 'dltensor_versioned', got int": Lender(3),
        "expected elements of type f32, got float64": q.double(),
        "expected elements of type f32, got complex64": torch.complex(q, q),
        "expected at most 6 axes, got 7": torch.zeros(1, 1, 1, 1, 1, 1, 1),
    }
    for words, wrong in expected.items():
        refused(kernel, given | {"q": wrong}, f"operand 'q' of pattern 'rule': {words}")
    order = given["i"].astype(np.int64)
    refused(
        kernel,
        given | {"i": order},
        "operand 'i' of pattern 'rule': expected elements of type i32, got int64",
    )


@pytest.mark.parametrize("read", [linmu.compile, linmu.explain, linmu.load, read_state])
def test_what_is_read_whole_is_a_file(tmp_path, read):
    """A FIFO that nobody writes would be waited for, /dev/zero read without an end."""
    os.mkfifo(tmp_path / "fifo")
    for path, kind in ((tmp_path / "fifo", "a FIFO"), ("/dev/zero", "a device")):
        with pytest.raises(OSError, match=f"^cannot read {path}: it is {kind}; give the name of a file$"):
            read(path)
    with pytest.raises(IsADirectoryError):
        read(tmp_path)


def test_names_of_files_need_not_be_utf8(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mlir")
    Path(path).write_text(PATTERN)
    assert linmu.explain(path)
    Path(path).write_text("func.func @broken(")
    with pytest.raises(ValueError, match="\ufffd.mlir:1:"):
        linmu.compile(path)
