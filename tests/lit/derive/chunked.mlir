// RUN: linmu-opt %s -derive=schedule=algorithm=chunked,chunk=16 -canonicalize -cse | FileCheck %s

!vectors = tensor<?x?x2x8xf32>
!scalars = tensor<?x?x2xf32>
!state = tensor<?x2x8x8xf32>

// Scalar decay moves into the score mask: one product each for entry, scores, values and state; no solve.
// Rows past the end are dead: they load as zero and are not stored.
// CHECK-LABEL: tile.program @scalar
// CHECK-DAG: %[[HEADS:.*]] = arith.constant 2 : index
// CHECK-DAG: %[[BATCH:.*]] = tile.extent batch
// CHECK: scf.for %[[FIRST:.*]] = %{{.*}} to %[[N:.*]] step %c16 iter_args
// CHECK: %[[LIVE:.*]] = arith.subi %[[N]], %[[FIRST]]
// CHECK: %[[ROWS:.*]] = tile.range %[[FIRST]] to %[[LIVE]] -> !tile.range<16>
// CHECK: tile.load %{{.*}}[%{{.*}}, %[[ROWS]], %{{.*}}]
// CHECK: tile.cumsum
// CHECK: tile.dot %{{.*}}, transpose_rhs %{{.*}} triangle result_lower
// CHECK: arith.minimumf
// CHECK: arith.cmpi sge
// CHECK: %[[ENTRY:.*]] = tile.dot %{{.*}}, %[[STATE:.*]] : tensor<16x8xf32>, tensor<8x8xf32>
// CHECK: tile.dot {{.*}} init {{.*}} triangle lhs_lower
// CHECK: tile.dot transpose_lhs {{.*}} init
// CHECK: tile.store %{{.*}}[%{{.*}}, %[[ROWS]], %{{.*}}]
// CHECK-NOT: tile.solve
// CHECK: tile.variant as "chunked(chunk=16)" schedule = [{algorithm = "chunked", chunk = 16 : i64}]
// CHECK: tile.launch @chunked grid(%[[HEADS]], %[[BATCH]])
func.func @scalar(%r: !vectors, %k: !vectors, %v: !vectors, %g: !scalars) -> (!vectors, !state) {
  %o, %s = pattern.normal_scan tokens(%rt = %r : !vectors, %kt = %k : !vectors, %vt = %v : !vectors, %gt = %g : !scalars)
      states(%S = zero : !state) -> (!vectors)
  stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: f32):
    pattern.form key_axis 0 decay(%gt : f32) reads(%rt : tensor<8xf32>) inclusive [true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) at []
  }
  finish {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: f32, %y: tensor<8xf32>, %w: tensor<8xf32>):
    pattern.yield outputs(%y : tensor<8xf32>)
  }
  return %o, %s : !vectors, !state
}

// Feedback gives one triangular solve; row-wise decay has its scores from tile.decay_scores.
// CHECK-LABEL: tile.program @feedback
// CHECK: tile.decay_scores exclusive
// CHECK: tile.solve systems
// CHECK: tile.decay_scores %
// CHECK: triangle lhs_lower
func.func @feedback(%r: !vectors, %k: !vectors, %v: !vectors, %g: !vectors, %m: !scalars) -> !vectors {
  %o, %s = pattern.normal_scan tokens(%rt = %r : !vectors, %kt = %k : !vectors, %vt = %v : !vectors, %gt = %g : !vectors, %mt = %m : !scalars)
      states(%S = zero : !state) -> (!vectors)
  stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: tensor<8xf32>, %mt: f32):
    pattern.form key_axis 0 decay(%gt : tensor<8xf32>) reads(%kt, %rt : tensor<8xf32>, tensor<8xf32>) inclusive [false, true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) feedback(%mt) at [0, 0]
  }
  finish {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: tensor<8xf32>, %mt: f32, %y0: tensor<8xf32>, %y1: tensor<8xf32>, %w: tensor<8xf32>):
    pattern.yield outputs(%y1 : tensor<8xf32>)
  }
  return %o : !vectors
}

// Without decay there are no factors, and a read that nothing uses is not computed.
// CHECK-LABEL: tile.program @plain
// CHECK-NOT: math.exp
// CHECK-NOT: transpose_rhs
// CHECK: tile.dot transpose_lhs
// CHECK: tile.variant
func.func @plain(%r: !vectors, %k: !vectors, %v: !vectors) -> (!vectors, !state) {
  %o, %s = pattern.normal_scan tokens(%rt = %r : !vectors, %kt = %k : !vectors, %vt = %v : !vectors)
      states(%S = zero : !state) -> (!vectors)
  stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>):
    pattern.form key_axis 0 reads(%rt : tensor<8xf32>) inclusive [true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) at []
  }
  finish {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %y: tensor<8xf32>, %w: tensor<8xf32>):
    pattern.yield outputs(%w : tensor<8xf32>)
  }
  return %o, %s : !vectors, !state
}

