"""docs/gallery is what tools/gallery.py makes of the files and the figures beside it."""

import json
import sys
from pathlib import Path

import pytest

import linmu.gallery

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "gallery"
sys.path.insert(0, str(ROOT / "tools"))
import gallery as generator  # noqa: E402


def test_the_pages_are_those_of_the_files():
    pages = generator.pages()
    assert sorted(path.name for path in FOLDER.glob("*.md")) == sorted(pages)
    for name, text in pages.items():
        assert (FOLDER / name).read_text() == text, (
            f"docs/gallery/{name} is old: ./dev gallery writes it anew"
        )


def test_every_rule_has_figures_and_none_has_more():
    figures = json.loads((FOLDER / "cpu.json").read_text())
    assert figures["machine"] and list(figures["rules"]) == linmu.gallery.RULES
    for entry in figures["rules"].values():
        assert sorted(entry["errors"]) == ["decode", "forward"] and max(entry["errors"].values()) < 1e-4
        assert all(entry["milliseconds"][str(tokens)] > 0 for tokens in generator.TOKENS)


@pytest.mark.parametrize("name", ["gla", "slstm"])
def test_a_rule_is_measured_as_its_figures_say(name, monkeypatch):
    monkeypatch.setattr(generator, "TOKENS", (1, 20))
    entry = generator.measure(generator.rules()[name], "cpu")
    recorded = json.loads((FOLDER / "cpu.json").read_text())["rules"][name]
    assert entry["algorithm"].split("(")[0] == {"gla": "chunked", "slstm": "recurrent"}[name]
    assert entry.keys() == recorded.keys() and entry["milliseconds"].keys() == {"1", "20"}


def test_figures_of_a_gpu_are_columns_of_their_own(monkeypatch):
    gpu = {
        "machine": "NVIDIA H200",
        "rules": {"gla": {"milliseconds": {"1": 0.5}, "peers": {"fla": {"1": 0.25}}}},
    }
    of_cpu = generator.figures("cpu")
    monkeypatch.setattr(generator, "figures", lambda target: gpu if target == "cuda" else of_cpu)
    table = generator.times_of("gla").splitlines()
    assert table[0] == "| tokens | CPU, ms | NVIDIA H200, ms | fla on it, ms |"
    assert table[2].endswith("| 0.5 | 0.25 |")
    assert "NVIDIA" not in generator.times_of("kda")
