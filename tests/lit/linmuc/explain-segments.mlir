// A sequence that has less than half of the usual tokens for each segment is cut into half as many; segments that the
// text asks for are those of every length.
// RUN: linmuc %s --target=cuda:sm_90a --explain | FileCheck %s
// RUN: linmuc %s --target=cuda:sm_90a --schedule=segments=8 --explain | FileCheck %s --check-prefix=GIVEN

// CHECK: batch < 5 and tokens > 1024 and tokens < 4609 -> segmented(chunk=64, segments=4) by {{.*}}[28, 4, batch]
// CHECK-NEXT: batch < 5 and tokens > 1024 -> segmented(chunk=64, segments=9) by {{.*}}[28, 9, batch]
// CHECK-NEXT: otherwise
// GIVEN: tokens < 16
// GIVEN-NEXT: batch < 5 and tokens > 1024 -> segmented(chunk=64, segments=8)
// GIVEN-NEXT: otherwise
!tokens = tensor<?x?x28x128xbf16>
func.func @scan(%q: !tokens, %k: !tokens, %v: !tokens, %g: tensor<?x?x28xf32>) -> !tokens {
  %o, %s = pattern.scan
      tokens(%qt = %q : !tokens, %kt = %k : !tokens, %vt = %v : !tokens, %gt = %g : tensor<?x?x28xf32>)
      states(%S = zero : tensor<?x28x128x128xf32>) -> (!tokens) {
    %log = pattern.assume %gt in [-1000.0, 0.0] : f32
    %a = math.exp %log : f32
    %A = pattern.broadcast %a : f32 to tensor<128x128xf32>
    %D = arith.mulf %A, %S : tensor<128x128xf32>
    %W = pattern.outer %kt, %vt : tensor<128xf32>, tensor<128xf32>
    %S1 = arith.addf %D, %W : tensor<128x128xf32>
    %y = pattern.read %S1, %qt : tensor<128x128xf32>, tensor<128xf32>
    pattern.yield outputs(%y : tensor<128xf32>) states(%S1 : tensor<128x128xf32>)
  }
  return %o : !tokens
}
