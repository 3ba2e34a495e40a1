// RUN: linmu-opt %s -derive=schedule=score_growth=8,whole_blocks=true -canonicalize -cse | FileCheck %s

!tokens = tensor<?x?x4x16xf32>
!media = tensor<?x4xi32>

// Where all keys of a block are there, none is asked for; sums stay what they are until a score has grown by 8 ln 2 / 0.25,
// and are scaled by 1 to the bit where none has.
// CHECK-LABEL: tile.program @larger
// CHECK-DAG: %[[GROWTH:.*]] = arith.constant dense<22.1807098> : tensor<32xf32>
// CHECK-DAG: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : tensor<32xf32>
// CHECK: } else {
// CHECK: scf.for %[[FROM:.*]] = %c0 to %[[TOKENS:.*]] step %c64 iter_args(%[[LARGEST:.*]] = %{{.*}}, %{{.*}}, %[[MIXED:.*]] = %{{.*}})
// CHECK: %[[END:.*]] = arith.addi %[[FROM]], %c64
// CHECK: %[[ALL:.*]] = arith.cmpi sle, %[[END]], %[[TOKENS]]
// CHECK: %[[PRODUCTS:.*]] = tile.dot %{{.*}}, transpose_rhs
// CHECK: %[[SCORES:.*]] = scf.if %[[ALL]] -> (tensor<32x64xf32>) {
// CHECK-NEXT: scf.yield %[[PRODUCTS]]
// CHECK-NEXT: } else {
// CHECK: arith.select %{{.*}}, %[[PRODUCTS]]
// CHECK: }
// CHECK: %[[NOW:.*]] = tile.reduce max %[[SCORES]] over 1
// CHECK: %[[LIMIT:.*]] = arith.addf %[[LARGEST]], %[[GROWTH]]
// CHECK: %[[GREW:.*]] = arith.cmpf ogt, %[[NOW]], %[[LIMIT]]
// CHECK: arith.select %[[GREW]], %[[NOW]], %[[LARGEST]]
// CHECK: %[[KEPT:.*]] = arith.select %[[GREW]], %{{.*}}, %[[ONE]]
// CHECK: %[[ALONG:.*]] = tile.broadcast %[[KEPT]] along 0
// CHECK: arith.mulf %[[MIXED]], %[[ALONG]] {tile.usually_one}
func.func @larger(%q: !tokens, %k: !tokens, %v: !tokens, %m: !media) -> !tokens {
  %o = pattern.window_attention %q, %k, %v media(%m : !media) window [16, 4, 4] shift [8, 2, 2] scale 0.25 wrap masked : (!tokens, !tokens, !tokens) -> !tokens
  return %o : !tokens
}
