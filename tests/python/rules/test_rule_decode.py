"""A decoder goes on where it stood: by any numbers of tokens, from snapshots and from files."""

import numpy as np
import pytest
import torch

import linmu
from linmu import Index, Param, State, Tokens, lag, outer, scan, sigmoid, zeros


@linmu.pattern
def cell(q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], ids: Index, w: Param["H", "V"],
         n0: State["H"]):  # fmt: skip
    v = v * sigmoid(v)

    @scan(S=zeros("H", "K", "V"), N=n0, segments=ids)
    def step(S, N, q, k, v):
        S = 0.9 * S + outer(k, v + w * lag(v, 2))
        N = 0.9 * N + q @ k
        return S, N, q @ S + N

    return step(q, k, v), step.N


TOKENS = 40


@pytest.fixture(scope="module")
def given():
    random = np.random.default_rng(0)
    q, k, v = (random.standard_normal((2, TOKENS, 2, 8), np.float32) for _ in range(3))
    ids = np.cumsum(random.random((2, TOKENS)) < 0.15, axis=1).astype(np.int32)
    w, n0 = random.standard_normal((2, 8), np.float32), random.standard_normal((2, 2), np.float32)
    return {"q": q, "k": k, "v": v, "ids": ids}, {"w": w, "n0": n0}


def part(tokens, begin, end):
    return {name: x[:, begin:end] for name, x in tokens.items()}


def walked(decoder, tokens, cuts):
    return np.concatenate(
        [decoder.extend(**part(tokens, *cut)) for cut in zip([0, *cuts], [*cuts, TOKENS])], axis=1
    )


