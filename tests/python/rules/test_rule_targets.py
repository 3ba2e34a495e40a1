"""Where a rule runs: on the device of its tensors, or on the target that a call names."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import linmu
from linmu import State, Tokens, exp, lag, outer, scan, softplus

BUILD = Path(__file__).resolve().parents[3] / "build"
DRIVER = BUILD / "tests" / "liblinmu_fake_cuda_driver.so"


@linmu.pattern
def cell(
    q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], g: Tokens["H"], s0: State["H", "K", "V"]
):
    @scan(S=s0)
    def step(S, q, k, v, g):
        S = exp(-softplus(g)) * S + outer(k, v + lag(v, 1))
        return S, q @ S

    return step(q, k, v, g), step.S


def operands():
    random = np.random.default_rng(0)
    shapes = [(1, 20, 2, 16)] * 3 + [(1, 20, 2), (2, 2, 16, 16)]
    return [random.standard_normal(shape, np.float32) for shape in shapes], np.array([0, 13, 20], np.int32)


def test_the_kernels_for_gpus_run_by_emulation():
    given, table = operands()
    expected = cell(*given, sequences=table)
    for actual, wanted in zip(cell(*given, sequences=table, target="emulate"), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-4)
    assert cell.kernel(H=2, K=16, V=16, target="emulate") is not cell.kernel(H=2, K=16, V=16)


def test_a_check_compares_what_is_emulated_with_the_definition():
    table = cell.ragged.check(tokens=20, batch=2, target="emulate")
    assert table, str(table)
    assert {row.what for row in table.rows} == {"forward", "decode"}


def test_kernels_for_gpus_are_asked_about_without_one():
    assert "chunked" in cell.explain(H=2, K=64, V=64, target="cuda:sm_90a")
    with pytest.raises(ValueError, match="target: expected cpu, cuda, cuda:ARCHITECTURE"):
        cell.explain(H=2, K=64, V=64, target="gpu")


def test_a_machine_without_a_gpu_says_so_in_one_sentence():
    script = """
        import linmu, numpy as np
        from linmu import Tokens
        @linmu.pattern
        def rule(x: Tokens["H", "D"]):
            return 2 * x
        class OnDevice:
            "A tensor on a CUDA device, as other libraries than torch have them."
            dtype, shape = np.dtype("float32"), (1, 2, 1, 4)
            def __dlpack_device__(self):
                return (2, 0)
        for call in (lambda: rule(OnDevice()), lambda: rule.kernel(H=1, D=4, target="cuda")):
            try:
                call()
            except NotImplementedError as error:
                print(str(error).splitlines())
    """
    environment = os.environ | {"LINMU_CUDA_DRIVER": "libcuda-of-nobody.so.1"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    by_tensors, by_name = [eval(line) for line in done.stdout.splitlines()]
    assert (
        by_tensors
        == by_name
        == [
            "CUDA needs NVIDIA's driver, which this machine lacks: libcuda-of-nobody.so.1: cannot open shared object file: "
            "No such file or directory",
            "name what to compile for, e.g. cuda:sm_90a",
        ]
    )


DISPATCH = r"""
import ctypes, types
import numpy as np
import _linmu, linmu

driver = ctypes.CDLL(DRIVER)
driver.linmu_fake_cuda_take_calls.restype = ctypes.c_char_p
driver.linmu_fake_cuda_last_words.restype = ctypes.POINTER(ctypes.c_longlong)
driver.linmu_fake_cuda_takes(b"add", 30)
kernel = linmu.load(PACKAGE)
made = []

class OnDevice:
    "A device array whose memory is the host's, of CUDA's array interface."
    def __init__(self, array):
        self.array = array
        self.__cuda_array_interface__ = {"shape": array.shape, "typestr": "<f4", "data": (array.ctypes.data, False),
                                         "strides": array.strides, "version": 3}

def empty_like(model):
    made.append(OnDevice(np.zeros(model, np.float32)))
    return made[-1]

dispatch = _linmu.RuleDispatch("rule", ["x", "y"], [2, 2])
x, y = (OnDevice(np.zeros((2, 5, 3, 4), np.float32)) for _ in range(2))
dispatch.add((x, y), kernel._native, empty_like, lambda shape, dtype: shape, ["f32"])
driver.linmu_fake_cuda_take_calls()
result = dispatch.call((x, y))
assert result is made[-1]
launches = [call for call in driver.linmu_fake_cuda_take_calls().decode().splitlines() if "Launch" in call]
assert launches == ["cuLaunchKernel add blocks=10 threads=128 shared=0 stream=0 device=0"], launches
words = driver.linmu_fake_cuda_last_words()
assert (words[0], words[9], words[18]) == tuple(t.array.ctypes.data for t in (x, y, result))
assert dispatch.call((np.zeros((2, 5, 3, 4), np.float32),) * 2) is None, "tensors elsewhere are another kernel's"
"""


def test_the_short_way_of_a_call_launches_on_the_device_of_the_tensors(tmp_path):
    package = tmp_path / "sum2.lmk"
    subprocess.run([BUILD / "tests" / "fake_cuda_package", "sum2", package], check=True)
    script = f"DRIVER, PACKAGE = {str(DRIVER)!r}, {str(package)!r}\n" + DISPATCH
    environment = os.environ | {"LINMU_CUDA_DRIVER": str(DRIVER)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
