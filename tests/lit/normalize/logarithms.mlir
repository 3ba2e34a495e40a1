// RUN: linmu-opt --expand-clauses --canonicalize --normalize %s | FileCheck %s

// The logarithm of a decay is taken of its form, through whatever stands between, and is held at -200 last of all.
!g = tensor<?x?x1xf32>
!s = tensor<?x1x4xf32>
!v = tensor<4xf32>

// A power of a sigmoid: the bound follows the product.
// CHECK-LABEL: func.func @power
// CHECK: %[[S:[0-9]+]] = pattern.softplus
// CHECK: %[[SIXTEENTH:.*]] = arith.constant 6.250000e-02 : f32
// CHECK: %[[L:.*]] = arith.mulf %[[S]], %[[SIXTEENTH]] : f32
// CHECK: %[[N:.*]] = arith.negf %[[L]] : f32
// CHECK: %[[G:.*]] = arith.maximumf %[[N]], %{{.*}} : f32
// CHECK: pattern.form {{.*}} decay(%[[G]] : f32)
func.func @power(%x: !g) -> !g {
  %o, %f = pattern.scan tokens(%z = %x : !g) states(%S = zero : tensor<?x1xf32>) -> (!g) {
    %p = arith.constant 0.0625 : f32
    %s = pattern.sigmoid %z : f32
    %a = math.powf %s, %p : f32
    %D = arith.mulf %a, %S : f32
    %N = arith.addf %D, %z : f32
    pattern.yield outputs(%N : f32) states(%N : f32)
  }
  return %o : !g
}

// A range of the decay: the logarithm is the exponent itself, and has the range's logarithm.
// CHECK-LABEL: func.func @range_of_the_decay
// CHECK-NOT: math.log
// CHECK: %[[G:.*]] = pattern.assume %{{.*}} in [{{-0.69314.*}}, 0.000000e+00] : f32
// CHECK-NOT: arith.maximumf
// CHECK: pattern.form {{.*}} decay(%[[G]] : f32)
func.func @range_of_the_decay(%x: !g) -> !g {
  %o, %f = pattern.scan tokens(%z = %x : !g) states(%S = zero : tensor<?x1xf32>) -> (!g) {
    %e = math.exp %z : f32
    %a = pattern.assume %e in [0.5, 1.0] : f32
    %D = arith.mulf %a, %S : f32
    %N = arith.addf %D, %z : f32
    pattern.yield outputs(%N : f32) states(%N : f32)
  }
  return %o : !g
}

// Of a number alone the logarithm is taken last, of zero it is -infinity; half of that is held at -200.
// CHECK-LABEL: func.func @root_of_a_number
// CHECK: %[[P:.*]] = arith.maximumf
// CHECK: %[[L:.*]] = math.log %[[P]] : f32
// CHECK: %[[H:.*]] = arith.mulf %[[L]], %{{.*}} : f32
// CHECK: %[[G:.*]] = arith.maximumf %[[H]], %{{.*}} : f32
// CHECK: pattern.form {{.*}} decay(%[[G]] : f32)
func.func @root_of_a_number(%x: !g) -> !g {
  %o, %f = pattern.scan tokens(%z = %x : !g) states(%S = zero : tensor<?x1xf32>) -> (!g) {
    %c = pattern.assume %z in [0.0, 1.0] : f32
    %a = math.sqrt %c : f32
    %D = arith.mulf %a, %S : f32
    %N = arith.addf %D, %z : f32
    pattern.yield outputs(%N : f32) states(%N : f32)
  }
  return %o : !g
}

// A choice between an exponential and zero.
// CHECK-LABEL: func.func @choice
// CHECK-NOT: math.log
// CHECK: %[[C:.*]] = arith.select %{{.*}}, %{{.*}}, %{{.*}} : f32
// CHECK: %[[H:.*]] = arith.mulf %[[C]], %{{.*}} : f32
// CHECK: %[[R:.*]] = pattern.assume %[[H]] in [0xFFF0000000000000, 0.000000e+00] : f32
// CHECK: %[[G:.*]] = arith.maximumf %[[R]], %{{.*}} : f32
// CHECK: pattern.form {{.*}} decay(%[[G]] : f32)
func.func @choice(%x: !g) -> !g {
  %o, %f = pattern.scan tokens(%z = %x : !g) states(%S = zero : tensor<?x1xf32>) -> (!g) {
    %zero = arith.constant 0.0 : f32
    %c = arith.cmpf olt, %z, %zero : f32
    %e = math.exp %z : f32
    %s = arith.select %c, %e, %zero : f32
    %r = math.sqrt %s : f32
    %a = pattern.assume %r in [0.0, 1.0] : f32
    %D = arith.mulf %a, %S : f32
    %N = arith.addf %D, %z : f32
    pattern.yield outputs(%N : f32) states(%N : f32)
  }
  return %o : !g
}

// A number without a form times a choice of zero: what restarts the state stays a choice of -infinity.
// CHECK-LABEL: func.func @masked
// CHECK: %[[INFINITE:.*]] = arith.constant 0xFF800000 : f32
// CHECK: %[[MASK:.*]] = arith.select %{{.*}}, %{{.*}}, %[[INFINITE]] : f32
// CHECK: %[[SIZE:.*]] = math.log %{{.*}} : f32
// CHECK: %[[SUM:.*]] = arith.addf %[[MASK]], %[[SIZE]] : f32
// CHECK: %[[G:.*]] = arith.maximumf %[[SUM]], %{{.*}} : f32
// CHECK: pattern.form {{.*}} decay(%[[G]] : f32)
func.func @masked(%x: !g) -> !g {
  %o, %f = pattern.scan tokens(%z = %x : !g) states(%S = zero : tensor<?x1xf32>) -> (!g) {
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
    %half = arith.constant 0.5 : f32
    %c = arith.cmpf olt, %z, %zero : f32
    %t = math.tanh %z : f32
    %s = arith.addf %t, %one : f32
    %m = arith.select %c, %half, %zero : f32
    %a = arith.mulf %s, %m : f32
    %D = arith.mulf %a, %S : f32
    %N = arith.addf %D, %z : f32
    pattern.yield outputs(%N : f32) states(%N : f32)
  }
  return %o : !g
}