@pytest.mark.parametrize("cuts", [[1, 2, 3], [8, 16, 24, 32], [30, 31, 33, 36], []])
def test_parts_give_what_the_whole_gives(given, cuts):
    tokens, fixed = given
    whole, end = cell(**tokens, **fixed)
    decoder = cell.decode(**fixed)
    np.testing.assert_allclose(walked(decoder, tokens, cuts), whole, rtol=1e-4, atol=1e-4)
    assert decoder.tokens == TOKENS
    # The last tokens before a cut, the segment they are of, the state that starts at zero and the one given.
    assert sorted(decoder.states) == ["S0", "ids_tail", "map_tail", "n0"]
    np.testing.assert_allclose(decoder.states["n0"], end, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(decoder.states["ids_tail"], tokens["ids"][:, -1:])


def test_what_was_given_stays_as_it_was(given):
    tokens, fixed = given
    before = {name: x.copy() for name, x in fixed.items()}
    walked(cell.decode(**fixed), tokens, [1, 2, 3])
    for name, x in fixed.items():
        np.testing.assert_array_equal(x, before[name])


def test_roll_back_goes_to_the_snapshot_however_often(given):
    tokens, fixed = given
    whole, _ = cell(**tokens, **fixed)
    decoder = cell.decode(**fixed)
    decoder.extend(**part(tokens, 0, 20))
    decoder.extend(**part(tokens, 20, 21))
    here = decoder.snapshot()
    for _ in range(3):
        for begin in range(21, 27):
            wrong = {name: x[:, ::-1][:, begin : begin + 1] for name, x in tokens.items()}
            decoder.extend(**wrong)
        decoder.roll_back(here)
        assert decoder.tokens == 21
        right = [decoder.extend(**part(tokens, begin, begin + 1)) for begin in range(21, 30)]
        np.testing.assert_allclose(np.concatenate(right, axis=1), whole[:, 21:30], rtol=1e-4, atol=1e-4)
        decoder.roll_back(here)
    with pytest.raises(linmu.PatternError, match="expected a snapshot of this decoder"):
        cell.decode(**fixed).roll_back(here)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_a_saved_walk_goes_on_in_another_decoder(given, library, tmp_path):
    tokens, fixed = given
    if library == "torch":
        tokens, fixed = ({name: torch.from_numpy(x) for name, x in group.items()} for group in given)
    first = cell.decode(**fixed)
    first.extend(**part(tokens, 0, 30))
    first.save(tmp_path / "walk")
    expected = first.extend(**part(tokens, 30, TOKENS))
    fresh, used = cell.decode(**fixed), cell.decode(**fixed)
    used.extend(**part(tokens, 3, 9))
    for decoder in (fresh, used):
        decoder.load(tmp_path / "walk")
        assert decoder.tokens == 30
        np.testing.assert_array_equal(decoder.extend(**part(tokens, 30, TOKENS)), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["walk"]


def test_a_state_of_one_batch_serves_all(given):
    tokens, fixed = given
    one = {"w": fixed["w"], "n0": fixed["n0"][:1]}
    whole, _ = cell(**tokens, **one)
    np.testing.assert_allclose(walked(cell.decode(**one), tokens, [1, 2, 9]), whole, rtol=1e-4, atol=1e-4)


def test_a_walk_that_is_loaded_before_the_first_tokens_is_of_their_library(tmp_path):
    @linmu.pattern
    def rule(x: Tokens["H", "D"]):
        return x + lag(x, 1)

    x = torch.arange(24.0).reshape(1, 6, 1, 4).to(torch.bfloat16)
    first, second = rule.decode(), rule.decode()
    first.extend(x[:, :3])
    first.save(tmp_path / "walk")
    second.load(tmp_path / "walk")
    torch.testing.assert_close(second.extend(x[:, 3:]), rule(x)[:, 3:], rtol=0, atol=0)


def test_a_file_that_is_no_walk_is_refused(given, tmp_path):
    tokens, fixed = given
    decoder = cell.decode(**fixed)
    decoder.extend(**part(tokens, 0, 30))
    path = tmp_path / "walk"
    decoder.save(path)
    content = path.read_bytes()
    for broken in (
        b"",
        content[:7],
        content[:100],
        content[:-1],
        b"\xff" * 8 + content[8:],
        b"x" * len(content),
    ):
        path.write_bytes(broken)
        with pytest.raises(linmu.PatternError, match="walk: expected a walk that a decoder saved"):
            decoder.load(path)
    path.write_bytes(content.replace(b'"S0"', b'"S1"'))
    with pytest.raises(
        linmu.PatternError, match="expected a walk that carries .*S0, got one that carries .*S1"
    ):
        decoder.load(path)
    path.write_bytes(content.replace(b'"cell"', b'"ceil"'))
    with pytest.raises(linmu.PatternError, match="expected a walk of rule cell, got ceil"):
        decoder.load(path)


def test_bf16_tokens_have_tails_of_their_type():
    @linmu.pattern
    def rule(x: Tokens["H", "D"], w: Param["H", "D"]):
        return x + w * lag(x, 3)

    random = np.random.default_rng(1)
    x = torch.from_numpy(random.standard_normal((1, 12, 2, 8), np.float32)).to(torch.bfloat16)
    w = torch.ones(2, 8)
    decoder = rule.decode(w=w)
    parts = [decoder.extend(x[:, i : i + 1]) for i in range(12)]
    torch.testing.assert_close(torch.cat(parts, dim=1), rule(x, w), rtol=0, atol=0)
    (tail,) = decoder.states.values()
    torch.testing.assert_close(tail, x[:, -3:], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"reverse": True}, "a decoder extends forward, and this scan is reversed"),
     ({"order": True}, "a decoder extends by the next tokens, and this scan has an order")],
)  # fmt: skip
def test_what_looks_at_later_tokens_has_no_decoder(options, expected):
    @linmu.pattern
    def rule(x: Tokens["H", "D"], i: Index):
        @scan(S=zeros("H", "D"), **{key: i if key == "order" else value for key, value in options.items()})
        def step(S, x):
            S = 0.5 * S + x
            return S, S

        return step(x)

    with pytest.raises(linmu.PatternError, match=expected):
        rule.decode().extend(np.ones((1, 1, 2, 4), np.float32), np.zeros((1, 1), np.int32))


def test_a_decoder_says_what_it_lacks(given):
    with pytest.raises(
        linmu.PatternError, match=r"decoder of rule cell lacks w: expected parameters in decode\(...\)"
    ):
        cell.decode()
    with pytest.raises(linmu.PatternError, match="expected 'q' in extend"):
        cell.decode(q=given[0]["q"])
    with pytest.raises(linmu.PatternError, match="save: expected a decoder that has been extended"):
        cell.decode(w=given[1]["w"]).save("nowhere")
