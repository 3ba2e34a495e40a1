// Each op of math is one function of the prelude.
// RUN: linmu-opt --print-cuda=lines=false %s -o /dev/null | FileCheck %s

tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  // CHECK-LABEL: functions(
  tile.kernel @functions(%x: tensor<?x64xf32>) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    %c0 = arith.constant 0 : index
    // CHECK: const Vector<f32, 2> v0 = load<2>(at(a0, 0, 0));
    %v = cuda.load %x[%c0, %c0] : tensor<?x64xf32> -> vector<2xf32>
    // CHECK-NEXT: const f32 v1 = v0[1];
    %s = vector.extract %v[1] : f32 from vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v2 = exp(v0);
    %2 = math.exp %v : vector<2xf32>
    // CHECK-NEXT: const f32 v3 = exp2(v1);
    %3 = math.exp2 %s : f32
    // CHECK-NEXT: const Vector<f32, 2> v4 = expm1(v0);
    %4 = math.expm1 %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v5 = log(v0);
    %5 = math.log %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v6 = log2(v0);
    %6 = math.log2 %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v7 = log10(v0);
    %7 = math.log10 %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v8 = log1p(v0);
    %8 = math.log1p %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v9 = sqrt(v0);
    %9 = math.sqrt %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v10 = rsqrt(v0);
    %10 = math.rsqrt %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v11 = sin(v0);
    %11 = math.sin %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v12 = cos(v0);
    %12 = math.cos %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v13 = tanh(v0);
    %13 = math.tanh %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v14 = erf(v0);
    %14 = math.erf %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v15 = pow(v0, v2);
    %15 = math.powf %v, %2 : vector<2xf32>
    // CHECK-NEXT: const f32 v16 = fma(v1, v3, v1);
    %16 = math.fma %s, %3, %s : f32
    // CHECK-NEXT: const Vector<f32, 2> v17 = fma(v0, v2, v4);
    %17 = math.fma %v, %2, %4 : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v18 = abs(v0);
    %18 = math.absf %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v19 = copysign(v0, v2);
    %19 = math.copysign %v, %2 : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v20 = floor(v0);
    %20 = math.floor %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v21 = ceil(v0);
    %21 = math.ceil %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v22 = trunc(v0);
    %22 = math.trunc %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v23 = round(v0);
    %23 = math.round %v : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 2> v24 = roundeven(v0);
    %24 = math.roundeven %v : vector<2xf32>
  }
}
