// The gradients of a scan as text, and every message of its verifier.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics | linmu-opt -split-input-file | FileCheck %s

!t = tensor<?x?x2x4xf32>
!s = tensor<?x2x4x4xf32>

// CHECK-LABEL: func.func @whole
// CHECK: %{{.*}}:6, %{{.*}} = pattern.scan_adjoint reverse tokens(%arg0, %arg1, %arg2 : tensor<?x?x2x4xf32>, tensor<?x?x1x4xbf16>, tensor<?x?xf32>)
// CHECK-SAME: init(%arg3 : tensor<?x2x4x4xf32>) order(%arg4 : tensor<?x?xi32>) sequences(%arg5 : tensor<?xi32>)
// CHECK-SAME: read_cotangents [1](%arg0 : tensor<?x?x2x4xf32>) write_cotangents [0](%arg0 : tensor<?x?x2x4xf32>) final_cotangent(%arg3 : tensor<?x2x4x4xf32>)
// CHECK-SAME: init tensor<?x2x4x4xf32> stage {
// CHECK: pattern.form key_axis 1 decay(
func.func @whole(%x: !t, %k: tensor<?x?x1x4xbf16>, %g: tensor<?x?xf32>, %s: !s, %order: tensor<?x?xi32>,
                 %cu: tensor<?xi32>) -> !s {
  %d:6, %ds = pattern.scan_adjoint reverse tokens(%x, %k, %g : !t, tensor<?x?x1x4xbf16>, tensor<?x?xf32>) init(%s : !s)
      order(%order : tensor<?x?xi32>) sequences(%cu : tensor<?xi32>) read_cotangents [1](%x : !t)
      write_cotangents [0](%x : !t) final_cotangent(%s : !s)
      -> (tensor<?x?x2xf32>, !t, !t, !t, !t, tensor<?x?x2xf32>) init !s stage {
  ^bb0(%xt: tensor<4xf32>, %kt: tensor<4xf32>, %gt: f32):
    pattern.form key_axis 1 decay(%gt : f32) reads(%kt, %xt : tensor<4xf32>, tensor<4xf32>) inclusive [false, true]
        writes(%kt : tensor<4xf32>) values(%xt : tensor<4xf32>) feedback(%gt) at [0, 0]
  }
  return %ds : !s
}

// Nothing need be sent back, and nothing be there before.
// CHECK-LABEL: func.func @bare
// CHECK: pattern.scan_adjoint tokens(%arg0 : tensor<?x?x2x4xf32>) -> (tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>) init tensor<?x2x4x4xf32> stage {
func.func @bare(%x: !t) -> !s {
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!t, !t) init !s stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return %ds : !s
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @state(%x: !t) {
  // expected-error @+1 {{requires the gradient of the initial state to have a dynamic axis 0, as in tensor<?xHxKxVxf32> (batch, heads, state), got 'tensor<1x2x4x4xf32>'}}
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!t, !t) init tensor<1x2x4x4xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @half(%x: !t) {
  // expected-error @+1 {{requires the gradient of the initial state to have f32 elements, got 'tensor<?x2x4x4xbf16>'}}
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!t, !t) init tensor<?x2x4x4xbf16> stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @init(%x: !t, %s: tensor<?x2x4x8xf32>) {
  // expected-error @+1 {{requires init to have type 'tensor<?x2x4x4xf32>', got 'tensor<?x2x4x8xf32>'}}
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) init(%s : tensor<?x2x4x8xf32>) -> (!t, !t) init tensor<?x2x4x4xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x3x4xf32>
!g = tensor<?x?x2x4xf32>
func.func @heads(%x: !t) {
  // expected-error @+1 {{requires token operand #0 to have a head count that divides 2, got 3 in 'tensor<?x?x3x4xf32>'}}
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!g, !g) init tensor<?x2x4x4xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @arguments(%x: !t) {
  // expected-error @+1 {{requires a stage with arguments of types 'tensor<4xf32>', got 'f32'}}
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!t, !t) init tensor<?x2x4x4xf32> stage {
  ^bb0(%xt: f32):
    %k = arith.constant dense<1.0> : tensor<4xf32>
    pattern.form key_axis 0 inclusive [] writes(%k : tensor<4xf32>) values(%k : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @lag(%x: !t) {
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!t, !t) init tensor<?x2x4x4xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    // expected-error @+1 {{requires source to be a token argument of the surrounding step}}
    %before = pattern.lag %xt by 1 : tensor<4xf32>
    pattern.form key_axis 0 inclusive [] writes(%before : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @axis(%x: !t) {
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!t, !t) init tensor<?x2x4x4xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    // expected-error @+1 {{requires a key axis of a state 'tensor<4x4xf32>', got 2}}
    pattern.form key_axis 2 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @value(%x: !t) {
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!t, !t) init tensor<?x2x4x8xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    // expected-error @+1 {{requires value #0 to have type 'tensor<8xf32>' for a state 'tensor<4x8xf32>', got 'tensor<4xf32>'}}
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @decay(%x: !t) {
  %d:3, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!t, !t, tensor<?x?x2x8xf32>) init tensor<?x2x4x8xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    %v = arith.constant dense<1.0> : tensor<8xf32>
    // expected-error @+1 {{requires a decay by value of type 'tensor<8xf32>', got 'tensor<4xf32>'}}
    pattern.form key_axis 0 value_decay(%xt : tensor<4xf32>) inclusive [] writes(%xt : tensor<4xf32>)
        values(%v : tensor<8xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @count(%x: !t) {
  // expected-error @+1 {{requires a gradient for each of 2 operands of the form, got 1}}
  %d, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!t) init tensor<?x2x4x4xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @gradient(%x: !t) {
  // expected-error @+1 {{requires gradient #1 to have type 'tensor<?x?x2x4xf32>', or of bf16 or f16, got 'tensor<?x?x1x4xf32>'}}
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) -> (!t, tensor<?x?x1x4xf32>) init tensor<?x2x4x4xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @number(%x: !t) {
  // expected-error @+1 {{requires numbers of writes that differ, in [0, 1), got 1}}
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) write_cotangents [1](%x : !t) -> (!t, !t) init tensor<?x2x4x4xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @numbers(%x: !t) {
  // expected-error @+1 {{requires the number of a write for each of 1 cotangents, got 2}}
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) write_cotangents [0, 1](%x : !t) -> (!t, !t) init tensor<?x2x4x4xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}

// -----

!t = tensor<?x?x2x4xf32>
func.func @cotangent(%x: !t, %y: tensor<?x?x1x4xf32>) {
  // expected-error @+1 {{requires the cotangent of write #0 to have type 'tensor<?x?x2x4xf32>', or of bf16 or f16, got 'tensor<?x?x1x4xf32>'}}
  %d:2, %ds = pattern.scan_adjoint tokens(%x : !t) write_cotangents [0](%y : tensor<?x?x1x4xf32>) -> (!t, !t) init tensor<?x2x4x4xf32> stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  return
}
