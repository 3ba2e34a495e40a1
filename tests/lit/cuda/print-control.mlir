// Loops and branches assign to variables; all that a loop yields is taken before the first is assigned.
// RUN: linmu-opt --print-cuda=lines=false %s -o /dev/null | FileCheck %s

tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  // CHECK-LABEL: loops(
  tile.kernel @loops(%y: tensor<?x64xf32>, %n: index, %t: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    // CHECK: const Vector<f32, 2> v0 = splat<2>(0.0f);
    %zero = arith.constant dense<0.0> : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v1 = splat<2>(1.0f);
    %one = arith.constant dense<1.0> : vector<2xf32>
    // CHECK-NEXT: Vector<f32, 2> v2 = v0;
    // CHECK-NEXT: Vector<f32, 2> v3 = v1;
    // CHECK-NEXT: i32 v4 = a2;
    // CHECK-NEXT: #pragma unroll 1
    // CHECK-NEXT: for (i32 v5 = 0; v5 < a1; v5 += 2) {
    // CHECK-NEXT:   const Vector<f32, 2> v6 = add(v2, v3);
    // CHECK-NEXT:   const auto v7 = v3;
    // CHECK-NEXT:   v2 = v7;
    // CHECK-NEXT:   v3 = v6;
    // CHECK-NEXT: }
    %r:3 = scf.for %i = %c0 to %n step %c2 iter_args(%a = %zero, %b = %one, %k = %t)
        -> (vector<2xf32>, vector<2xf32>, index) {
      %sum = arith.addf %a, %b : vector<2xf32>
      scf.yield %b, %sum, %k : vector<2xf32>, vector<2xf32>, index
    } {cuda.unroll = 1 : i64}
    // CHECK-NEXT: for (i32 v8 = 0; compare_ult(v8, v4); v8 += 1) {
    // CHECK-NEXT:   store(v2, at(a0, v8, 0));
    // CHECK-NEXT: }
    scf.for unsigned %i = %c0 to %r#2 step %c1 {
      cuda.store %r#0, %y[%i, %c0] : vector<2xf32>, tensor<?x64xf32>
    }
    // CHECK-NEXT: const bool v9 = compare_eq(a1, 0);
    %empty = arith.cmpi eq, %n, %c0 : index
    // CHECK-NEXT: Vector<f32, 2> v10;
    // CHECK-NEXT: i32 v11;
    // CHECK-NEXT: if (v9) {
    // CHECK-NEXT:   const Vector<f32, 2> v12 = exp(v3);
    // CHECK-NEXT:   v10 = v12;
    // CHECK-NEXT:   v11 = 2;
    // CHECK-NEXT: } else {
    // CHECK-NEXT:   v10 = v0;
    // CHECK-NEXT:   v11 = a1;
    // CHECK-NEXT: }
    %s:2 = scf.if %empty -> (vector<2xf32>, index) {
      %e = math.exp %r#1 : vector<2xf32>
      scf.yield %e, %c2 : vector<2xf32>, index
    } else {
      scf.yield %zero, %n : vector<2xf32>, index
    }
    // CHECK-NEXT: if (v9) {
    // CHECK-NEXT:   store(v10, at(a0, v11, 0));
    // CHECK-NEXT: }
    scf.if %empty {
      cuda.store %s#0, %y[%s#1, %c0] : vector<2xf32>, tensor<?x64xf32>
    }
    // CHECK-NEXT: }
  }
}
