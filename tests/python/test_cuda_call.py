"""Kernels for CUDA called from Python, over a stand-in for the driver whose device memory is the host's."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[2] / "build"
DRIVER = BUILD / "tests" / "liblinmu_fake_cuda_driver.so"

PRELUDE = r"""
import ctypes, sys
import numpy as np
import linmu

driver = ctypes.CDLL(DRIVER)
driver.linmu_fake_cuda_take_calls.restype = ctypes.c_char_p
driver.linmu_fake_cuda_last_words.restype = ctypes.POINTER(ctypes.c_longlong)
driver.linmu_fake_cuda_takes(b"add", 30)

def calls():
    return driver.linmu_fake_cuda_take_calls().decode().splitlines()

def words(count=30):
    return driver.linmu_fake_cuda_last_words()[:count]

class Interface:
    "A device array of a library that knows CUDA's array interface alone."
    def __init__(self, array, stream=None):
        self.array = array
        self.__cuda_array_interface__ = {
            "shape": array.shape, "typestr": array.dtype.str, "data": (array.ctypes.data, False),
            "strides": array.strides, "version": 3, "stream": stream}

class DLDevice(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int32), ("id", ctypes.c_int32)]
class DLType(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]
class DLTensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", DLDevice), ("ndim", ctypes.c_int32), ("dtype", DLType),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("byte_offset", ctypes.c_uint64)]
VIEW = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.POINTER(DLTensor))
STREAM = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int32, ctypes.c_int32, ctypes.POINTER(ctypes.c_void_p))

def describe(tensor, out):
    array = tensor.array
    out.data, out.device, out.ndim = array.ctypes.data, DLDevice(tensor.kind, tensor.device_id), array.ndim
    out.dtype = DLType(2, 32, 1)
    tensor.shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    tensor.strides = (ctypes.c_int64 * array.ndim)(*(s // 4 for s in array.strides))
    out.shape, out.strides = tensor.shape, tensor.strides

@VIEW
def view(tensor, out):
    describe(tensor, out.contents)
    return 0

@STREAM
def current_stream(kind, device, out):
    out[0] = 0x70 + device
    return 0

class Versioned(ctypes.Structure):
    pass
DELETE = ctypes.CFUNCTYPE(None, ctypes.POINTER(Versioned))
Versioned._fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("context", ctypes.c_void_p),
                      ("deleter", DELETE), ("flags", ctypes.c_uint64), ("tensor", DLTensor)]
REFUSE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p)
ALLOCATE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(DLTensor), ctypes.POINTER(ctypes.POINTER(Versioned)),
                            ctypes.c_void_p, REFUSE)
memory, log, refuses = np.zeros(4096, np.uint8), [], []

@DELETE
def delete(managed):
    log.append("release")

