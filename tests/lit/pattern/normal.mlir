// RUN: linmu-opt %s | linmu-opt | FileCheck %s

// The normal form as it prints is the normal form as it reads; states may carry a name.
// CHECK-LABEL: func.func @normal
// CHECK: %{{.*}}, %{{.*}}:2 = pattern.normal_scan
// CHECK: states(%arg2 : tensor<?x2x4x4xf32>, zero : tensor<?x2x4x4xf32>)
// CHECK-NEXT: sequences(%arg3 : tensor<?xi32>)
// CHECK: stage {
// CHECK: pattern.form key_axis 0 reads({{.*}}) inclusive [true]
// CHECK: finish {
func.func @normal(%x: tensor<?x?x2x4xf32>, %y: tensor<?x?x2x4xf32>, %s0: tensor<?x2x4x4xf32>,
                  %cu: tensor<?xi32>) -> tensor<?x?x2x4xf32> {
  %o, %s, %t = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>, %yt = %y : tensor<?x?x2x4xf32>)
      states(%S = %s0 : tensor<?x2x4x4xf32>, zero : tensor<?x2x4x4xf32>) sequences(%cu : tensor<?xi32>)
      -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>, %yt: tensor<4xf32>):
    pattern.form key_axis 0 reads(%xt : tensor<4xf32>) inclusive [true] writes(%xt : tensor<4xf32>)
        values(%yt : tensor<4xf32>) at []
  }
  stage {
  ^bb0(%xt: tensor<4xf32>, %yt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.form key_axis 1 inclusive [] writes(%xt : tensor<4xf32>) values(%y0 : tensor<4xf32>) at []
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %yt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>, %w1: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return %o : tensor<?x?x2x4xf32>
}
