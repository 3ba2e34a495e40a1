"""A model of rules is trained: two layers of the delta rule learn to copy, and decode what they prefill."""

import functools

import pytest
import torch
from torch import nn

import linmu
from linmu import Tokens, dot, outer, rsqrt, scan, sigmoid, zeros

WORDS, LENGTH, WIDTH, HEADS = 16, 12, 48, 2


@linmu.pattern
def delta(q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], b: Tokens["H"]):
    @scan(S=zeros("H", "K", "V"))
    def step(S, q, k, v, b):
        k = k * rsqrt(dot(k, k) + 1e-6)
        S = S + outer(k, sigmoid(b) * (v - k @ S))
        return S, q @ S

    return step(q, k, v, b)


# So little work is done by one thread at once, and by two that wait for each other on a busy machine hardly at all.
alone = functools.partial(delta, threads=1)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.out = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH)
        self.projection = nn.Linear(WIDTH, 3 * WIDTH + HEADS)
        self.inner = nn.Sequential(
            nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH)
        )

    def forward(self, x, mix):
        *qkv, b = self.projection(self.norm(x)).split([WIDTH] * 3 + [HEADS], 2)
        x = x + self.out(mix(*(part.unflatten(2, (HEADS, -1)) for part in qkv), b).flatten(2))
        return x + self.inner(x)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(WORDS + 1, WIDTH), nn.Embedding(2 * LENGTH, WIDTH)
        self.layers, self.out = nn.ModuleList([Layer(), Layer()]), nn.Linear(WIDTH, WORDS)

    def forward(self, words, mixers=(alone, alone), start=0):
        x = self.words(words) + self.places.weight[start : start + words.shape[1]]
        for layer, mix in zip(self.layers, mixers):
            x = layer(x, mix)
        return self.out(x)


def sequences(count, random):
    """Words, a separator and the words again but for the last, and the words."""
    words = torch.randint(WORDS, (count, LENGTH), generator=random)
    separator = torch.full((count, 1), WORDS)
    return torch.cat([words, separator, words[:, :-1]], 1), words


def test_two_layers_of_the_delta_rule_learn_to_copy_and_decode_what_they_prefill():
    torch.manual_seed(0)
    random, model = torch.Generator().manual_seed(1), Model()
    optimiser = torch.optim.Adam(model.parameters(), 4e-3)
    test, expected = sequences(64, torch.Generator().manual_seed(2))

    def copied():
        with torch.no_grad():
            return model(test)[:, LENGTH:].argmax(2)

    for step in range(1, 501):
        given, words = sequences(32, random)
        loss = nn.functional.cross_entropy(model(given)[:, LENGTH:].flatten(0, 1), words.flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 25 == 0 and torch.equal(copied(), expected):
            break
    assert torch.equal(copied(), expected), f"after {step} steps"

    # The prompt in one part, then word by word, each the one that was said before.
    decoders = [delta.decode(), delta.decode()]
    mixers = [decoder.extend for decoder in decoders]
    with torch.no_grad():
        said = [model(test[:, : LENGTH + 1], mixers)[:, -1:].argmax(2)]
        while len(said) < LENGTH:
            said.append(model(said[-1], mixers, start=LENGTH + len(said)).argmax(2))
    assert torch.equal(torch.cat(said, 1), expected)
