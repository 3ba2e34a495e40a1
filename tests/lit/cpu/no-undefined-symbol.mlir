// A kernel calls nothing outside itself, on CPUs with and without instructions for bf16, and neither allocates nor
// copies memory in its loops.
// RUN: linmuc %s --emit=asm | FileCheck %s --check-prefix=ASM
// RUN: linmuc %s --cpu=x86-64-v3 --emit=asm | FileCheck %s --check-prefix=ASM
// RUN: linmuc %s --emit=llvm | FileCheck %s --check-prefix=LLVM

// ASM-NOT: call{{.*}}@PLT
// ASM-NOT: {{(malloc|memcpy|memset|expf|logf|tanhf|sinf|powf|fmod|truncsfbf2|truncsfhf2)}}
// LLVM-NOT: declare{{.*}}@{{(malloc|free|memcpy|expf|logf|tanhf|erff|powf|sinf|cosf)}}

func.func @functions(%q: tensor<?x?x2x32xbf16>, %k: tensor<?x?x2x32xf16>, %v: tensor<?x?x2x32xbf16>, %g: tensor<?x?x2xf32>) -> tensor<?x?x2x32xbf16> {
  %o, %s = pattern.scan
      tokens(%qt = %q : tensor<?x?x2x32xbf16>, %kt = %k : tensor<?x?x2x32xf16>, %vt = %v : tensor<?x?x2x32xbf16>,
             %gt = %g : tensor<?x?x2xf32>)
      states(%S = zero : tensor<?x2x32x32xf32>)
      -> (tensor<?x?x2x32xbf16>) {
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to tensor<32x32xf32>
    %D = arith.mulf %A, %S : tensor<32x32xf32>
    %W = pattern.outer %kt, %vt : tensor<32xf32>, tensor<32xf32>
    %S1 = arith.addf %D, %W : tensor<32x32xf32>
    %y = pattern.read %S1, %qt : tensor<32x32xf32>, tensor<32xf32>
    %t = math.tanh %y : tensor<32xf32>
    %e = math.erf %t : tensor<32xf32>
    %r = math.rsqrt %e : tensor<32xf32>
    %p = math.log1p %r : tensor<32xf32>
    %c = math.cos %p : tensor<32xf32>
    %f0 = math.exp %c : tensor<32xf32>
    %f1 = math.exp2 %f0 : tensor<32xf32>
    %f2 = math.expm1 %f1 : tensor<32xf32>
    %f3 = math.log %f2 : tensor<32xf32>
    %f4 = math.log2 %f3 : tensor<32xf32>
    %f5 = math.sin %f4 : tensor<32xf32>
    %f6 = math.powf %f5, %y : tensor<32xf32>
    %f7 = pattern.softplus %f6 : tensor<32xf32>
    %i0 = arith.fptosi %f7 : tensor<32xf32> to tensor<32xi32>
    %i1 = arith.fptosi %y : tensor<32xf32> to tensor<32xi32>
    %i2 = arith.divsi %i0, %i1 : tensor<32xi32>
    %i3 = arith.remsi %i2, %i1 : tensor<32xi32>
    %f8 = arith.uitofp %i3 : tensor<32xi32> to tensor<32xf32>
    %f9 = arith.maximumf %f8, %y : tensor<32xf32>
    %f = arith.minnumf %f9, %c : tensor<32xf32>
    pattern.yield outputs(%f : tensor<32xf32>) states(%S1 : tensor<32x32xf32>)
  }
  return %o : tensor<?x?x2x32xbf16>
}
