// RUN: linmu-opt %s -derive -canonicalize -cse | FileCheck %s

!query = tensor<?x?x4x8xf32>
!key = tensor<?x?x2x8xbf16>
!tail = tensor<?x3x2x8xbf16>
!state = tensor<?x4x8x8xf32>

// The step token by token; grouped heads; the row of a reversed order; lags from the tail; the final tail by a
// launch of its own, since two heads of the scan share it.
// CHECK-LABEL: tile.program @opaque
// CHECK-DAG: %[[BATCH:.*]] = tile.extent batch
// CHECK-DAG: %[[FOUR:.*]] = arith.constant 4 : index
// CHECK-DAG: %[[TWO:.*]] = arith.constant 2 : index
// CHECK: tile.kernel @recurrent
// CHECK: %[[STATE0:.*]] = tile.load %{{.*}}[%[[B:.*]], %[[H:.*]]] : tensor<?x4x8x8xf32>
// CHECK: %[[STATE:.*]] = scf.for %[[P:.*]] = %c0 to %[[N:.*]] step %c1 iter_args(%{{.*}} = %[[STATE0]]) -> (tensor<8x8xf32>)
// CHECK: %[[LAST:.*]] = arith.subi %[[N]], %c1
// CHECK: %[[BACK:.*]] = arith.subi %[[LAST]], %[[P]]
// CHECK: %[[TOKEN:.*]] = tile.load %{{.*}}[%[[B]], %[[BACK]]] : tensor<?x?xi32>
// CHECK: %[[ROW:.*]] = arith.index_cast %[[TOKEN]]
// CHECK: %[[GROUP:.*]] = arith.divui %[[H]], %c2
// CHECK: tile.load %{{.*}}[%[[B]], %[[ROW]], %[[GROUP]]] : tensor<?x?x2x8xbf16>
// CHECK: tile.store %{{.*}}[%[[B]], %[[ROW]], %[[H]]] : tensor<8xf32>, tensor<?x?x4x8xf32>
// CHECK: tile.store %[[STATE]], %{{.*}}[%[[B]], %[[H]]]
// CHECK: tile.kernel @tail
// CHECK: tile.variant as "recurrent"
// CHECK-NEXT: tile.launch @recurrent grid(%[[FOUR]], %[[BATCH]])
// CHECK-NEXT: tile.launch @tail grid(%[[TWO]], %[[BATCH]])
func.func @opaque(%q: !query, %k: !key, %s0: !state, %order: tensor<?x?xi32>, %t: !tail) -> (!query, !state, !tail) {
  %o, %s, %ft = pattern.scan reverse
      tokens(%qt = %q : !query, %kt = %k tail %t : !key, !tail)
      states(%S = %s0 : !state)
      order(%order : tensor<?x?xi32>)
      -> (!query) {
    %before = pattern.lag %kt by 2 : tensor<8xf32>
    %W = pattern.outer %before, %kt : tensor<8xf32>, tensor<8xf32>
    %T = math.tanh %S : tensor<8x8xf32>
    %S1 = arith.addf %T, %W : tensor<8x8xf32>
    %y = pattern.read %S1, %qt : tensor<8x8xf32>, tensor<8xf32>
    pattern.yield outputs(%y : tensor<8xf32>) states(%S1 : tensor<8x8xf32>)
  }
  return %o, %s, %ft : !query, !state, !tail
}

// Short sequences of a map run token by token, long ones by blocks of tokens.
// CHECK-LABEL: tile.program @map
// CHECK-DAG: %[[N:.*]] = tile.extent tokens
// CHECK-DAG: %[[C32:.*]] = arith.constant 32 : index
// CHECK-DAG: %[[C16:.*]] = arith.constant 16 : index
// CHECK-DAG: %[[RANGES:.*]] = arith.ceildivui %[[N]], %[[C32]]
// CHECK-DAG: %[[SHORT:.*]] = arith.cmpi ult, %[[N]], %[[C16]]
// CHECK: tile.kernel @map(
// CHECK: %[[ROWS:.*]] = tile.range %{{.*}} to %{{.*}} -> !tile.range<32>
// CHECK: tile.load {{.*}} -> tensor<32x8xbf16>
// CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}}, %[[ROWS]], %{{.*}}] : tensor<32x8xbf16>
// CHECK: tile.kernel @map_tokens(
// CHECK: tile.variant when %[[SHORT]] as "map" schedule = [{algorithm = "map"}] {
// CHECK-NEXT: tile.launch @map_tokens grid(%{{.*}}, %[[RANGES]], %{{.*}})
// CHECK: tile.variant as "map(block=32)" schedule = [{algorithm = "map", map_block = 32 : i64}] {
// CHECK-NEXT: tile.launch @map grid(%{{.*}}, %[[RANGES]], %{{.*}})
func.func @map(%x: !key) -> !key {
  %y = pattern.map tokens(%xt = %x : !key) -> (!key) {
    %z = arith.addf %xt, %xt : tensor<8xf32>
    pattern.yield outputs(%z : tensor<8xf32>)
  }
  return %y : !key
}

// Blocks of a map with lags that lie inside the sequence, with all that they look back to, ask of no row whether it
// is there.
// CHECK-LABEL: tile.program @lags
// CHECK: tile.kernel @map(
// CHECK: %[[BEHIND:.*]] = arith.cmpi sge, %[[FIRST:.*]], %c2
// CHECK: %[[WHOLE:.*]] = arith.cmpi sge, %[[LEFT:.*]], %c32
// CHECK: %[[INSIDE:.*]] = arith.andi %[[BEHIND]], %[[WHOLE]]
// CHECK: scf.if %[[INSIDE]] {
// CHECK-NOT: tile.range {{.*}} from
// CHECK-NOT: tile.range {{.*}} to
// CHECK-NOT: arith.select
// CHECK: } else {
// CHECK: tile.range {{.*}} from {{.*}} to
// CHECK: arith.select
// CHECK: tile.kernel @map_tokens(
func.func @lags(%x: !key, %t: !tail) -> !key {
  %y, %last = pattern.map tokens(%xt = %x tail %t : !key, !tail) -> (!key) {
    %l = pattern.lag %xt by 2 : tensor<8xf32>
    %z = arith.addf %xt, %l : tensor<8xf32>
    pattern.yield outputs(%z : tensor<8xf32>)
  }
  return %y : !key
}
