"""One mistake in a rule: the whole message, at its line and column, with the shapes that it saw.

A case of messages.txt is its title, the line that stands in a step in place of its first, and the message."""

import re
from pathlib import Path

import numpy as np
import pytest

import linmu

CASES = [
    case.splitlines() for case in (Path(__file__).parent / "messages.txt").read_text().strip().split("\n\n")
]
STEP = """import math, numpy, linmu
from linmu import *

@linmu.pattern
def rule(q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], g: Tokens["H"]):
  @scan(S=zeros("H", "K", "V"))
  def step(S, q, k, v, g):
LINE
    return S, q @ S
  return step(q, k, v, g)
"""
NAMES = ("q", "k", "v", "g")


def operand(*shape, dtype=np.float32):
    return np.zeros((1, 3, *shape), dtype)


OPERANDS = (operand(2, 16), operand(2, 16), operand(2, 32), operand(2))


def rule_of(text: str, tmp_path):
    path = tmp_path / "rule.py"
    path.write_text(text)
    names = {"__name__": "rule"}
    exec(compile(text, str(path), "exec"), names)
    return names["rule"], str(path)


def message_of(call, path: str) -> str:
    with pytest.raises(linmu.PatternError) as caught:
        call()
    return str(caught.value).replace(f"{path}:", "").replace(": error:", ":", 1)


@pytest.mark.parametrize(("title", "line", "expected"), CASES, ids=[case[0] for case in CASES])
def test_message_of_a_step(title, line, expected, tmp_path):
    rule, path = rule_of(STEP.replace("LINE", line), tmp_path)
    assert message_of(lambda: rule.text(*OPERANDS), path) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('zeros("H", "K", "V")', 'zeros("H", "K", "W")',
         "6:4: size 'W' is not known: no operand has an axis of that name; the operands have H, K, V"),
        ("step(q, k, v, g)\n", "step(q, k, v)\n", "10:10: the step lacks g: expected 4 tensors, got 3"),
        ("step(q, k, v, g)\n", "step(q, k, v, g, g)\n", "10:10: the step takes 4 tensors, q, k, v, g; got 5"),
        ("  return step(q, k, v, g)\n", "  return q\n", "4:1: rule rule returns its operand 'q' as it is: expected results of steps"),
        ("  return step(q, k, v, g)\n", "  return step\n",
         "4:1: rule rule returns Scan as result 0: expected what steps give, or arithmetic on tensors"),
        ("  return step(q, k, v, g)\n", "  return step(q, k, v, g), step.T\n",
         "10:28: step.T: expected a state, or tokens with a tail, of this step; it has S"),
        ("  return step(q, k, v, g)\n", "  return step.S\n",
         "10:10: step.S is known once the step has been called with tensors"),
        ("@scan(S=", "@scan(T=", "6:4: the step takes no state 'T': expected an argument of that name beside S, q, k, v, g"),
        ("@scan(S=", "@scan(order=g, S=",
         "6:4: order of @scan: expected Index, int32 [batch, tokens], got 'g', f32[batch, tokens, 2]"),
        ("@scan(S=", "@scan(source_mask=g, S=",
         '6:4: source_mask and zeroes of @scan stand together: expected both, as in source_mask=real, zeroes="k"'),
        ("@scan(S=", "@scan(sequences=g, S=",
         "6:4: sequences of @scan: expected a tensor Sequences, got 'g', f32[batch, tokens, 2]"),
        ("return S, q @ S", "return S", "4:1: rule rule returns nothing: expected the outputs of a step, or the end of a state, step.S"),
        ("return S, q @ S", "return q @ S, S",
         "9:1: the step returns f32[32] for state S: expected its shape, [16, 32]; the step returns the next states "
         "first, S, and then the outputs"),
        ("return S, q @ S", "return S, S",
         "9:1: output 0 of the step: expected a number or a vector of each token, got f32[16, 32]; a matrix for each "
         "token is a state or a product that is read"),
    ],
)  # fmt: skip
def test_message_of_a_rule(old, new, expected, tmp_path):
    text = STEP.replace("LINE\n", "    S = g * S\n")
    assert old in text
    rule, path = rule_of(text.replace(old, new), tmp_path)
    assert message_of(lambda: rule.text(*OPERANDS), path) == expected


@pytest.mark.parametrize(
    ("operands", "expected"),
    [
        ({"k": operand(2, 8)}, "rule rule: k, Tokens[\"H\", \"K\"]: expected the axes [batch, tokens, H = 2, K = 16], "
                               "got shape [1, 3, 2, 8]; K is 16 in q"),
        ({"k": operand(16)}, "rule rule: k, Tokens[\"H\", \"K\"]: expected the axes [batch, tokens, H = 2, K = 16], "
                             "got shape [1, 3, 16]"),
        ({"g": operand(2, dtype=np.float64)},
         "rule rule: g: expected a torch tensor or numpy array of float32, bfloat16, float16, int32, bool, got float64"),
        ({"g": [0.0]}, "rule rule: g: expected a torch tensor or numpy array of float32, bfloat16, float16, int32, bool, "
                       "got list"),
    ],
)  # fmt: skip
def test_message_of_a_call(operands, expected, tmp_path):
    rule, path = rule_of(STEP.replace("LINE\n", "    S = g * S\n"), tmp_path)
    given = dict(zip(NAMES, OPERANDS)) | operands
    for _ in range(2):
        with pytest.raises(linmu.PatternError) as caught:
            rule(*given.values())
        assert re.sub(r"^\S+:\d+:\d+: error: ", "", str(caught.value)) == expected
        assert __file__ in str(caught.value), "the line of the call"
        rule(*OPERANDS)  # later calls take the short way


def test_heads_that_do_not_divide_are_named_with_their_shape(tmp_path):
    text = STEP.replace("LINE\n", "    S = g * S\n").replace('k: Tokens["H", "K"]', 'k: Tokens["G", "K"]')
    rule, path = rule_of(text, tmp_path)
    operands = (operand(4, 16), operand(3, 16), operand(4, 32), operand(4))
    message = message_of(lambda: rule(*operands), path)
    assert message == ("10:10: k is f32[batch, tokens, 3, 16]: expected a number of heads that divides the step's 4, "
                       "got 3")  # fmt: skip


@pytest.mark.parametrize(
    ("line", "expected"),
    [("    S = g * S\n", "10:10: state S"), ("    S = g * S + (outer(k, v) @ v).sum()\n", "8:18: a value")],
)
def test_what_is_too_large_for_a_step_is_named_with_its_shape(line, expected, tmp_path):
    text = STEP.replace("LINE\n", line)
    if "value" in expected:
        text = text.replace('zeros("H", "K", "V")', 'zeros("H", 1, 1)').replace("q @ S", "q @ k")
    rule, path = rule_of(text, tmp_path)
    message = message_of(lambda: rule.text(H=1, K=1024, V=512), path)
    assert (
        message
        == f"{expected} of a step is f32[1024, 512]: expected at most 262144 elements; split it over heads"
    )


def test_what_the_compiler_says_stands_at_the_line_of_the_rule(tmp_path):
    text = STEP.replace("LINE\n", "    S = tanh(S) + outer(k, v)\n")
    rule, path = rule_of(text, tmp_path)
    assert f"opaque at {path}:8:9" in rule.explain(*OPERANDS)


def test_a_parameter_without_annotation_is_refused(tmp_path):
    with pytest.raises(
        linmu.PatternError, match=r"rule.py:4:1: error: rule rule: expected parameter g to be annotated"
    ):
        rule_of(STEP.replace('g: Tokens["H"]', "g").replace("LINE", ""), tmp_path)
