"""The programs of an installed package: `linmuc` and `linmu`, as pip puts them on the PATH."""

import importlib.util
import os
import sys

_PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin")


def _become(name: str) -> None:
    path = os.path.join(_PROGRAMS, name)
    try:
        os.execv(path, [name, *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"{name}: error: cannot start {path}: {error.strerror}; install LinMU again")


def linmuc() -> None:
    _become("linmuc")


def linmu() -> None:
    """The program finds torch beside it; where Python imports it from elsewhere, that is where."""
    if "LINMU_TORCH_DIR" not in os.environ:
        torch = importlib.util.find_spec("torch")
        if torch is not None and torch.submodule_search_locations:
            os.environ["LINMU_TORCH_DIR"] = list(torch.submodule_search_locations)[0]
    _become("linmu")
