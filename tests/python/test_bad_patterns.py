"""Patterns at the edges of the language: each is refused at its line and column, or compiles and is right."""

import re

import numpy as np
import pytest

import linmu

MAP = """func.func @f(%x: TYPE) -> TYPE {
  %y = pattern.map tokens(%xt = %x : TYPE) -> (TYPE) {
    pattern.yield outputs(%xt : SLICE)
  }
  return %y : TYPE
}
"""


def copy(kind: str, slice_: str) -> str:
    return MAP.replace("TYPE", kind).replace("SLICE", slice_)


def refused(text: str, *words: str) -> str:
    with pytest.raises(linmu.PatternError) as caught:
        linmu.compile(text)
    message = str(caught.value)
    first, *notes = message.strip().splitlines()
    assert re.match(r"<pattern>:\d+:\d+: error: ", first), message
    assert all(": note: " in note for note in notes), message
    for word in words:
        assert word in message, message
    return first


@pytest.mark.parametrize(
    ("kind", "slice_"),
    [
        ("tensor<?x?x0xf32>", "f32"),
        ("tensor<?x?x2x0xf32>", "tensor<0xf32>"),
        ("tensor<?x?x1000000x1000000xf32>", "tensor<1000000xf32>"),
        ("tensor<?x?x2x9223372036854775807xf32>", "tensor<9223372036854775807xf32>"),
        ("tensor<?x?x2x3x4x5xf32>", "tensor<3x4x5xf32>"),
        ("tensor<?x?x?x4xf32>", "tensor<4xf32>"),
        ("tensor<2x?x2xf32>", "f32"),
        ("tensor<?x?x2xf64>", "f64"),
        ("tensor<?x?x2xi8>", "i8"),
        ("tensor<?x?x2xcomplex<f32>>", "complex<f32>"),
        ("tensor<*xf32>", "f32"),
        ("memref<?x?x2xf32>", "f32"),
        ("vector<4xf32>", "f32"),
        ("f32", "f32"),
    ],
)
def test_types_that_no_operand_may_have(kind, slice_):
    refused(copy(kind, slice_))


@pytest.mark.parametrize(
    "text",
    [
        "\n",
        "\n\n// nothing but a comment\n",
        "func.func @f()\n",
        "func.func @f() {\n  return\n}\n",
        "func.func @f(%x: tensor<?x?x1xf32>) -> tensor<?x?x1xf32> {\n  return %x : tensor<?x?x1xf32>\n}\n",
        "module {\n  module {\n  }\n}\n",
        "\"unknown.op\"() : () -> ()\n",
        "func.func @f() {\n  cf.br ^bb1\n^bb1:\n  return\n}\n",
        "!a = !a\nfunc.func @f(%x: !a) {\n  return\n}\n",
        "func.func @f(%x: tensor<?x?x1xf32>) {\n",
        "func.func @f(" + "%x: tensor<?x?x1xf32>, " * 3 + "\n",
        "((((((((((\n" * 50,
        "\x00\x01\x02\n",
        "func.func @" + "f" * 100_000 + "(\n",
        copy("tensor<?x?x1xf32>", "f32").replace("%xt : f32", "%missing : f32"),
        copy("tensor<?x?x1xf32>", "f32").replace("pattern.map", "pattern.mapp"),
        copy("tensor<?x?x1xf32>", "f32").replace("@f", "@f") + copy("tensor<?x?x1xf32>", "f32"),
        copy("tensor<?x?x1xf32>", "f32") + copy("tensor<?x?x1xf32>", "f32").replace("@f", "@g"),
    ],
)  # fmt: skip
def test_texts_that_are_no_pattern(text):
    refused(text)


def test_a_result_that_is_returned_twice_is_refused():
    text = copy("tensor<?x?x1xf32>", "f32")
    text = text.replace("-> tensor<?x?x1xf32> {", "-> (tensor<?x?x1xf32>, tensor<?x?x1xf32>) {")
    text = text.replace("return %y :", "return %y, %y : tensor<?x?x1xf32>,")
    refused(text)


def test_a_step_of_a_thousand_ops_compiles_and_is_right():
    lines = [f"    %a{i + 1} = arith.addf %a{i}, %xt : f32" for i in range(1000)]
    text = copy("tensor<?x?x1xf32>", "f32").replace(
        "    pattern.yield outputs(%xt", "\n".join(["    %a0 = arith.addf %xt, %xt : f32", *lines, "    pattern.yield outputs(%a1000"])
    )  # fmt: skip
    x = np.arange(40, dtype=np.float32).reshape(1, 40, 1)
    np.testing.assert_allclose(linmu.compile(text)(x), 1002 * x, rtol=1e-4)


def test_a_chain_of_two_hundred_maps_compiles_and_is_right():
    kind = "tensor<?x?x1xf32>"
    body = "".join(
        f"  %y{i + 1} = pattern.map tokens(%xt = %y{i} : {kind}) -> ({kind}) {{\n"
        f"    %one = arith.constant 1.0 : f32\n    %s = arith.addf %xt, %one : f32\n"
        f"    pattern.yield outputs(%s : f32)\n  }}\n"
        for i in range(200)
    )
    text = f"func.func @f(%y0: {kind}) -> {kind} {{\n{body}  return %y200 : {kind}\n}}\n"
    x = np.zeros((1, 5, 1), np.float32)
    np.testing.assert_array_equal(linmu.compile(text)(x), np.full((1, 5, 1), 200, np.float32))


def test_names_in_other_scripts_are_refused():
    text = copy("tensor<?x?x1xf32>", "f32").replace("%x:", "%größe:").replace("= %x :", "= %größe :")
    refused(text)


def test_one_operand_in_two_places_and_one_in_none():
    text = """func.func @f(%x: tensor<?x?x2xf32>, %unused: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>, %b = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    %s = arith.addf %a, %b : f32
    pattern.yield outputs(%s : f32)
  }
  return %y : tensor<?x?x2xf32>
}
"""
    x = np.arange(12, dtype=np.float32).reshape(1, 6, 2)
    np.testing.assert_array_equal(linmu.compile(text)(x, x), 2 * x)
