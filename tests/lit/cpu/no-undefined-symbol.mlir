// A kernel calls nothing outside itself, on CPUs with and without instructions for bf16, and neither allocates nor
// copies memory in its loops.
// RUN: linmuc %s --emit=asm | FileCheck %s --check-prefix=ASM
// RUN: linmuc %s --cpu=x86-64-v3 --emit=asm | FileCheck %s --check-prefix=ASM
// RUN: linmuc %s --emit=llvm | FileCheck %s --check-prefix=LLVM

// ASM-NOT: call{{.*}}@PLT
// ASM-NOT: {{(malloc|memcpy|memset|expf|logf|tanhf|truncsfbf2|truncsfhf2)}}
// LLVM-NOT: declare{{.*}}@{{(malloc|free|memcpy|expf|logf|tanhf|erff|powf)}}

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
    pattern.yield outputs(%c : tensor<32xf32>) states(%S1 : tensor<32x32xf32>)
  }
  return %o : tensor<?x?x2x32xbf16>
}
