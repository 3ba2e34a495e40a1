"""Regular expressions and splitting by them against the `tokenizers` library, which uses Oniguruma."""

import pytest
from tokenizers import Regex
from tokenizers import pre_tokenizers as P

from tokenizer_support import BEHAVIORS, all_characters, assert_same_ids, random_texts, word_tokenizer

TEXTS = random_texts(1500, seed=12)
GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
GPT4O = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# What Oniguruma means by each differs from what other libraries mean, or hangs on Unicode's version.
PATTERNS = [
    GPT4, GPT4O,
    r"^.", r".$", r"\A.", r".\Z", r".\z", r"(?m:.)", r".", r"\h+", r"\H", r"\R", r"\X", r"\O", r"\N+",
    r"a{2,}+", r"a++", r"a*+b", r"(?>\s+)x", r"x*", r"\b", r"\B", r"\b\w", r"(?=a)", r"(?<=a)b", r"(?<!a)b", r"",
    r"[[:alpha:]]+", r"[[:^alpha:]]+", r"[[:punct:]]", r"[[:upper:][:digit:]]", r"[[:lower:]]+", r"[[:space:]]",
    r"[[:alnum:]]+", r"[[:word:]]+", r"[[:graph:]]+", r"[[:print:]]+", r"[[:cntrl:]]", r"[[:xdigit:]]+", r"[[:blank:]]",
    r"\p{^L}+", r"\P{L}+", r"\P{^L}+", r"[^\p{L}]", r"[\P{L}]", r"[\p{L}&&[^a-z]]+", r"\p{Letter}+", r"\p{Uppercase_Letter}",
    r"\p{Han}+", r"\p{Hiragana}", r"\p{Latin}+", r"\p{Common}", r"\p{Alphabetic}+", r"\p{Alnum}+", r"\p{Lower}+",
    r"\p{Cn}", r"\P{Cn}", r"\p{C}+", r"[^\p{C}]+", r"\p{Zs}", r"\p{Nd}+", r"\p{Punct}", r"\p{So}", r"\p{Mn}", r"\p{ m-c }",
    r"\w+", r"\W+", r"[\W]", r"[^\w\s]", r"\d+", r"\D+", r"\s", r"\S+", r"(?W:\w)+", r"(?D:\d)", r"(?i)straße", r"(?i:K|ſ)",
    r"[]a]", r"[^]a]", r"[a\]b]+", r"[\[\]]", r"(?#comment [)a", r"(a)(b)?\1", r"(?<n>a)\k<n>", r"é|e\u0301", r"\x{301}", r"[\x{0}-\x{1F}]",
    "[一-龥\u3040-ゟ゠-ヿ]+",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_regular_expressions_mean_what_oniguruma_means(pattern, tmp_path):
    tokenizer = word_tokenizer()
    tokenizer.pre_tokenizer = P.Split(Regex(pattern), "isolated")
    assert_same_ids(tokenizer, TEXTS, tmp_path)


@pytest.mark.parametrize(
    "pattern",
    [
        rf"\p{{{name}}}"
        for name in "L Lu Ll Lt Lm Lo M Mn Mc N Nd No P Po Pd S Sm So Z C Cn Han Latin Cyrillic".split()
    ]
    + [rf"[[:{name}:]]" for name in "alpha alnum upper lower digit punct graph print space word".split()]
    + [r"\w", r"\d", r"\s", r"\b."],
)
def test_classes_hold_the_same_characters(pattern, tmp_path):
    tokenizer = word_tokenizer()
    tokenizer.pre_tokenizer = P.Split(Regex(pattern), "isolated")
    assert_same_ids(tokenizer, all_characters(), tmp_path)


@pytest.mark.parametrize("behavior", BEHAVIORS)
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("pattern", [Regex(r"\s+|\d"), Regex("a*"), Regex(r"\b"), " ", "a.b", "", "é"])
def test_splitting(pattern, behavior, invert, tmp_path):
    tokenizer = word_tokenizer()
    tokenizer.pre_tokenizer = P.Split(pattern, behavior, invert)
    assert_same_ids(tokenizer, TEXTS, tmp_path)
