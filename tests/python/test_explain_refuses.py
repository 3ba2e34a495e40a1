"""What runs is explained, and what does not run is refused by `explain` with the message of `compile`."""

import re
from pathlib import Path

import pytest

import linmu

ROOT = Path(__file__).resolve().parents[2]

PERMUTED = """func.func @f(%x: tensor<?x?x2x3x4xf32>, %i: tensor<?x?xi32>) -> tensor<?x?x2x3x4xf32> {
  %y = pattern.permute %x order(%i : tensor<?x?xi32>) : tensor<?x?x2x3x4xf32>
  return %y : tensor<?x?x2x3x4xf32>
}
"""
MAP = """func.func @f(%x: tensor<?x?x2x2xf32>) -> tensor<?x?x2x2xf32> {
  %y = pattern.map tokens(%xt = %x : tensor<?x?x2x2xf32>) -> (tensor<?x?x2x2xf32>) {
    %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
    %z = arith.mulf %xt, %c : tensor<2xf32>
    pattern.yield outputs(%z : tensor<2xf32>)
  }
  return %y : tensor<?x?x2x2xf32>
}
"""
TWICE = (
    MAP.replace("dense<[1.0, 2.0]>", "dense<1.0>")
    .replace("-> tensor<?x?x2x2xf32> {", "-> (tensor<?x?x2x2xf32>, tensor<?x?x2x2xf32>) {")
    .replace("return %y :", "return %y, %y : tensor<?x?x2x2xf32>,")
)
REDUCED = """func.func @f(%x: tensor<?x?x4x2x2xf32>) -> tensor<?x?x2x2x2xf32> {
  %y = pattern.reduce %x : tensor<?x?x4x2x2xf32> -> tensor<?x?x2x2x2xf32>
  return %y : tensor<?x?x2x2x2xf32>
}
"""
SCORED = """!t = tensor<?x?x2x16xf32>
func.func @f(%q: !t, %media: tensor<?x4xi32>) -> !t {
  %o = pattern.window_attention %q, %q, %q media(%media : tensor<?x4xi32>) window [4, 4, 4] shift [2, 2, 2]
      scale 0.25 wrap masked : (!t, !t, !t) -> !t {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %head: i32):
    %S = pattern.broadcast %s : f32 to tensor<4xf32>
    %z = pattern.sum %S over 0 : tensor<4xf32>
    pattern.yield outputs(%z : f32)
  }
  return %o : !t
}
"""
OPAQUE = """func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y, %s = pattern.scan tokens(%xt = %x : tensor<?x?x2xf32>) states(%S = zero : tensor<?x2xf32>)
      -> (tensor<?x?x2xf32>) {
    %t = math.tanh %S : f32
    %n = arith.addf %t, %xt : f32
    pattern.yield outputs(%n : f32) states(%n : f32)
  }
  return %y : tensor<?x?x2xf32>
}
"""

# The second state's keys are what the first one reads.
BOUND = """!t = tensor<?x?x2x16xf32>
func.func @f(%q: !t, %k: !t, %v: !t) -> !t {
  %o, %s, %u = pattern.scan tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t)
      states(%S = zero : tensor<?x2x16x16xf32>, %U = zero : tensor<?x2x16x16xf32>) -> (!t) {
    %W = pattern.outer %kt, %vt : tensor<16xf32>, tensor<16xf32>
    %S1 = arith.addf %S, %W : tensor<16x16xf32>
    %y = pattern.read %S1, %qt : tensor<16x16xf32>, tensor<16xf32>
    %X = pattern.outer %y, %vt : tensor<16xf32>, tensor<16xf32>
    %U1 = arith.addf %U, %X : tensor<16x16xf32>
    %z = pattern.read %U1, %qt : tensor<16x16xf32>, tensor<16xf32>
    pattern.yield outputs(%z : tensor<16xf32>) states(%S1, %U1 : tensor<16x16xf32>, tensor<16x16xf32>)
  }
  return %o : !t
}
"""

