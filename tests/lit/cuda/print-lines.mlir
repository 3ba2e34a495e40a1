// Each line of a kernel says which place of the user's source it comes from; where lines follow each other as there,
// nothing is said again.
// RUN: linmu-opt --print-cuda %s -o /dev/null | FileCheck %s

tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  // Quotes and backslashes do not pass through the line tables of PTX.
  // CHECK: #line 1 "c:/kernel 'a'.mlir"
  // CHECK-NEXT: extern "C"
  // CHECK-NEXT: index_argument(arguments, 0)
  tile.kernel @k(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    // CHECK-NEXT: #line 30 "pattern.mlir"
    // CHECK-NEXT: v0 = add_index(a0, a0);
    %0 = arith.addi %n, %n : index loc("pattern.mlir":30:3)
    // CHECK-NEXT: v1 = add_index(v0, a0);
    %1 = arith.addi %0, %n : index loc("pattern.mlir":31:3)
    // CHECK-NEXT: #line 31 "pattern.mlir"
    // CHECK-NEXT: v2 = add_index(v1, a0);
    %2 = arith.addi %1, %n : index loc("pattern.mlir":31:9)
    // An op that comes from nowhere stays with the one before it.
    // CHECK-NEXT: v3 = add_index(v2, a0);
    %3 = arith.addi %2, %n : index loc(unknown)
    // CHECK-NEXT: #line 40 "other.mlir"
    // CHECK-NEXT: v4 = add_index(v3, a0);
    %4 = arith.addi %3, %n : index loc(fused["chunk", "name"("other.mlir":40:1)])
    // CHECK-NEXT: v5 = add_index(v4, a0);
    %5 = arith.addi %4, %n : index loc(callsite("other.mlir":41:1 at "caller.mlir":1:1))
  } loc("c:\\kernel \"a\".mlir":1:1)
}
