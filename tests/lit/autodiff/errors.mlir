// Every pattern without a gradient says what stands in the way.
// RUN: linmu-opt --normalize --split-scans --differentiate %s -split-input-file -verify-diagnostics

!t = tensor<?x?x2x4xf32>
func.func @opaque(%x: !t) -> !t {
  // expected-error @+1 {{'pattern.scan' op has no gradient yet, since its states are not affine in themselves}}
  %o, %s = pattern.scan tokens(%xt = %x : !t) states(%S = zero : tensor<?x2x4xf32>) -> (!t) {
    %a = arith.addf %S, %xt : tensor<4xf32>
    // expected-note @+1 {{'math.tanh' is on the path from the state to itself and is not linear in it}}
    %b = math.tanh %a : tensor<4xf32>
    pattern.yield outputs(%b : tensor<4xf32>) states(%b : tensor<4xf32>)
  }
  return %o : !t
}

// -----

!t = tensor<?x?x2x4xf32>
// A gradient is a pattern, whose own is not taken.
func.func @twice(%x: !t) -> tensor<?x?x1x4xf32> {
  // expected-error @+1 {{'pattern.reduce' op has no gradient: derivatives of the second order are not supported}}
  %o = pattern.reduce %x : !t -> tensor<?x?x1x4xf32>
  return %o : tensor<?x?x1x4xf32>
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @tail(%x: !t, %tail: tensor<?x1x2x4xf32>) -> !t {
  // expected-error @+1 {{'pattern.map' op has no gradient yet with respect to its tails; name the inputs that want one, as in --wrt=q,k}}
  %o, %last = pattern.map tokens(%xt = %x tail %tail : !t, tensor<?x1x2x4xf32>) -> (!t) {
    %before = pattern.lag %xt by 1 : tensor<4xf32>
    pattern.yield outputs(%before : tensor<4xf32>)
  }
  return %o : !t
}
