"""Token ids and text, against the `tokenizers` library."""

import random

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from decoder_support import probe, smollm2_path, smollm2_reader

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BY_HAND = [
    "",
    " ",
    "  ",
    "\n",
    "\n\n \n",
    "\t\t x",
    "Hello world",
    " Hello  world ",
    "don't WON'T I'll we've 'tis it'S",
    "123",
    "1 2 3",
    "a1b22c333",
    "3.14159",
    "½ ² Ⅷ ٣٤ 五",
    "naïve café",
    "nai\u0308ve cafe\u0301",
    "Ωμέγα",
    "東京タワー",
    "Привет, мир!",
    "שלום עולם",
    "مرحبا",
    "नमस्ते",
    "🙂",
    "👩‍👩‍👧‍👦 family",
    "🇫🇷🏳️‍🌈",
    "a\u200bb",
    "\u00a0nbsp\u3000wide",
    "\ufeffbom",
    "def f(x):\n    return x ** 2  # square\n",
    '{"a": [1, 2.5e-3, null]}',
    "<|im_start|>user\nHi<|im_end|>\n",
    "<|im_start|",
    "<|im_end|><|im_end|>",
    "x<|endoftext|>y",
    "<repo_name>a<file_sep>",
    "a" * 5000,
    " " * 3000 + "x",
    "\x00\x01\x7f",
    "\u0085next line",
    "\u2028 \u2029",
    "e\u0301\u0301\u0301",
    "\U0010ffff\ue000",
    "ﬁ ﬃ ſ K Å",
    "!!!???...",
    "=====> <-----",
    "\r\n\r\nx\r",
]


def tricky_strings():
    generator = random.Random(0)
    alphabet = [c for text in BY_HAND for c in text[:60]] + list(" \n\t'0123456789abcdefgzABC.,;_-/\\")
    strings = list(BY_HAND)
    for _ in range(300):
        strings.append("".join(generator.choice(alphabet) for _ in range(generator.randrange(1, 60))))
    for _ in range(100):
        points = (generator.randrange(0x20, 0x30000) for _ in range(generator.randrange(1, 20)))
        strings.append("".join(chr(p) for p in points if not 0xD800 <= p < 0xE000))
    return strings


@pytest.fixture(scope="module")
def reference():
    """SmolLM2's tokenizer as its publisher defines it, on the vocabulary of the GGUF file."""
    fields = smollm2_reader().fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    types = fields["tokenizer.ggml.token_type"].contents()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t, kind in zip(tokens, types) if kind == 3])
    return tokenizer


def test_ids_from_gguf_equal_tokenizers(reference, tmp_path):
    strings = tricky_strings()
    ours = probe("tokens", smollm2_path(), strings, tmp_path)
    for text, ids in zip(strings, ours):
        assert ids == reference.encode(text).ids, repr(text)


def test_decoded_text_equals_tokenizers(reference, tmp_path):
    generator = random.Random(1)
    ids = [reference.encode(text).ids for text in tricky_strings()]
    ids += [[generator.randrange(49152) for _ in range(12)] for _ in range(200)]  # breaks characters apart
    ours = probe("decode", smollm2_path(), ids, tmp_path)
    for given, text in zip(ids, ours):
        assert text == reference.decode(given), given


@pytest.mark.parametrize("qwen2", [False, True])
def test_ids_from_tokenizer_json_equal_tokenizers(reference, qwen2, tmp_path):
    tokenizer = Tokenizer.from_str(reference.to_str())
    if qwen2:
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(QWEN2), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    strings = tricky_strings()
    ours = probe("tokens", tmp_path / "tokenizer.json", strings, tmp_path)
    for text, ids in zip(strings, ours):
        assert ids == tokenizer.encode(text).ids, repr(text)