@ALLOCATE
def allocate(prototype, out, context, refuse):
    wanted = prototype.contents
    if refuses:
        refuse(context, b"OutOfMemoryError", b"there is none\nand more lines")
        return -1
    log.append(f"allocate {wanted.shape[0]} of type {wanted.dtype.code}/{wanted.dtype.bits} on {wanted.device.id}")
    allocate.managed = Versioned(1, 3, None, delete, 0, DLTensor(data=(memory.ctypes.data + 63) // 64 * 64))
    out[0] = ctypes.pointer(allocate.managed)
    return 0

class Api(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("previous", ctypes.c_void_p),
                ("allocate", ALLOCATE), ("export_managed", ctypes.c_void_p), ("import_managed", ctypes.c_void_p),
                ("view", VIEW), ("current_stream", STREAM)]
api = Api(1, 3, None, allocate, None, None, view, current_stream)
new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]

class Exchanged:
    "A tensor whose type has DLPack's table of functions, as torch's has."
    __dlpack_c_exchange_api__ = new_capsule(ctypes.addressof(api), b"dlpack_exchange_api", None)
    def __init__(self, array, device=0, kind=2):
        self.array, self.device_id, self.kind = array, device, kind
    def __dlpack__(self, **options):
        raise AssertionError("the table of functions is there")

class Managed(ctypes.Structure):
    _fields_ = [("tensor", DLTensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]

class Lent:
    "A tensor that is lent by __dlpack__ alone, which is told the stream."
    def __init__(self, array):
        self.array, self.device_id, self.kind, self.streams = array, 0, 2, []
    def __dlpack_device__(self):
        return (2, 0)
    def __dlpack__(self, stream=None, **options):
        self.streams.append(stream)
        self.managed = Managed()
        describe(self, self.managed.tensor)
        return new_capsule(ctypes.addressof(self.managed), b"dltensor", None)

kernel = linmu.load(PACKAGE)
x, y, o = (np.zeros((2, 5, 3, 4), np.float32) for _ in range(3))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("cuda") / "sum2.lmk"
    subprocess.run([BUILD / "tests" / "fake_cuda_package", "sum2", path], check=True)
    return path


def run(package: Path, body: str, driver=DRIVER) -> str:
    """What `body` prints in a process of its own: the driver is chosen once a process."""
    text = f"DRIVER, PACKAGE = {str(DRIVER)!r}, {str(package)!r}\n" + PRELUDE + textwrap.dedent(body)
    environment = os.environ | {"LINMU_CUDA_DRIVER": str(driver)}
    done = subprocess.run(
        [sys.executable, "-c", text], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_array_of_cudas_interface_is_a_view_on_the_legacy_default_stream(package):
    run(
        package,
        """
        assert kernel.runs_on == "cuda"
        wide = np.zeros((2, 5, 3, 8), np.float32)
        kernel(Interface(wide[..., :4]), Interface(y[:1]), out=Interface(o))
        launches = [call for call in calls() if call.startswith("cuLaunchKernel")]
        assert launches == ["cuLaunchKernel add blocks=10 threads=128 shared=0 stream=0 device=0"], launches
        assert words() == [wide.ctypes.data, 2, 5, 3, 4, 120, 24, 8, 1,
                           y.ctypes.data, 2, 5, 3, 4, 0, 12, 4, 1,
                           o.ctypes.data, 2, 5, 3, 4, 60, 12, 4, 1, 5, 2, 1], words()
        """,
    )


def test_a_library_with_dlpacks_functions_gives_its_tensors_and_its_stream_without_a_word_to_others(package):
    run(
        package,
        """
        kernel(Exchanged(x), Exchanged(y), out=[Exchanged(o)])
        kernel(Exchanged(x, 1), Exchanged(y, 1), out=[Exchanged(o, 1)])
        kernel(Exchanged(x), Exchanged(y), out=[Exchanged(o)], stream=0x99)
        launches = [call.split(" shared=0 ")[1] for call in calls() if call.startswith("cuLaunchKernel")]
        assert launches == ["stream=0x70 device=0", "stream=0x71 device=1", "stream=0x99 device=0"], launches
        """,
    )


def test_temporaries_come_from_the_library_on_its_own_stream_and_from_the_driver_on_another(tmp_path):
    path = tmp_path / "total.lmk"
    subprocess.run([BUILD / "tests" / "fake_cuda_package", "total", path], check=True)
    run(
        path,
        """
        x, o = np.zeros((1, 8, 1, 1), np.float32), np.zeros((1, 1, 1, 1), np.float32)
        driver.linmu_fake_cuda_takes(b"sum_part", 21)
        driver.linmu_fake_cuda_takes(b"sum_whole", 21)
        def steps():
            return [call.split()[0] for call in calls() if "Alloc" in call or "Free" in call or "Launch" in call]

        kernel(Exchanged(x), out=Exchanged(o))
        assert log == ["allocate 128 of type 1/8 on 0", "release"], log
        assert steps() == ["cuLaunchKernel"] * 2
        aligned = (memory.ctypes.data + 63) // 64 * 64
        assert words(21)[0] == aligned + 64, "the second temporary"
        kernel(Exchanged(x), out=Exchanged(o), stream=0x99)
        assert len(log) == 2
        assert steps() == ["cuMemAllocAsync", "cuLaunchKernel", "cuLaunchKernel", "cuMemFreeAsync"]

        refuses.append(True)
        try:
            kernel(Exchanged(x), out=Exchanged(o))
        except OSError as error:
            expected = "cannot allocate 128 bytes of temporaries on cuda:0: OutOfMemoryError: there is none"
            assert str(error) == expected, error
        else:
            raise AssertionError("nothing was refused")
        assert steps() == []
        """,
    )


def test_a_tensor_lent_by_dlpack_is_told_the_stream_of_the_call(package):
    run(
        package,
        """
        class Stream:
            cuda_stream = 0x40
        tensor, other, result = Lent(x), Lent(y), Lent(o)
        kernel(tensor, other, out=result)
        kernel(tensor, other, out=result, stream=Stream())
        assert tensor.streams == result.streams == [1, 0x40], tensor.streams
        """,
    )


def test_tensors_elsewhere_are_named_with_where_they_should_be(package):
    printed = run(
        package,
        """
        def message(*arguments, **named):
            try:
                kernel(*arguments, **named)
            except (ValueError, TypeError) as error:
                print(error)
        message(x, y, out=o)
        message(Exchanged(x), y, out=o)
        message(Exchanged(x), Exchanged(y, 1), out=Exchanged(o))
        message(Exchanged(x), Exchanged(y))
        message(Exchanged(x), Exchanged(y), out=Exchanged(o), stream="default")
        message(Interface(x, stream=0x40), Interface(y), out=Interface(o))
        message(Interface(x.astype(np.float64)), Interface(y), out=Interface(o))
        """,
    )
    assert printed.splitlines() == [
        "operand 'x' of pattern 'sum2': expected a tensor on a CUDA device, got one on the CPU",
        "operand 'y' of pattern 'sum2': expected a tensor on cuda:0, got one on the CPU",
        "operand 'y' of pattern 'sum2': expected a tensor on cuda:0, got one on cuda:1",
        "pattern 'sum2': expected out= to give the results, or torch tensors as inputs, got Exchanged without out=",
        "stream: expected a CUDA stream or its handle, got str",
        "operand 'x' of pattern 'sum2': expected a tensor whose stream is that of the call, got one of stream 64",
        "give stream= that one, or wait for it first",
        "operand 'x' of pattern 'sum2': expected elements of type f32, got '<f8'",
    ]


def test_a_machine_without_a_driver_says_so_in_one_sentence(package):
    printed = run(
        package,
        """
        try:
            kernel(Exchanged(x), Exchanged(y), out=Exchanged(o))
        except NotImplementedError as error:
            print(error)
        """,
        driver="libcuda-of-nobody.so.1",
    )
    assert printed == (
        "CUDA needs NVIDIA's driver, which this machine lacks: libcuda-of-nobody.so.1: cannot open shared object file: "
        "No such file or directory\n"
    )


def test_a_pattern_is_compiled_for_architectures_by_name_without_a_gpu():
    import linmu

    text = """
func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}
"""
    with pytest.raises(ValueError, match="target: expected cpu, cuda, cuda:ARCHITECTURE"):
        linmu.compile(text, target="gpu")
    try:
        kernel = linmu.compile(text, target="cuda:sm_90a", cache=False)
    except NotImplementedError as error:
        pytest.skip(str(error))  # no NVRTC
    assert kernel.runs_on == "cuda"
    assert kernel.code.startswith(b"\x7fELF")
