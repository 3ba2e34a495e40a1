"""Registers and spills of printed kernels do not grow: a sample of cases and architectures by day, all at night."""

import datetime
import itertools
import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gpu"))
import kernel_resources as resources  # noqa: E402

SMALL = ("linear_attention", "retnet", "bf16_scalar_decay")

pytest.importorskip("nvidia.cu13", reason="this machine's torch brings no NVRTC")


def chosen() -> list[tuple[str, str]]:
    """Three of those that take seconds, each for one architecture, others each day."""
    if os.environ.get("TEST_NIGHTLY"):
        return list(itertools.product(resources.cases(), resources.ARCHITECTURES))
    draw = random.Random(datetime.date.today().toordinal())
    small = [name for name in SMALL if any(case == name for case, _, _ in resources.read_table())]
    return list(zip(small, draw.sample(resources.ARCHITECTURES, len(small)), strict=True))


@pytest.mark.parametrize(("case", "architecture"), chosen())
def test_registers_and_spills_of_a_kernel_do_not_grow(case, architecture):
    assert resources.faults(case, architecture, resources.measure(case, architecture)) == []


@pytest.mark.skipif(
    not os.environ.get("TEST_NIGHTLY"), reason="at night, as what it asks for takes NVRTC long"
)
def test_the_table_holds_every_case_on_every_architecture():
    held = {(case, architecture) for case, _, architecture in resources.read_table()}
    assert held == set(itertools.product(resources.cases(), resources.ARCHITECTURES))


def test_what_has_grown_or_appeared_is_named(monkeypatch):
    table = {("gla", "chunked", "sm_80"): resources.Resources(100, 0)}
    monkeypatch.setattr(resources, "read_table", lambda: table)
    for now in ((101, 0), (100, 4), (90, 8)):
        (fault,) = resources.faults("gla", "sm_80", {"chunked": resources.Resources(*now)})
        assert fault.startswith(f"gla, chunked on sm_80: expected at most 100+0, got {now[0]}+{now[1]}; ")
        assert fault.endswith("./dev resources --write gla")
    assert resources.faults("gla", "sm_80", {"chunked": resources.Resources(100, 0)}) == []
    assert resources.faults("gla", "sm_80", {"chunked": resources.Resources(64, 0)}) == []
    (fault,) = resources.faults("gla", "sm_80", {})
    assert fault.startswith("gla: expected the kernels ['chunked'], got []")
