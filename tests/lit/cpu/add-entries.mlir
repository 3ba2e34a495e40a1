// The runtime calls NAME.entry, which takes operands from their descriptors: an operand in memory of rank 1 is five
// words, a number one; behind them lies the grid. Functions without operands' ranks are none of the runtime's.
// RUN: linmu-opt %s --cpu-to-llvm | FileCheck %s

// CHECK-LABEL: llvm.func @kernel.entry(
// CHECK-SAME: %[[ARGUMENTS:.*]]: !llvm.ptr, %[[FIRST:.*]]: i64, %[[LAST:.*]]: i64, %[[WORKSPACE:.*]]: !llvm.ptr)
// The grid, the number, then the descriptor.
// CHECK: %[[GRID_PLACE:.*]] = llvm.getelementptr %[[ARGUMENTS]][2]
// CHECK: %[[GRID:.*]] = llvm.load %[[GRID_PLACE]]
// CHECK: llvm.getelementptr %[[GRID]][0]
// CHECK: llvm.getelementptr %[[GRID]][1]
// CHECK: llvm.getelementptr %[[GRID]][2]
// CHECK: llvm.getelementptr %[[ARGUMENTS]][0]
// CHECK: llvm.getelementptr %{{.*}}[0] : (!llvm.ptr) -> !llvm.ptr, i64
// CHECK: llvm.getelementptr %[[ARGUMENTS]][1]
// CHECK-COUNT-5: llvm.load
// CHECK: llvm.call @kernel(%[[FIRST]], %[[LAST]], %[[WORKSPACE]], %[[WORKSPACE]]
// CHECK-LABEL: llvm.func internal @kernel(
// CHECK-NOT: {{memref|scf}}
// CHECK: llvm.store
// CHECK-NOT: other.entry
// CHECK: llvm.func @other
func.func @kernel(%first: index, %last: index, %workspace: memref<?xi8>, %x: index, %y: index, %z: index,
                  %number: index, %memory: memref<?xf32, strided<[1]>>)
    attributes {linmu.workspace = 0 : i64, linmu.blocks_together = 1 : i64, linmu.ranks = array<i64: -1, 1>} {
  %step = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %at = %first to %last step %step {
    memref.store %zero, %memory[%number] : memref<?xf32, strided<[1]>>
  }
  return
}
func.func @other() {
  return
}
