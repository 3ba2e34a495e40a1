"""How much decays lose: resets, and ranges stated in different places, over long sequences."""

import numpy as np
import pytest

import linmu

WIDTH = 16
TYPES = f"""!t = tensor<?x?x1x{WIDTH}xf32>
!v = tensor<{WIDTH}xf32>
!m = tensor<{WIDTH}x{WIDTH}xf32>
"""


def kernel_of(decay: str, **schedule):
    """S' = %A S + k (x) v with %A : !m that `decay` makes of the vector %z, read by q."""
    return linmu.compile(
        f"""{TYPES}
func.func @decayed(%q: !t, %k: !t, %v: !t, %zs: !t) -> !t {{
  %o, %f = pattern.scan tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t, %z = %zs : !t)
      states(%S = zero : tensor<?x1x{WIDTH}x{WIDTH}xf32>) -> (!t) {{
    {decay}
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %N = arith.addf %D, %W : !m
    %y = pattern.read %N, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%N : !m)
  }}
  return %o : !t
}}
""",
        schedule=schedule or None,
    )


def expected_of(q, k, v, decay):
    """The same in fp64, of arrays [N, WIDTH]."""
    state, outputs = np.zeros((WIDTH, WIDTH)), []
    for t in range(len(q)):
        state = decay[t][:, None] * state + np.outer(k[t].astype(np.float64), v[t].astype(np.float64))
        outputs.append(q[t].astype(np.float64) @ state)
    return np.array(outputs)


def operands(tokens, seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(size=(tokens, WIDTH)).astype(np.float32) for _ in range(3)]


def run(kernel, *arrays):
    return np.asarray(kernel(*(x[None, :, None] for x in arrays)))[0, :, 0]


SIXTEENTH = "%p = arith.constant dense<0.0625> : !v\n"
ALONG = "\n%A = pattern.broadcast %a along 0 : !v to !m"
GATES = {
    "power of a sigmoid": SIXTEENTH + "%s = pattern.sigmoid %z : !v\n%a = math.powf %s, %p : !v",
    "roots of a sigmoid": "%s = pattern.sigmoid %z : !v\n%r1 = math.sqrt %s : !v\n%r2 = math.sqrt %r1 : !v\n"
    "%r3 = math.sqrt %r2 : !v\n%a = math.sqrt %r3 : !v",
    "scaled logarithm": SIXTEENTH + "%n = arith.negf %z : !v\n%s = pattern.softplus %n : !v\n"
    "%l = arith.mulf %s, %p : !v\n%g = arith.negf %l : !v\n%a = math.exp %g : !v",
}


@pytest.mark.parametrize("algorithm", ["chunked", "recurrent"])
@pytest.mark.parametrize("gate", GATES)
def test_a_reset_forgets_all_that_its_gate_says(gate, algorithm):
    # sigmoid(z)^(1/16): the sigmoid itself is far below what f32 has, its sixteenth root is not.
    q, k, v = operands(64)
    k[:40] *= 1e3
    for reset in (-1e4, -1000.0, -400.0):
        z = np.full((64, WIDTH), 4, np.float32)
        z[40] = reset
        expected = expected_of(q, k, v, np.exp(-np.logaddexp(0, -z.astype(np.float64)) / 16))[40:]
        actual = run(kernel_of(GATES[gate] + ALONG, algorithm=algorithm), q, k, v, z)[40:]
        assert np.abs(actual - expected).max() < 1e-5 * np.sqrt((expected**2).mean())


@pytest.mark.parametrize(
    "decay",
    [
        "%p = arith.constant dense<0.0625> : !v\n%c = pattern.assume %z in [0.0, 1.0] : !v\n"
        "%a = math.powf %c, %p : !v",
        "%c = pattern.assume %z in [0.0, 1.0] : !v\n%r = math.sqrt %c : !v\n%a = math.sqrt %r : !v",
        "%c = pattern.assume %z in [0.0, 1.0] : !v\n%r = math.sqrt %c : !v\n%a = arith.mulf %r, %r : !v",
        "%c = pattern.assume %z in [0.0, 1.0] : !v\n%o = arith.constant dense<1.0> : !v\n%a = arith.minimumf %c, %o : !v",
    ],
)
def test_what_is_made_of_a_decay_of_zero_forgets_everything(decay):
    q, k, v = operands(64)
    k[:40] *= 1e3
    z = np.ones((64, WIDTH), np.float32)
    z[40] = 0
    expected = expected_of(q, k, v, z.astype(np.float64))[40:]
    actual = run(kernel_of(decay + ALONG, algorithm="chunked"), q, k, v, z)[40:]
    assert np.abs(actual - expected).max() < 1e-5 * np.sqrt((expected**2).mean())


