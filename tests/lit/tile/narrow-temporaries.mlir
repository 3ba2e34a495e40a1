// What is only rounded where it is loaded is rounded where it is stored; what is read as it is stays f32.
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(narrow-temporaries))' | FileCheck %s

tile.program @p inputs(%x: tensor<1x16x16xf32>) results(%y: tensor<1x16x16xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK: %[[ROUNDED:.*]] = tile.temporary() : tensor<1x16x16xbf16>
  %rounded = tile.temporary() : tensor<1x16x16xf32>
  // CHECK: %[[EXACT:.*]] = tile.temporary() : tensor<1x16x16xf32>
  %exact = tile.temporary() : tensor<1x16x16xf32>
  // CHECK: tile.kernel @before(%{{.*}}: tensor<1x16x16xf32>, %[[R:.*]]: tensor<1x16x16xbf16>, %[[E:.*]]: tensor<1x16x16xf32>)
  tile.kernel @before(%x: tensor<1x16x16xf32>, %r: tensor<1x16x16xf32>, %e: tensor<1x16x16xf32>) {
    %c0 = arith.constant 0 : index
    // CHECK: %[[A:.*]] = tile.load
    %a = tile.load %x[%c0] : tensor<1x16x16xf32>, [index] -> tensor<16x16xf32>
    // CHECK: %[[SHORT:.*]] = arith.truncf %[[A]]
    // CHECK: tile.store %[[SHORT]], %[[R]]
    tile.store %a, %r[%c0] : tensor<16x16xf32>, tensor<1x16x16xf32>, [index]
    // CHECK: tile.store %[[A]], %[[E]]
    tile.store %a, %e[%c0] : tensor<16x16xf32>, tensor<1x16x16xf32>, [index]
  }
  // CHECK: tile.kernel @after(%[[R:.*]]: tensor<1x16x16xbf16>, %[[E:.*]]: tensor<1x16x16xf32>, %{{.*}}: tensor<1x16x16xf32>)
  tile.kernel @after(%r: tensor<1x16x16xf32>, %e: tensor<1x16x16xf32>, %y: tensor<1x16x16xf32>) {
    %c0 = arith.constant 0 : index
    // CHECK: %[[A:.*]] = tile.load %[[R]][%{{.*}}] {{.*}} -> tensor<16x16xbf16>
    %a = tile.load %r[%c0] : tensor<1x16x16xf32>, [index] -> tensor<16x16xf32>
    %short = arith.truncf %a : tensor<16x16xf32> to tensor<16x16xbf16>
    // CHECK: tile.load %[[E]][%{{.*}}] {{.*}} -> tensor<16x16xf32>
    %b = tile.load %e[%c0] : tensor<1x16x16xf32>, [index] -> tensor<16x16xf32>
    %other = arith.truncf %b : tensor<16x16xf32> to tensor<16x16xbf16>
    // CHECK: tile.dot %[[A]], %{{.*}} init
    %c = tile.dot %short, %other init %b : tensor<16x16xf32> : tensor<16x16xbf16>, tensor<16x16xbf16> -> tensor<16x16xf32>
    tile.store %c, %y[%c0] : tensor<16x16xf32>, tensor<1x16x16xf32>, [index]
  }
  tile.variant as "k" {
    // CHECK: tile.launch @before grid(%{{.*}}) (%{{.*}}, %[[ROUNDED]], %[[EXACT]] : tensor<1x16x16xf32>, tensor<1x16x16xbf16>, tensor<1x16x16xf32>)
    tile.launch @before grid(%c1)(%x, %rounded, %exact : tensor<1x16x16xf32>, tensor<1x16x16xf32>, tensor<1x16x16xf32>)
    tile.launch @after grid(%c1)(%rounded, %exact, %y : tensor<1x16x16xf32>, tensor<1x16x16xf32>, tensor<1x16x16xf32>)
  }
}
