// What the gradients of a scan start from is made in their stage, where that is not more to read; a map that only they
// use goes. One with lags stays, and so does one whose operands are wider than what it makes.
// RUN: linmu-opt %s -fuse-into-adjoints | FileCheck %s

!vectors = tensor<?x?x2x8xf32>
!narrow = tensor<?x?x2x8xbf16>
!scalars = tensor<?x?x2xf32>
!state = tensor<?x2x8x8xf32>

// CHECK-LABEL: @joined
// CHECK-SAME: (%[[K:.*]]: tensor<?x?x2x8xf32>, %[[V:.*]]: tensor<?x?x2x8xbf16>, %[[B:.*]]: tensor<?x?x2xf32>, %[[D:.*]]: tensor<?x?x2x8xf32>)
// CHECK-NOT: pattern.map
// CHECK: pattern.scan_adjoint tokens(%[[K]], %[[V]], %[[B]] :
// CHECK-SAME: read_cotangents [0](%[[D]] :
// CHECK: ^bb0(%[[KT:.*]]: tensor<8xf32>, %[[VT:.*]]: tensor<8xf32>, %[[BT:.*]]: f32):
// CHECK: %[[WIDE:.*]] = pattern.broadcast %[[BT]]
// CHECK: %[[WRITTEN:.*]] = arith.mulf %[[VT]], %[[WIDE]]
// CHECK: pattern.form key_axis 0 reads(%[[KT]] : {{.*}}) inclusive [true] writes(%[[KT]] : {{.*}}) values(%[[WRITTEN]] :
func.func @joined(%k: !vectors, %v: !narrow, %b: !scalars, %d: !vectors) -> !vectors {
  %w, %unused = pattern.map tokens(%vt = %v : !narrow, %bt = %b : !scalars) -> (!vectors, !scalars) {
    %wide = pattern.broadcast %bt : f32 to tensor<8xf32>
    %y = arith.mulf %vt, %wide : tensor<8xf32>
    %z = arith.addf %bt, %bt : f32
    pattern.yield outputs(%y, %z : tensor<8xf32>, f32)
  }
  %x:3, %s = pattern.scan_adjoint tokens(%k, %w : !vectors, !vectors) read_cotangents [0](%d : !vectors)
      -> (!vectors, !vectors, !vectors) init !state stage {
  ^bb0(%kt: tensor<8xf32>, %wt: tensor<8xf32>):
    pattern.form key_axis 0 reads(%kt : tensor<8xf32>) inclusive [true] writes(%kt : tensor<8xf32>) values(%wt : tensor<8xf32>) at []
  }
  return %x#2 : !vectors
}

// CHECK-LABEL: @apart
// CHECK: pattern.map
// CHECK: pattern.map
// CHECK: pattern.scan_adjoint
func.func @apart(%k: !vectors, %v: !vectors, %d: !vectors) -> !vectors {
  %g = pattern.map tokens(%kt = %k : !vectors) -> (!scalars) {
    %sum = pattern.sum %kt over 0 : tensor<8xf32>
    pattern.yield outputs(%sum : f32)
  }
  %w = pattern.map tokens(%vt = %v : !vectors) -> (!vectors) {
    %before = pattern.lag %vt by 1 : tensor<8xf32>
    pattern.yield outputs(%before : tensor<8xf32>)
  }
  %x:4, %s = pattern.scan_adjoint tokens(%d, %w, %g : !vectors, !vectors, !scalars) read_cotangents [0](%d : !vectors)
      -> (!scalars, !vectors, !vectors, !vectors) init !state stage {
  ^bb0(%kt: tensor<8xf32>, %wt: tensor<8xf32>, %gt: f32):
    pattern.form key_axis 0 decay(%gt : f32) reads(%kt : tensor<8xf32>) inclusive [true]
        writes(%kt : tensor<8xf32>) values(%wt : tensor<8xf32>) at []
  }
  return %x#3 : !vectors
}