// A decay by value column leaves the scores alone and scales what they are multiplied with.
// CHECK-LABEL: tile.program @by_value
// CHECK: %[[SCORES:.*]] = arith.select {{.*}} : tensor<16x16xi1>, tensor<16x16xf32>
// CHECK: tile.decay_values %[[SCORES]], %{{.*}} decays
// CHECK: tile.dot transpose_lhs
// CHECK: tile.variant
func.func @by_value(%r: !vectors, %k: !vectors, %v: !vectors, %g: !vectors) -> (!vectors, !state) {
  %o, %s = pattern.normal_scan tokens(%rt = %r : !vectors, %kt = %k : !vectors, %vt = %v : !vectors, %gt = %g : !vectors)
      states(%S = zero : !state) -> (!vectors)
  stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: tensor<8xf32>):
    pattern.form key_axis 0 value_decay(%gt : tensor<8xf32>) reads(%rt : tensor<8xf32>) inclusive [true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) at []
  }
  finish {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: tensor<8xf32>, %y: tensor<8xf32>, %w: tensor<8xf32>):
    pattern.yield outputs(%y : tensor<8xf32>)
  }
  return %o, %s : !vectors, !state
}

// Beside a decay by row, whose scores hold it.
// CHECK-LABEL: tile.program @both_axes
// CHECK: %[[SCORES:.*]] = tile.decay_scores %{{.*}}, %{{.*}} decays
// CHECK: tile.decay_values %[[SCORES]], %{{.*}} decays
// CHECK: tile.dot transpose_lhs
// CHECK: tile.variant
func.func @both_axes(%r: !vectors, %k: !vectors, %v: !vectors, %g: !vectors) -> (!vectors, !state) {
  %o, %s = pattern.normal_scan tokens(%rt = %r : !vectors, %kt = %k : !vectors, %vt = %v : !vectors, %gt = %g : !vectors)
      states(%S = zero : !state) -> (!vectors)
  stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: tensor<8xf32>):
    pattern.form key_axis 0 decay(%gt : tensor<8xf32>) value_decay(%vt : tensor<8xf32>) reads(%rt : tensor<8xf32>)
        inclusive [true] writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) at []
  }
  finish {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: tensor<8xf32>, %y: tensor<8xf32>, %w: tensor<8xf32>):
    pattern.yield outputs(%y : tensor<8xf32>)
  }
  return %o, %s : !vectors, !state
}

// A decay of either sign: beside the exponential of sums stand the products of the signs so far, of the token that
// reads and of the one that wrote.
// CHECK-LABEL: tile.program @signed
// CHECK: %[[LIVE:.*]] = arith.select %{{.*}}, %{{.*}}, %{{.*}} : tensor<16xi1>, tensor<16xf32>
// CHECK: %[[SIGNS:.*]] = tile.cumprod %[[LIVE]] : tensor<16xf32>
// CHECK: %[[FACTORS:.*]] = math.exp %{{.*}} : tensor<16x16xf32>
// CHECK: %[[READER:.*]] = tile.broadcast %[[SIGNS]] along 0 : tensor<16xf32> to tensor<16x16xf32>
// CHECK: %[[WRITER:.*]] = tile.broadcast %[[SIGNS]] along 1 : tensor<16xf32> to tensor<16x16xf32>
// CHECK: %[[BOTH:.*]] = arith.mulf %[[READER]], %[[WRITER]]
// CHECK: arith.mulf %[[FACTORS]], %[[BOTH]]
func.func @signed(%r: !vectors, %k: !vectors, %v: !vectors, %g: !scalars, %p: !scalars) -> (!vectors, !state) {
  %o, %s = pattern.normal_scan tokens(%rt = %r : !vectors, %kt = %k : !vectors, %vt = %v : !vectors, %gt = %g : !scalars, %pt = %p : !scalars)
      states(%S = zero : !state) -> (!vectors)
  stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: f32, %pt: f32):
    pattern.form key_axis 0 decay(%gt : f32) sign(%pt : f32) reads(%rt : tensor<8xf32>) inclusive [true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) at []
  }
  finish {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: f32, %pt: f32, %y: tensor<8xf32>, %w: tensor<8xf32>):
    pattern.yield outputs(%y : tensor<8xf32>)
  }
  return %o, %s : !vectors, !state
}

// A state that nothing writes only decays.
// CHECK-LABEL: tile.program @unwritten
// CHECK: %[[READ:.*]] = tile.dot %{{.*}}, %{{.*}} : tensor<16x8xf32>, tensor<8x8xf32>
// CHECK: arith.mulf %[[READ]], %{{.*}} : tensor<16x8xf32>
func.func @unwritten(%r: !vectors, %g: !scalars, %s: !state) -> (!vectors, !state) {
  %o, %f = pattern.normal_scan tokens(%rt = %r : !vectors, %gt = %g : !scalars)
      states(%S = %s : !state) -> (!vectors)
  stage {
  ^bb0(%rt: tensor<8xf32>, %gt: f32):
    pattern.form key_axis 0 decay(%gt : f32) reads(%rt : tensor<8xf32>) inclusive [true] at []
  }
  finish {
  ^bb0(%rt: tensor<8xf32>, %gt: f32, %y: tensor<8xf32>):
    pattern.yield outputs(%y : tensor<8xf32>)
  }
  return %o, %f : !vectors, !state
}