# The second state takes the first, whole.
COUPLED = """!t = tensor<?x?x2x16xf32>
func.func @f(%q: !t, %k: !t, %v: !t) -> !t {
  %o, %s, %p = pattern.scan tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t)
      states(%S = zero : tensor<?x2x16x16xf32>, %P = zero : tensor<?x2x16x16xf32>) -> (!t) {
    %half = arith.constant dense<0.5> : tensor<16x16xf32>
    %D = arith.mulf %half, %P : tensor<16x16xf32>
    %W = pattern.outer %kt, %vt : tensor<16xf32>, tensor<16xf32>
    %P1 = arith.addf %D, %W : tensor<16x16xf32>
    %S1 = arith.addf %S, %P1 : tensor<16x16xf32>
    %y = pattern.read %S1, %qt : tensor<16x16xf32>, tensor<16xf32>
    pattern.yield outputs(%y : tensor<16xf32>) states(%S1, %P1 : tensor<16x16xf32>, tensor<16x16xf32>)
  }
  return %o : !t
}
"""

# The beginning of each message in compiler/derive and compiler/target that a text can cause: the text, the
# schedule, and the line of the message.
REFUSED = {
    "requires slices of rank 0 or 1, got ": (PERMUTED, {}, 2),
    "requires a tensor constant with equal elements; pass others as params": (MAP, {}, 3),
    "requires slices of tokens of rank 0 or 1, got ": (REDUCED, {}, 2),
    "requires result #": (TWICE, {}, 7),
    "requires scalars in a score region, got ": (SCORED, {}, 6),
    "cannot run ": (OPAQUE, {"algorithm": "chunked"}, 2),
    "cannot run segmented as the schedule says: its states are coupled; write ": (
        COUPLED,
        {"algorithm": "segmented"},
        3,
    ),
    "schedule: ": (MAP.replace("[1.0, 2.0]", "2.0"), {"algorithm": "chunked"}, 1),
    "needs all value columns at once, so that the schedule's columns=": (BOUND, {"columns": "8"}, 3),
}
# Those that no text can cause, with what stands before them. tests/lit and
# target_cpu_errors_test pin those that IR can cause.
BEFORE = {
    "requires its segments and masks to be expanded before it is derived": "the pass expand-clauses",
    "requires nothing but pattern ops, got '": "the frontend",
    "requires a token operand or an output, which tell the number of tokens": "the verifier of scan and map",
    "has no form on tiles": "the verifier of steps",
    "needs all value columns at once": "the analysis of which columns are independent",
    "requires a tile.program": "derivation",
    # Of gradients; tests/lit/derive/adjoint-feedback.mlir.
    "cannot run segmented as the schedule says: its state is fed back; write ": "nothing: gradients alone say so",
    "lower-tile-to-cpu: requires cpu to be one that LLVM knows, got '": "the options, for every stage",
    "requires an operand of the kernel": "derivation",
    "is no expression that a package can hold": "derivation",
    "is an expression of ": "derivation",
    "requires a variant, which says what is launched": "derivation",
    "requires the columns of a tile to be the operand's last axis on the CPU": "derivation",
    "requires columns that follow each other in memory on the CPU": "derivation",
    "is not supported on tiles by the CPU target": "derivation",
    "requires a constant tile with one value": "derivation",
    "is not supported by the CPU target": "derivation",
    # Attributes of cpu.buffers, cpu.carried and cpu.next that do not fit; tests/lit/cpu/buffer-errors.mlir.
    "requires ": "the pass assign-buffers",
    "requires '": "the pass assign-buffers",
    "requires the attribute '": "the pass assign-buffers",
    "requires a buffer for elements of several rows, which are loaded one by one": "the pass assign-buffers",
}


def messages() -> set[str]:
    found = set()
    for folder in ("compiler/derive", "compiler/target/package", "compiler/target/cpu"):
        for path in (ROOT / folder).rglob("*.cpp"):
            found |= set(re.findall(r"emit(?:Op)?Error\(\s*\"([^\"]+)\"", path.read_text()))
    return found


def test_every_message_of_derivation_and_target_is_listed_here():
    assert messages() == REFUSED.keys() | BEFORE.keys()


def message(call, text: str, schedule: dict) -> str:
    with pytest.raises(linmu.PatternError) as caught:
        call(text, schedule=schedule)
    return str(caught.value)


