// States that take each other as a whole, or depend on each other, are the form of several states.
// RUN: linmu-opt --expand-clauses --canonicalize --normalize %s | FileCheck %s

!t = tensor<?x?x2x4xf32>
!c = tensor<?x?x2xf32>
!s = tensor<?x2x4x4xf32>
!n = tensor<?x2xf32>
!v = tensor<4xf32>
!m = tensor<4x4xf32>

// What goes to both states is one write.
// CHECK-LABEL: @momentum
// CHECK: pattern.normal_scan
// CHECK: ^bb0(%[[K:.*]]: tensor<4xf32>, %[[A:.*]]: f32, %[[B:.*]]: f32):
// CHECK-NEXT: pattern.form key_axis 0 reads(%[[K]] : tensor<4xf32>) inclusive [true] writes(%[[K]] : tensor<4xf32>) values(%[[K]] : tensor<4xf32>) at [] states 2 coupling(%[[A]], %[[B]], %[[B]]) at [0, 0, 0, 1, 1, 1] of_reads [0] of_writes [0, 0, 0, 1]
func.func @momentum(%x: !t, %a: !c, %b: !c) -> !t {
  %o, %s, %r = pattern.scan tokens(%k = %x : !t, %at = %a : !c, %bt = %b : !c)
      states(%S = zero : !s, %P = zero : !s) -> (!t) {
    %A = pattern.broadcast %at : f32 to !m
    %B = pattern.broadcast %bt : f32 to !m
    %W = pattern.outer %k, %k : !v, !v
    %Q = arith.mulf %B, %P : !m
    %P1 = arith.addf %Q, %W : !m
    %T = arith.mulf %A, %S : !m
    %S1 = arith.addf %T, %P1 : !m
    %y = pattern.read %S1, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1, %P1 : !m, !m)
  }
  return %o : !t
}

// CHECK-LABEL: @exchanged
// CHECK: pattern.form key_axis 0 reads({{.*}}) inclusive [false] at [] states 2 coupling(%[[ONE:.*]], %[[ONE]]) at [0, 1, 1, 0] of_reads [1] of_writes []
func.func @exchanged(%x: !t) -> !t {
  %o, %s, %r = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s, %R = zero : !s) -> (!t) {
    %y = pattern.read %R, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%R, %S : !m, !m)
  }
  return %o : !t
}

// Feedback of a read of the other state.
// CHECK-LABEL: @circle
// CHECK: pattern.form key_axis 0 {{.*}} inclusive [false, false] {{.*}} feedback({{.*}}) at [0, 1, 1, 0] states 2 coupling({{.*}}) at [0, 0, 1, 1] of_reads [0, 1] of_writes [0, 0, 1, 1]
func.func @circle(%x: !t) -> !t {
  %o, %s, %r = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s, %R = zero : !s) -> (!t) {
    %a = pattern.read %S, %k : !m, !v
    %b = pattern.read %R, %k : !m, !v
    %U = pattern.outer %k, %b : !v, !v
    %W = pattern.outer %k, %a : !v, !v
    %S1 = arith.addf %S, %U : !m
    %R1 = arith.addf %R, %W : !m
    pattern.yield outputs(%a : !v) states(%S1, %R1 : !m, !m)
  }
  return %o : !t
}

// Numbers are mixed by what each owes to reads of the others.
// CHECK-LABEL: @rotation
// CHECK: pattern.form key_axis -1 {{.*}} inclusive [false, false] {{.*}} states 2 coupling(%[[A:.*]], %[[M:.*]], %[[A]], %[[B:.*]]) at [0, 0, 0, 1, 1, 1, 1, 0] of_reads [0, 1]
func.func @rotation(%x: !c, %a: !c, %b: !c) -> !c {
  %o, %s, %r = pattern.scan tokens(%u = %x : !c, %at = %a : !c, %bt = %b : !c)
      states(%X = zero : !n, %Y = zero : !n) -> (!c) {
    %ax = arith.mulf %at, %X : f32
    %by = arith.mulf %bt, %Y : f32
    %p = arith.subf %ax, %by : f32
    %X1 = arith.addf %p, %u : f32
    %ay = arith.mulf %at, %Y : f32
    %bx = arith.mulf %bt, %X : f32
    %Y1 = arith.addf %ay, %bx : f32
    pattern.yield outputs(%X1 : f32) states(%X1, %Y1 : f32, f32)
  }
  return %o : !c
}

// A state that nothing mixes with stays by itself, in a stage of its own.
// CHECK-LABEL: @beside
// CHECK: stage {
// CHECK: states 2 coupling
// CHECK: stage {
// CHECK: pattern.form key_axis 0
// CHECK-NOT: states
// CHECK: finish
func.func @beside(%x: !t) -> !t {
  %o, %s, %r, %z = pattern.scan tokens(%k = %x : !t)
      states(%S = zero : !s, %R = zero : !s, %Z = zero : !s) -> (!t) {
    %W = pattern.outer %k, %k : !v, !v
    %S1 = arith.addf %S, %R : !m
    %R1 = arith.addf %R, %W : !m
    %Z1 = arith.addf %Z, %W : !m
    %y = pattern.read %S1, %k : !m, !v
    %z1 = pattern.read %Z1, %k : !m, !v
    %r1 = arith.addf %y, %z1 : !v
    pattern.yield outputs(%r1 : !v) states(%S1, %R1, %Z1 : !m, !m, !m)
  }
  return %o : !t
}
