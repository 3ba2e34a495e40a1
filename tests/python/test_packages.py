"""linmuc OUT.lmk: what it shows, and that no damage to a package goes unseen."""

import ctypes
import random
import re
import subprocess

import pytest

from package_support import BUILD, LINMUC, NIGHTLY, PATTERN, linmuc, write_package


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return write_package(tmp_path_factory.mktemp("packages") / "recall.lmk")


def test_linmuc_shows_signature_target_variants_and_sizes(package):
    done = linmuc(package)
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout
    size = package.stat().st_size
    assert text.startswith(f"{package}: a sound package of pattern 'recall'\n")
    assert re.search(r"^target +cpu:\S+; this machine runs it$", text, re.M)
    assert re.search(rf"^size +{size:,} bytes, with [\d,]+ bytes of code$", text, re.M)
    assert re.search(r"^  g +f32 +\[B, N, 2\]$", text, re.M)
    assert re.search(r"^  after +f32 +\[B, 2, 8, 8\], may lie in the memory of before$", text, re.M)
    assert re.search(r"^  1\. recurrent, if N < \d+$", text, re.M)
    assert re.search(r"^  2\. chunked\(chunk=\d+\), in any case$", text, re.M)
    assert re.search(r"^     chunked\(q, k, v, g, before, o, after\)$", text, re.M)
    assert re.search(r"^       grid 2 x B, [\d,]+ bytes of workspace a thread, ", text, re.M)


def test_conditions_and_grids_are_written_as_expressions(tmp_path):
    pattern = tmp_path / "wide.mlir"
    pattern.write_text(PATTERN.read_text().replace("2x8x8", "4x64x64").replace("2x8", "4x64")
                       .replace("x?x2xf32", "x?x4xf32").replace("8x8", "64x64").replace("<8x", "<64x"))  # fmt: skip
    done = linmuc(pattern, "--schedule=cores=16", "--package", tmp_path / "wide.lmk")
    assert (done.returncode, done.stderr) == (0, "")
    text = linmuc(tmp_path / "wide.lmk").stdout
    conditions = re.findall(r"^  \d\. .*, (?:if (.*)|in any case)$", text, re.M)
    assert len(conditions) >= 3 and conditions[-1] == ""
    for condition in conditions[:-1]:
        assert re.fullmatch(r"[BN\d ()<*=]+(?:(?:and|or)[BN\d ()<*=]+)*", condition), condition
    # Values of B and N may be put in.
    for condition in conditions[:-1]:
        assert eval(condition, {"B": 1, "N": 1}) in (True, False)


def test_a_package_is_known_by_its_content_too(package, tmp_path):
    other = tmp_path / "kernel.bin"
    other.write_bytes(package.read_bytes())
    assert linmuc(other).stdout.startswith(f"{other}: a sound package")


@pytest.mark.parametrize("option", ["--explain", "--emit=asm", "--package=/dev/null"])
def test_a_package_takes_no_options(package, option):
    done = linmuc(package, option)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"linmuc: error: '{package}' is a compiled package, which takes no {option.split('=')[0]}; "
        "give the file of its patterns; see linmuc --help\n"
    )


def test_the_code_of_all_kernels_for_cuda_is_counted_by_architecture(tmp_path):
    package = tmp_path / "total.lmk"
    subprocess.run([BUILD / "tests" / "fake_cuda_package", "total", package], check=True)
    text = linmuc(package).stdout
    # The stand-in's code is the names of two kernels, each with a zero behind.
    assert f"size      {package.stat().st_size:,} bytes, with 19 bytes of code for sm_90a\n" in text
    assert re.search(r"^     sum_part\(x, temporary 1\)$", text, re.M)


def test_code_for_another_cpu_is_shown_with_what_this_one_lacks(tmp_path):
    sound = tmp_path / "older.lmk"
    assert linmuc(PATTERN, "--cpu=sapphirerapids", "--package", sound).returncode == 0
    text = linmuc(sound).stdout
    assert ":sapphirerapids; this machine " in text


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("none.lmk", None, "cannot read {}: No such file or directory"),
        ("empty.lmk", b"", "{}: is not a kernel package"),
        ("text.lmk", PATTERN.read_bytes(), "{}: is not a kernel package"),
    ],
)
def test_what_is_no_package_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    done = linmuc(path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"linmuc: error: {message.format(path)}\n"


def damaged(content: bytes, choose: random.Random) -> bytes:
    """Bits flipped, the end or a part in the middle cut away, a part overwritten by another, bytes added."""
    changed = bytearray(content)
    kind = choose.randrange(5)
    if kind == 0:
        for _ in range(choose.choice((1, 1, 2, 17))):
            changed[choose.randrange(len(changed))] ^= 1 << choose.randrange(8)
    elif kind == 1:
        del changed[choose.randrange(len(changed)) :]
    elif kind == 2:
        start = choose.randrange(len(changed))
        del changed[start : start + choose.randint(1, 64)]
    elif kind == 3:
        size = choose.randint(1, 32)
        source, target = (choose.randrange(len(changed) - size) for _ in range(2))
        changed[target : target + size] = changed[source : source + size]
    else:
        at = choose.randrange(len(changed) + 1)
        changed[at:at] = choose.randbytes(choose.randint(1, 8))
    return bytes(changed)


def damages(content: bytes, count: int):
    choose = random.Random(1)
    while count:
        changed = damaged(content, choose)
        if changed != content:
            count -= 1
            yield changed


def test_ten_thousand_flips_and_cuts_are_refused_by_the_runtime(package):
    library = ctypes.CDLL(BUILD / "lib" / "liblinmu_runtime.so")
    library.linmu_last_error.restype = ctypes.c_char_p
    library.linmu_kernel_open_memory.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
    corrupt_file = 3
    for changed in damages(package.read_bytes(), 10_000):
        kernel = ctypes.c_void_p(1)
        status = library.linmu_kernel_open_memory(changed, len(changed), ctypes.byref(kernel))
        assert (status, kernel.value) == (corrupt_file, None)
        message = library.linmu_last_error().decode()
        assert message.startswith("the package in memory: ") and "\n" not in message


def test_flips_and_cuts_get_one_message_of_linmuc(package, tmp_path):
    path = tmp_path / "damaged.lmk"
    for changed in damages(package.read_bytes(), 10_000 if NIGHTLY else 100):
        path.write_bytes(changed)
        done = subprocess.run([LINMUC, path], check=False, capture_output=True)
        assert (done.returncode, done.stdout) == (1, b"")
        assert re.fullmatch(rb"linmuc: error: [^\n]+damaged\.lmk: [^\n]+\n", done.stderr), done.stderr