@pytest.mark.parametrize("beginning", REFUSED)
def test_explain_refuses_what_compile_refuses(beginning):
    text, schedule, line = REFUSED[beginning]
    refused = message(linmu.compile, text, schedule)
    assert beginning in refused
    assert refused.startswith(f"<pattern>:{line}:")
    assert message(linmu.explain, text, schedule) == refused


@pytest.mark.parametrize("text", [PERMUTED.replace("x3x4x", "x3x"), MAP.replace("[1.0, 2.0]", "2.0"), OPAQUE])
def test_their_siblings_that_run_are_explained(text):
    assert linmu.compile(text, cache=False).results
    assert linmu.explain(text).startswith("pattern @f\n")


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"chunks": "64"}, "schedule: requires a key out of algorithm, blocks, chunk, columns, cores, fuse, key_block, map_block, prepare, query_block, recurrent_below, score_growth, segments, warps, whole_blocks and window_share, got 'chunks'"),
        ({"algorithm": "fast"}, "schedule: requires algorithm to be auto, recurrent, chunked, two_kernels or segmented, got 'fast'"),
        ({"fuse": "no"}, "schedule: requires fuse to be true or false, got 'no'"),
    ],
)  # fmt: skip
def test_a_schedule_that_is_none_is_one_message_everywhere(schedule, words):
    for call in (linmu.compile, linmu.explain):
        assert message(call, OPAQUE, schedule).strip() == f"<pattern>:1:1: error: {words}"


def test_chunks_that_do_not_apply_name_the_op_in_the_way():
    assert message(linmu.compile, OPAQUE, {"algorithm": "chunked"}).splitlines()[1:] == [
        "<pattern>:4:10: note: this op stands in the way"
    ]


@pytest.mark.parametrize(
    ("text", "schedule", "words"),
    [
        (MAP, {"algorithm": "chunked"}, "algorithm has no effect: requires a scan, got map(block=32)"),
        (MAP, {"chunk": "16"}, "chunk has no effect: requires an op that runs as chunked, two_kernels or segmented, got map(block=32)"),
        (MAP, {"query_block": "16"}, "query_block has no effect: requires an op that runs as windowed or window_adjoint, got map(block=32)"),
        (OPAQUE, {"map_block": "8"}, "map_block has no effect: requires an op that runs as map, got recurrent"),
        (MAP, {"algorithm": "recurrent", "recurrent_below": "8"}, "recurrent_below has no effect: requires algorithm=auto, got map"),
        (OPAQUE, {"chunk": "8"}, "chunk has no effect: requires an op that runs as chunked, two_kernels or segmented, got recurrent"),
        (OPAQUE, {"segments": "8"}, "segments has no effect: requires an op that runs as segmented, got recurrent"),
        (MAP, {"algorithm": "segmented"}, "algorithm has no effect: requires a scan, got map(block=32)"),
        (OPAQUE, {"columns": "8"}, "columns has no effect: requires an op that runs as chunked, got recurrent"),
        (OPAQUE, {"recurrent_below": "8"}, "recurrent_below has no effect: requires a scan or a map that need not run token by token, got recurrent"),
        (PERMUTED.replace("x3x4x", "x3x"), {"algorithm": "recurrent"}, "algorithm has no effect: requires a scan or a map, got permute"),
    ],
)  # fmt: skip
def test_a_key_without_effect_is_one_message(text, schedule, words):
    for call in (linmu.compile, linmu.explain):
        said = message(call, text.replace("[1.0, 2.0]", "2.0"), schedule).splitlines()
        assert len(said) == 1
        assert said[0].startswith("<pattern>:") and said[0].endswith(f": error: schedule: {words}")


@pytest.mark.parametrize(
    "schedule",
    [
        {"algorithm": "recurrent"},
        {"algorithm": "recurrent", "map_block": "8"},
        {"recurrent_below": "8"},
        {"cores": "2"},
    ],
)
def test_keys_with_an_effect_on_a_map_are_taken(schedule):
    assert linmu.explain(MAP.replace("[1.0, 2.0]", "2.0"), schedule=schedule)
