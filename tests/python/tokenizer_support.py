"""What the comparisons with the `tokenizers` library share: the probe, random texts, tokenizers that show words."""

import random
import struct
import subprocess
from pathlib import Path

import numpy
from tokenizers import Tokenizer, models

from decoder_support import ROOT

PROBE = ROOT / "build" / "bin" / "tokenizer_probe"

WORDS = (
    "the quick brown fox jumps over lazy dogs naïve café Straße Ωμέγα Привет мир 東京 タワー こんにちは 안녕하세요 שלום مرحبا "
    "नमस्ते ไทย don't WON'T I'll we've it'S e.g. 3.14159 2024-01-31 1,000,000 x=y+z foo_bar() {\"a\":[1,2]} "
    "https://a.b/c?d=e&f# 🙂 👩‍👩‍👧‍👦 🇫🇷 🏳️‍🌈 ½ ² Ⅷ ٣٤ ﬁ ſ K Å e\u0301\u0301 ▁ ▁▁a Ġx <0x41> <unk> <s> </s> <|im_end|> "
    "<|endoftext|> <|im_start|>user <｜begin▁of▁sentence｜> [MASK]"
).split(" ")
SPACES = [
    " ",
    " ",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\u00a0",
    "\u3000",
    "\u2028",
    "\u0085",
    "\u200b",
    "\x00",
    "",
]
RANGES = [(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x600), (0x900, 0xE00), (0x2000, 0x2C00), (0x3000, 0x3200),
          (0x4E00, 0xA000), (0xAC00, 0xD7A4), (0xF900, 0x10000), (0x10000, 0x20000), (0x1F000, 0x1FB00), (0x20000, 0x33480),
          (0xE0000, 0xE0200), (0, 0x110000)]  # fmt: skip


def random_text(generator: random.Random) -> str:
    """Words, spaces and characters of all of Unicode, in runs."""
    parts = []
    for _ in range(generator.randrange(1, 9)):
        kind = generator.random()
        if kind < 0.45:
            parts.append(generator.choice(WORDS))
        elif kind < 0.75:
            parts.append(generator.choice(SPACES))
        elif kind < 0.85:
            parts.append(generator.choice("aA1 .'_-é東\n") * generator.randrange(1, 9))
        else:
            low, high = generator.choice(RANGES)
            points = (generator.randrange(low, high) for _ in range(generator.randrange(1, 5)))
            parts.append("".join(chr(p) for p in points if not 0xD800 <= p < 0xE000))
    return "".join(parts)


BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]


def all_characters() -> list[str]:
    """Every assigned character of Unicode 17 and its neighbours, each between two kinds of others."""
    ranges = [(0, 0xD800), (0xF900, 0x1FC00), (0x2A600, 0x2A800), (0x2B700, 0x2B900), (0x2CE00, 0x2F000)]
    ranges += [
        (0x2F800, 0x2FB00),
        (0x31300, 0x31400),
        (0x32300, 0x33500),
        (0xE0000, 0xE0200),
        (0x10FF00, 0x110000),
    ]
    points = [c for low, high in ranges for c in range(low, high)]
    return [
        "".join(f"a{chr(c)}b {chr(c)}{chr(c)}1" for c in points[at : at + 32])
        for at in range(0, len(points), 32)
    ]


def random_texts(count: int, seed: int = 0) -> list[str]:
    generator = random.Random(seed)
    return [random_text(generator) for _ in range(count)]


def run(command: str, model: Path, content: bytes, folder: Path) -> bytes:
    (folder / "probe.in").write_bytes(content)
    arguments = [PROBE, command, model, folder / "probe.in", folder / "probe.out"]
    result = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return (folder / "probe.out").read_bytes()


def encode(model: Path, texts: list[str], folder: Path, command: str = "encode") -> list[list[int]]:
    encoded = [text.encode() for text in texts]
    out = run(command, model, b"".join(struct.pack("<I", len(text)) + text for text in encoded), folder)
    words, ids, at = numpy.frombuffer(out, "<u4").tolist(), [], 0
    for _ in texts:
        ids.append(words[at + 1 : at + 1 + words[at]])
        at += 1 + words[at]
    assert at == len(words)
    return ids


def decode(model: Path, ids: list[list[int]], folder: Path, command: str = "decode") -> list[str]:
    content = b"".join(struct.pack(f"<{len(each) + 1}I", len(each), *each) for each in ids)
    out, texts, at = run(command, model, content, folder), [], 0
    for _ in ids:
        (length,) = struct.unpack_from("<I", out, at)
        texts.append(out[at + 4 : at + 4 + length].decode())
        at += 4 + length
    assert at == len(out)
    return texts


def open_error(model: Path, folder: Path) -> str:
    """What the probe says of a file that it refuses."""
    (folder / "probe.in").write_bytes(b"")
    arguments = [PROBE, "encode", model, folder / "probe.in", folder / "probe.out"]
    result = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert result.returncode == 1, "the file was taken"
    return result.stderr


WORD_END = "¶"


def word_tokenizer() -> Tokenizer:
    """Ids that show the bytes of every word after normalisation, and where it ends."""
    vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)}
    return Tokenizer(models.BPE(vocabulary, [], byte_fallback=True, end_of_word_suffix=WORD_END))


def words_of(ids: list[int]) -> list[str]:
    """What the ids of a `word_tokenizer` say, for messages."""
    return bytes(i for i in ids if i < 256).decode(errors="replace").split(WORD_END)


def assert_same_ids(tokenizer: Tokenizer, texts: list[str], folder: Path, command: str = "encode") -> None:
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    ours = encode(path, texts, folder, command)
    reference = Tokenizer.from_file(str(path))
    reference.encode_special_tokens = command == "encode-text"
    for text, ids, theirs in zip(texts, ours, reference.encode_batch(texts, add_special_tokens=False)):
        assert ids == theirs.ids, f"{text!r}: {words_of(ids)} for {words_of(theirs.ids)}"