RANGE = "in [-1000.0, 0.0] : !v"
UNIT = "in [0.0, 1.0]"
STATED = {
    "on the logarithm": f"%g = pattern.assume %z {RANGE}\n%a = math.exp %g : !v" + ALONG,
    "on the decay": f"%e = math.exp %z : !v\n%a = pattern.assume %e {UNIT} : !v" + ALONG,
    "on the broadcast decay": f"%a = math.exp %z : !v\n%B = pattern.broadcast %a along 0 : !v to !m\n"
    f"%A = pattern.assume %B {UNIT} : !m",
    "on a power": "%two = arith.constant dense<2.0> : !v\n%h = arith.constant dense<0.5> : !v\n"
    f"%x = arith.mulf %z, %two : !v\n%e = math.exp %x : !v\n%p = math.powf %e, %h : !v\n%a = pattern.assume %p {UNIT} : !v"
    + ALONG,
    "on a product": "%h = arith.constant dense<0.5> : !v\n%x = arith.mulf %z, %h : !v\n%e = math.exp %x : !v\n"
    f"%p = arith.mulf %e, %e : !v\n%a = pattern.assume %p {UNIT} : !v" + ALONG,
    "on a choice": "%zero = arith.constant dense<0.0> : !v\n%one = arith.constant dense<1.0> : !v\n"
    "%c = arith.cmpf olt, %z, %zero : !v\n%e = math.exp %z : !v\n"
    f"%s = arith.select %c, %e, %one : tensor<{WIDTH}xi1>, !v\n%a = pattern.assume %s {UNIT} : !v" + ALONG,
    "by a minimum": "%one = arith.constant dense<1.0> : !v\n%e = math.exp %z : !v\n%a = arith.minimumf %e, %one : !v"
    + ALONG,
    "on the base": f"%e = math.exp %z : !v\n%b = pattern.assume %e {UNIT} : !v\n%one = arith.constant dense<1.0> : !v\n"
    "%a = math.powf %b, %one : !v" + ALONG,
}


@pytest.mark.parametrize("where", STATED)
def test_a_range_loses_nothing_wherever_it_is_stated(where):
    # Decays so near one that rounding them is what they forget, the same way at every token.
    q, k, v = operands(16384, seed=1)
    z = np.tile(-np.random.default_rng(2).uniform(1e-6, 1e-4, WIDTH).astype(np.float32), (16384, 1))
    expected = expected_of(q, k, v, np.exp(z.astype(np.float64)))
    actual = run(kernel_of(STATED[where], algorithm="chunked"), q, k, v, z)
    # Sums over 16,384 tokens round by 4e-5 of the root mean square; decays that were rounded lose 9e-4 and more.
    error = np.abs(actual - expected).max() / np.sqrt((expected**2).mean())
    assert error < 1e-4


# Each in [-1, 1], with the number that gives a wanted decay.
EITHER_SIGN = {
    "tanh": ("%a = math.tanh %z : !v", np.arctanh),
    "twice a sigmoid less one": (
        "%two = arith.constant dense<2.0> : !v\n%one = arith.constant dense<1.0> : !v\n%s = pattern.sigmoid %z : !v\n"
        "%t = arith.mulf %two, %s : !v\n%a = arith.subf %t, %one : !v",
        lambda a: 2 * np.arctanh(a),
    ),
    "one less twice a sigmoid": (
        "%two = arith.constant dense<2.0> : !v\n%one = arith.constant dense<1.0> : !v\n%s = pattern.sigmoid %z : !v\n"
        "%t = arith.mulf %two, %s : !v\n%a = arith.subf %one, %t : !v",
        lambda a: -2 * np.arctanh(a),
    ),
}


@pytest.mark.parametrize("gate", EITHER_SIGN)
def test_a_decay_of_either_sign_loses_nothing_near_one(gate):
    text, argument_of = EITHER_SIGN[gate]
    q, k, v = operands(4096, seed=1)
    random = np.random.default_rng(2)
    sizes = np.tile(1 - random.uniform(1e-6, 1e-4, WIDTH), (4096, 1)) * random.choice([-1, 1], (4096, WIDTH))
    z = argument_of(sizes).astype(np.float32)
    exact = np.tanh(z.astype(np.float64) / argument_of(0.5) * np.arctanh(0.5))
    expected = expected_of(q, k, v, exact)
    actual = run(kernel_of(text + ALONG, algorithm="chunked"), q, k, v, z)
    # As above; a decay whose logarithm is taken of its number loses 2e-4 and more.
    assert np.abs(actual - expected).max() / np.sqrt((expected**2).mean()) < 5e-5


@pytest.mark.parametrize("algorithm", ["chunked", "recurrent"])
@pytest.mark.parametrize("gate", EITHER_SIGN)
def test_where_it_crosses_zero_the_state_is_forgotten(gate, algorithm):
    q, k, v = operands(64)
    k[:40] *= 1e3
    z = np.random.default_rng(2).normal(size=(64, WIDTH)).astype(np.float32)
    z[40] = 0
    text, argument_of = EITHER_SIGN[gate]
    exact = np.tanh(z.astype(np.float64) / argument_of(0.5) * np.arctanh(0.5))
    expected = expected_of(q, k, v, exact)[40:]
    actual = run(kernel_of(text + ALONG, algorithm=algorithm), q, k, v, z)[40:]
    assert np.abs(actual - expected).max() < 1e-5 * np.sqrt((expected**2).mean())
