// Five columns of vectors of sixteen: an access asks for no more lanes than its mask may have. LLVM would split wider ones
// for AVX2, and load the part that is masked as a whole without a mask, behind the end of an operand.
// RUN: linmuc %s --emit=llvm --cpu=haswell --schedule=algorithm=two_kernels,chunk=8 | FileCheck %s --implicit-check-not='call <16 x float> @llvm.masked.load' --implicit-check-not='@llvm.masked.store.v16f32.p0(<16 x float> %'

// CHECK: @llvm.masked.load.v8f32
func.func @f(%q: tensor<?x?x1x5xf32>, %k: tensor<?x?x1x5xf32>, %v: tensor<?x?x1x5xf32>) -> tensor<?x?x1x5xf32> {
  %o, %s = pattern.scan tokens(%qt = %q : tensor<?x?x1x5xf32>, %kt = %k : tensor<?x?x1x5xf32>, %vt = %v : tensor<?x?x1x5xf32>)
      states(%S = zero : tensor<?x1x5x5xf32>) -> (tensor<?x?x1x5xf32>) {
    %W = pattern.outer %kt, %vt : tensor<5xf32>, tensor<5xf32>
    %S1 = arith.addf %S, %W : tensor<5x5xf32>
    %y = pattern.read %S1, %qt : tensor<5x5xf32>, tensor<5xf32>
    pattern.yield outputs(%y : tensor<5xf32>) states(%S1 : tensor<5x5xf32>)
  }
  return %o : tensor<?x?x1x5xf32>
}
