"""Runs the fuzz targets of tests/fuzzers, each for some seconds, from small valid inputs on.

python tools/fuzz_readers.py [--seconds N] [TARGET...]
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"


def seed_safetensors(folder: Path) -> None:
    save_file({}, folder / "empty")
    arrays = {
        "a": np.ones((2, 3), np.float32),
        "b": np.zeros((4,), np.float16),
        "c": np.zeros((0, 2), np.int64),
    }
    save_file(arrays, folder / "three", metadata={"format": "pt", "é": "ü"})
    save_file({"x": np.arange(8, dtype=np.int32).reshape(2, 2, 2), "y": np.array(True)}, folder / "two")


def gguf_model(path: Path, architecture: str) -> None:
    """A tiny model: every key that is read, and weights of several types."""
    writer = GGUFWriter(path, architecture)
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_rope_freq_base(1e4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(["H", "e", "He", "l", "<|im_end|>", "Ġ"])
    writer.add_token_types([1, 1, 1, 1, 3, 1])
    writer.add_token_merges(["H e"])
    writer.add_eos_token_id(4)
    writer.add_chat_template("{{ messages }}")
    writer.add_tensor("token_embd.weight", np.zeros((6, 34), np.uint8), raw_dtype=GGMLQuantizationType.Q8_0)
    writer.add_tensor(
        "blk.0.attn_q.weight", np.zeros((32, 20), np.uint8), raw_dtype=GGMLQuantizationType.Q4_1
    )
    writer.add_tensor(
        "blk.0.ffn_up.weight", np.zeros((2, 210), np.uint8), raw_dtype=GGMLQuantizationType.Q6_K
    )
    writer.add_tensor("output_norm.weight", np.ones(32, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def seed_gguf(folder: Path) -> None:
    for architecture in ("llama", "qwen2"):
        gguf_model(folder / architecture, architecture)


def seed_package(folder: Path) -> None:
    for name in ("deltanet", "gated_deltanet"):
        source = ROOT / "tests" / "recurrences" / f"{name}.mlir"
        # The fields that count are before the code, of which a part serves as well.
        subprocess.run([BUILD / "bin" / "linmuc", source, "--package", folder / f"{name}.lmk"], check=True)
    identity = b"identity"
    entry = b"LNMUENT2" + bytes(8) + len(identity).to_bytes(8, "little") + identity
    (folder / "entry").write_bytes(entry + (4).to_bytes(8, "little") + b"code")


def seed_tokenizer(folder: Path) -> None:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: index for index, letter in enumerate([*letters, "He", "Ġt"])}
    bytewise = Tokenizer(models.BPE(vocab=vocabulary, merges=[("H", "e"), ("Ġ", "t")]))
    bytewise.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(r"\p{N}{1,3}|\s+(?!\S)", "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    bytewise.decoder = decoders.ByteLevel()
    bytewise.add_special_tokens(["<|im_end|>"])
    bytewise.save(str(folder / "bytewise"), pretty=False)
    pieces = {
        piece: index for index, piece in enumerate(["<unk>", "<0x41>", "▁", "t", "h", "e", "th", "▁th"])
    }
    merges = [("t", "h"), ("▁", "th")]
    spaced = Tokenizer(
        models.BPE(vocab=pieces, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    spaced.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    spaced.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    spaced.add_tokens(["naïve"])
    spaced.save(str(folder / "spaced"), pretty=False)


def seed_config(folder: Path) -> None:
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": 96,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "rms_norm_eps": 1e-5,
        "rope_theta": 1e4,
        "hidden_act": "silu",
        "tie_word_embeddings": True,
    }
    scalings = [
        None,
        {"rope_type": "linear", "factor": 2.0},
        {"type": "dynamic", "factor": 2.0},
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 32},
        {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
         "original_max_position_embeddings": 16},
    ]  # fmt: skip
    for index, scaling in enumerate(scalings):
        (folder / str(index)).write_text(json.dumps(config | {"rope_scaling": scaling}))


def seed_texts(folder: Path, *patterns: str) -> None:
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            # Tests of messages are several texts, one behind the other.
            for index, text in enumerate(re.split(r"^// -----$", path.read_text(), flags=re.MULTILINE)):
                (folder / f"{path.stem}-{index}").write_text(text)


SEEDS = {
    "safetensors": seed_safetensors,
    "gguf": seed_gguf,
    "package": seed_package,
    "tokenizer": seed_tokenizer,
    "config": seed_config,
    "pattern": lambda folder: seed_texts(folder, "tests/lit/pattern/*.mlir", "tests/recurrences/*.mlir"),
    "tile": lambda folder: seed_texts(folder, "tests/lit/tile/*.mlir"),
}


def write_words(seeds: Path, dictionary: Path) -> None:
    """The words of the seeds (names of ops, keys of JSON and GGUF), which changes of single bytes would not find."""
    words: set[bytes] = set()
    for path in seeds.iterdir():
        words.update(re.findall(rb"[!%@#]?[A-Za-z_][A-Za-z0-9_.|]{1,40}", path.read_bytes()))
    dictionary.write_bytes(b"".join(b'"%s"\n' % word for word in sorted(words)))


def run(target: str, seconds: int) -> bool:
    """Fuzzes one target; what it finds lies in build/fuzzers/TARGET. The corpus stays for the next time."""
    folder = BUILD / "fuzzers" / target
    seeds, corpus = folder / "seeds", folder / "corpus"
    for each in (seeds, corpus):
        each.mkdir(parents=True, exist_ok=True)
    SEEDS[target](seeds)
    write_words(seeds, folder / "words")
    command = [BUILD / "fuzzers" / f"{target}_fuzz", f"-max_total_time={seconds}", "-timeout=10"]
    # What was found once is read at each start.
    findings = ROOT / "tests" / "fuzzers" / "findings" / target
    command += [f"-dict={folder}/words"]
    command += ["-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1", f"-artifact_prefix={folder}/"]
    # Containers and pools of LLVM's archives, which are not instrumented, would look as if they were overrun.
    sanitizers = {
        "ASAN_OPTIONS": "detect_container_overflow=0:allow_user_poisoning=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    done = subprocess.run(
        [*command, corpus, seeds, *([findings] if findings.is_dir() else [])],
        env=os.environ | sanitizers,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    units = re.search(r"number_of_executed_units: (\d+)", done.stdout)
    if done.returncode != 0:
        print(f"FAILED: fuzzing of {target}; the input is in {folder}\n{done.stdout[-6000:]}")
    print(f"  {target}: {units[1] if units else '?'} inputs", flush=True)
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("targets", nargs="*", choices=[*SEEDS, []], help="default: all")
    arguments = parser.parse_args()
    results = [run(target, arguments.seconds) for target in arguments.targets or SEEDS]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
