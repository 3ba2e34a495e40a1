"""Kernels take subnormal numbers as zero, and leave the thread that calls them as it was."""

import time

import numpy as np
import pytest

import linmu

PRODUCT = """
!t = tensor<?x?x1x16xf32>
func.func @product(%x: !t, %y: !t) -> !t {
  %z = pattern.map tokens(%a = %x : !t, %b = %y : !t) -> (!t) {
    %c = arith.mulf %a, %b : tensor<16xf32>
    pattern.yield outputs(%c : tensor<16xf32>)
  }
  return %z : !t
}
"""

# S' = exp(g) S + k (x) v with a decay of its own for each key row.
DECAYED = """
!t = tensor<?x?x1x64xf32>
!v = tensor<64xf32>
!m = tensor<64x64xf32>
func.func @decayed(%q: !t, %k: !t, %v: !t, %g: !t) -> !t {
  %o, %s = pattern.scan tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t, %gt = %g : !t)
      states(%S = zero : tensor<?x1x64x64xf32>) -> (!t) {
    %log = pattern.assume %gt in [-1000.0, 0.0] : !v
    %a = math.exp %log : !v
    %A = pattern.broadcast %a along 0 : !v to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_results_and_operands_below_the_normal_range_are_zero(threads):
    kernel = linmu.compile(PRODUCT)
    x = np.full((1, 4096, 1, 16), 1e-30, np.float32)
    assert np.float32(1e-30) * np.float32(1e-10) > 0  # numpy has them
    for y, expected in ((1e-10, 0), (1e-7, np.float32(1e-30) * np.float32(1e-7))):
        actual = np.asarray(kernel(x, np.full_like(x, y), threads=threads))
        assert (actual == expected).all()
    tiny = np.full_like(x, 1e-40)
    assert (tiny > 0).all()
    assert (np.asarray(kernel(tiny, np.full_like(x, 1e30), threads=threads)) == 0).all()


def test_the_calling_thread_computes_as_before():
    kernel = linmu.compile(PRODUCT)
    x = np.full((1, 64, 1, 16), 1e-30, np.float32)
    kernel(x, x, threads=1)
    assert (x * np.float32(1e-10) > 0).all()


@pytest.mark.alone
def test_decays_that_pass_through_them_take_no_longer():
    kernel = linmu.compile(DECAYED)
    random = np.random.default_rng(6)
    q, k, v = (random.standard_normal((1, 1024, 1, 64), dtype=np.float32) for _ in range(3))
    decays = random.random((1, 1024, 1, 64), dtype=np.float32) + 0.5

    def seconds(scale):
        g = -scale * decays
        start = time.perf_counter()
        kernel(q, k, v, g, threads=1)
        return time.perf_counter() - start

    # Least times of alternating rounds, after more rounds the busier the machine is; subnormal products made it
    # 24 times as long in every one.
    weak = strong = float("inf")
    for count in range(1000):
        weak, strong = min(weak, seconds(0.1)), min(strong, seconds(8))
        if count >= 10 and strong < 1.5 * weak:
            break
    assert strong < 1.5 * weak
