// Sequences of a ragged batch: a block walks those tokens of the only batch that the table names, with the state and
// the tail of its sequence.
// RUN: linmu-opt %s -derive=schedule=recurrent_below=0 -canonicalize -cse | FileCheck %s
// RUN: linmu-opt %s -derive=schedule=cores=16 -canonicalize -cse | FileCheck %s --check-prefix=REGIMES

!t = tensor<?x?x1x64xf32>
!tail = tensor<?x1x1x64xf32>
!s = tensor<?x1x64x64xf32>
!v = tensor<64xf32>
!m = tensor<64x64xf32>

// CHECK-LABEL: tile.program @scan
// CHECK-DAG: %[[SEQUENCES:.*]] = tile.extent sequences
// CHECK: tile.kernel @chunked(
// CHECK: %[[S:.*]] = tile.block_id 1
// CHECK: %[[FIRST:.*]] = tile.load %[[CU:.*]][%[[S]]] : tensor<?xi32>, [index] -> i32
// CHECK: %[[BEGIN:.*]] = arith.index_cast %[[FIRST]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[S]], %c1
// CHECK: %[[END:.*]] = tile.load %[[CU]][%[[NEXT]]]
// CHECK: %[[STOP:.*]] = arith.index_cast %[[END]]
// CHECK: %[[N:.*]] = arith.subi %[[STOP]], %[[BEGIN]]
// CHECK: tile.load %{{.*}}[%[[S]], %{{.*}}] : tensor<?x1x64x64xf32>
// CHECK: scf.for %[[P:.*]] = %c0 to %[[N]] step %c16
// CHECK: %[[LIVE:.*]] = arith.subi %[[N]], %[[P]]
// CHECK: %[[ROW:.*]] = arith.addi %[[BEGIN]], %[[P]]
// CHECK: %[[ROWS:.*]] = tile.range %[[ROW]] to %[[LIVE]]
// CHECK: tile.load %{{.*}}[%c0, %[[ROWS]], %{{.*}}] : tensor<?x?x1x64xf32>
// CHECK: tile.store %{{.*}}[%[[S]], %{{.*}}] : tensor<64x64xf32>
// CHECK: tile.launch @chunked grid(%{{.*}}, %[[SEQUENCES]])
// One at a time where the longest sequence is short; columns are split where one sequence is most of the work.
// REGIMES-LABEL: tile.program @scan
// REGIMES: %[[LONGEST:.*]] = tile.extent longest_sequence
// REGIMES: arith.cmpi ult, %[[LONGEST]], %c16
// REGIMES: %[[ALL:.*]] = tile.extent tokens
// REGIMES: %[[SHARES:.*]] = arith.muli %[[LONGEST]], %c16
// REGIMES: arith.cmpi ult, %[[ALL]], %[[SHARES]]
func.func @scan(%q: !t, %k: !t, %v: !t, %s0: !s, %cu: tensor<?xi32>) -> (!t, !s) {
  %o, %s = pattern.normal_scan tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t) states(%s0 : !s)
      sequences(%cu : tensor<?xi32>) -> (!t)
  stage {
  ^bb0(%qt: !v, %kt: !v, %vt: !v):
    pattern.form key_axis 0 reads(%qt : !v) inclusive [true] writes(%kt : !v) values(%vt : !v) at []
  }
  finish {
  ^bb0(%qt: !v, %kt: !v, %vt: !v, %y: !v, %w: !v):
    pattern.yield outputs(%y : !v)
  }
  return %o, %s : !t, !s
}

// A block of a map lies in one sequence, found from its place among those of all sequences.
// CHECK-LABEL: tile.program @map
// CHECK: %[[WHOLE:.*]] = arith.divui %{{.*}}, %c32
// CHECK: %[[PLACES:.*]] = arith.addi %[[WHOLE]], %{{.*}}
// CHECK: tile.kernel @map(
// CHECK: %[[PLACE:.*]] = tile.block_id 1
// CHECK: %[[FOUND:.*]]:2 = scf.for
// CHECK: tile.load %[[CU:.*]][%[[FOUND]]#0] : tensor<?xi32>
// CHECK: scf.if
// CHECK: tile.load %{{.*}}[%[[FOUND]]#0, %{{.*}}, %{{.*}}] : tensor<?x1x1x64xf32>
// CHECK: tile.launch @map grid(%{{.*}}, %[[PLACES]])
// CHECK: tile.launch @tail grid(%{{.*}}, %{{.*}})
func.func @map(%x: !t, %tail: !tail, %cu: tensor<?xi32>) -> (!t, !tail) {
  %y, %last = pattern.map tokens(%xt = %x tail %tail : !t, !tail) sequences(%cu : tensor<?xi32>) -> (!t) {
    %l = pattern.lag %xt by 1 : !v
    pattern.yield outputs(%l : !v)
  }
  return %y, %last : !t, !tail
}
