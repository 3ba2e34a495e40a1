"""Which arrays a kernel takes, and of what kind and where its results are."""

import mmap
import tempfile

import numpy as np
import pytest
import torch

import linmu

DOUBLE = """
func.func @double(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %y = pattern.map tokens(%xt = %x : tensor<?x?x4xf32>) -> (tensor<?x?x4xf32>) {
    %z = arith.addf %xt, %xt : f32
    pattern.yield outputs(%z : f32)
  }
  return %y : tensor<?x?x4xf32>
}
"""


@pytest.fixture(scope="module")
def kernel():
    return linmu.compile(DOUBLE)


def ones() -> np.ndarray:
    return np.ones((1, 3, 4), np.float32)


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def mapped_for_reading() -> np.ndarray:
    """As of a file: writing to it would end the process."""
    with tempfile.TemporaryFile() as file:
        file.write(ones().tobytes())
        file.flush()
        memory = mmap.mmap(file.fileno(), 48, prot=mmap.PROT_READ)
    return np.frombuffer(memory, np.float32).reshape(1, 3, 4)


@pytest.mark.parametrize(
    "read_only",
    [
        lambda: frozen(ones()),
        mapped_for_reading,
        lambda: np.broadcast_to(ones()[:, :1], (1, 3, 4)),
    ],
    ids=["flag", "mapped", "broadcast"],
)
def test_read_only_arrays_are_inputs(kernel, read_only):
    given = read_only()
    np.testing.assert_array_equal(kernel(given), np.full((1, 3, 4), 2, np.float32))
    np.testing.assert_array_equal(given, ones())


def test_a_read_only_array_is_no_result(kernel):
    out = frozen(np.full((1, 3, 4), 7, np.float32))
    message = "result 'y' of pattern 'double': expected an array that may be written, got a read-only one"
    with pytest.raises(ValueError, match=message):
        kernel(ones(), out=out)
    np.testing.assert_array_equal(out, np.full((1, 3, 4), 7, np.float32))


class Lender:
    """An array of a library that lends it by `version` of DLPack only."""

    def __init__(self, array, version):
        self.array, self.version = array, version

    def __dlpack__(self, **asked):
        if self.version == 0:
            if asked:
                raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
            return self.array.__dlpack__()
        assert asked["max_version"][0] >= 1
        return self.array.__dlpack__(max_version=(1, 0))


@pytest.mark.parametrize("version", [0, 1])
def test_libraries_of_both_versions_of_dlpack_lend(kernel, version):
    assert (kernel(Lender(ones(), version)) == 2).all()


def test_what_is_no_capsule_is_named(kernel):
    class Wrong:
        def __dlpack__(self, **asked):
            return 3

    with pytest.raises(
        ValueError, match="operand 'x' of pattern 'double': expected __dlpack__ to give a capsule"
    ):
        kernel(Wrong())


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_results_are_on_the_cpu_whatever_the_default_device_is(kernel, device):
    x = torch.ones(1, 3, 4, device="cpu")
    before = torch.get_default_device()
    torch.set_default_device(device)
    try:
        y = kernel(x)
    finally:
        torch.set_default_device(before)
    assert y.device.type == "cpu"
    assert torch.equal(y, 2 * x)


def test_results_are_of_the_kind_of_the_input(kernel):
    class Tracked(torch.Tensor):
        pass

    class Table(np.ndarray):
        pass

    x = torch.ones(1, 3, 4)
    assert type(kernel(x)) is torch.Tensor
    assert type(kernel(x.as_subclass(Tracked))) is torch.Tensor
    assert type(kernel(torch.nn.Parameter(x, requires_grad=False))) is torch.Tensor
    assert type(kernel(ones())) is np.ndarray
    assert type(kernel(ones().view(Table))) is np.ndarray
    assert torch.equal(kernel(x.as_subclass(Tracked)), 2 * x)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: linmu.compile(DOUBLE.encode()), "text_or_path: expected a pattern's text, or the path of its file, as str or os.PathLike, got bytes; decode it: text.decode()"),
        (lambda: linmu.explain(bytearray(b"x")), "text_or_path: expected .*, got bytearray; decode it"),
        (lambda: linmu.compile(3), "text_or_path: expected .* as str or os.PathLike, got int"),
        (lambda: linmu.compile(None), "text_or_path: expected .*, got NoneType"),
        (lambda: linmu.compile(DOUBLE, chunk=64), r"compile\(\) takes no 'chunk'; it takes text_or_path, function, aliases, schedule, target and cache. Choices of the schedule are given as schedule=\{'chunk': 64\}"),
        (lambda: linmu.explain(DOUBLE, cache=False), r"explain\(\) takes no 'cache'; it takes text_or_path, function, aliases, schedule, json and target"),
        (lambda: linmu.compile(DOUBLE, function=3), "function: expected a str, got int"),
        (lambda: linmu.compile(DOUBLE, aliases=["rows"]), r"aliases: expected a dict such as \{\"query\": \"tensor<\?x\?x8x64xbf16>\"\}, got list"),
        (lambda: linmu.compile(DOUBLE, aliases={"rows": torch.bfloat16}), "aliases: expected the text of a type or attribute for 'rows', such as .*, got dtype"),
        (lambda: linmu.compile(DOUBLE, aliases={3: "f32"}), "aliases: expected names as str, such as .*, got 3"),
        (lambda: linmu.compile(DOUBLE, schedule="chunk=64"), r"schedule: expected a dict such as \{\"chunk\": 64\}, got str"),
        (lambda: linmu.compile(DOUBLE, schedule={"chunk": 2.5}), "schedule: expected an integer or a str for 'chunk', such as .*, got float"),
        (lambda: linmu.compile(DOUBLE, schedule={"chunk": True}), "schedule: expected an integer or a str for 'chunk', such as .*, got bool"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named_with_what_to_give(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"aliases": {"quer": "f32"}}, "the text defines no alias '!quer' on a line of its own, which 'f32' was to replace; it defines: !rows"),
        ({"schedule": {"chunks": 64}}, "requires a key out of algorithm, blocks, chunk, .*, got 'chunks'"),
        ({"function": "f"}, "the text defines no pattern 'f'; it defines: double"),
    ],
)  # fmt: skip
def test_names_that_the_text_does_not_have_are_answered_with_those_it_has(options, message):
    text = "!rows = tensor<?x?x4xf32>\n" + DOUBLE
    with pytest.raises(linmu.PatternError, match=message):
        linmu.compile(text, **options)


def test_text_in_one_line_is_text():
    assert linmu.compile(" ".join(DOUBLE.split())).name == "double"


def test_a_path_that_is_not_there_is_a_missing_file():
    with pytest.raises(FileNotFoundError, match="missing.mlir"):
        linmu.compile("missing.mlir")
