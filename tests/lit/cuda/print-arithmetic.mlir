// Each op of arith is one function of the prelude, on scalars and on vectors.
// RUN: linmu-opt --print-cuda=lines=false %s -o /dev/null | FileCheck %s

tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  // CHECK-LABEL: constants(
  tile.kernel @constants(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    %c7 = arith.constant -7 : i32
    %least = arith.constant -2147483648 : i32
    %wide = arith.constant 5 : i64
    %small = arith.constant -3 : i8
    %yes = arith.constant true
    %third = arith.constant 0.333333343 : f32
    %large = arith.constant 1.0e+30 : f32
    %infinity = arith.constant 0x7F800000 : f32
    %one = arith.constant 1.0 : bf16
    %half = arith.constant 0.5 : f16
    // CHECK: const Vector<i32, 2> v0 = {{[{]}}{-7, (-2147483647 - 1)}};
    %0 = vector.from_elements %c7, %least : vector<2xi32>
    // CHECK-NEXT: const Vector<i64, 1> v1 = splat<1>(5ll);
    %1 = vector.broadcast %wide : i64 to vector<1xi64>
    // CHECK-NEXT: const Vector<i8, 1> v2 = splat<1>(i8(-3));
    %2 = vector.broadcast %small : i8 to vector<1xi8>
    // CHECK-NEXT: const Vector<bool, 1> v3 = splat<1>(true);
    %3 = vector.broadcast %yes : i1 to vector<1xi1>
    // CHECK-NEXT: const Vector<f32, 4> v4 = {{[{]}}{0.33333334f, 1e+30f, same_bits<f32>(0x7f800000u), 0.33333334f}};
    %4 = vector.from_elements %third, %large, %infinity, %third : vector<4xf32>
    // CHECK-NEXT: const Vector<bf16, 2> v5 = splat<2>(bf16{0x3f80});
    %5 = vector.broadcast %one : bf16 to vector<2xbf16>
    // CHECK-NEXT: const Vector<f16, 2> v6 = splat<2>(f16{0x3800});
    %6 = vector.broadcast %half : f16 to vector<2xf16>
    // CHECK-NEXT: const Vector<f32, 8> v7 = splat<8>(-0.0f);
    %7 = arith.constant dense<-0.0> : vector<8xf32>
    // CHECK-NEXT: const Vector<i32, 2> v8 = {{[{]}}{1, 2}};
    %8 = arith.constant dense<[1, 2]> : vector<2xi32>
    // CHECK-NEXT: const Vector<bool, 2> v9 = {{[{]}}{true, false}};
    %9 = arith.constant dense<[true, false]> : vector<2xi1>
  }

  // CHECK-LABEL: integers(
  // CHECK-NEXT: const i32 a0
  tile.kernel @integers(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    // CHECK-NEXT: const i32 v0 = convert_signed<i32>(a0);
    %i = arith.index_cast %n : index to i32
    // CHECK-NEXT: const i64 v1 = convert_unsigned<i64>(a0);
    %w = arith.index_castui %n : index to i64
    // CHECK-NEXT: const Vector<i32, 4> v2 = splat<4>(v0);
    %v = vector.broadcast %i : i32 to vector<4xi32>
    // CHECK-NEXT: const i32 v3 = add(v0, v0);
    %0 = arith.addi %i, %i : i32
    // CHECK-NEXT: const Vector<i32, 4> v4 = subtract(v2, v2);
    %1 = arith.subi %v, %v : vector<4xi32>
    // CHECK-NEXT: const i64 v5 = multiply(v1, v1);
    %2 = arith.muli %w, %w : i64
    // CHECK-NEXT: const Vector<i32, 4> v6 = divide(v2, v2);
    %3 = arith.divsi %v, %v : vector<4xi32>
    // CHECK-NEXT: const i32 v7 = divide_unsigned(a0, 3);
    %c3 = arith.constant 3 : index
    %4 = arith.divui %n, %c3 : index
    // CHECK-NEXT: const Vector<i32, 4> v8 = remainder(v2, v2);
    %5 = arith.remsi %v, %v : vector<4xi32>
    // CHECK-NEXT: const i32 v9 = remainder_unsigned(a0, 3);
    %6 = arith.remui %n, %c3 : index
    // CHECK-NEXT: const i32 v10 = ceil_divide(a0, 3);
    %7 = arith.ceildivsi %n, %c3 : index
    // CHECK-NEXT: const i32 v11 = ceil_divide_unsigned(a0, 3);
    %8 = arith.ceildivui %n, %c3 : index
    // CHECK-NEXT: const i32 v12 = floor_divide(a0, 3);
    %9 = arith.floordivsi %n, %c3 : index
    // CHECK-NEXT: const Vector<i32, 4> v13 = bit_and(v2, v2);
    %10 = arith.andi %v, %v : vector<4xi32>
    // CHECK-NEXT: const Vector<i32, 4> v14 = bit_or(v2, v2);
    %11 = arith.ori %v, %v : vector<4xi32>
    // CHECK-NEXT: const Vector<i32, 4> v15 = bit_xor(v2, v2);
    %12 = arith.xori %v, %v : vector<4xi32>
    // CHECK-NEXT: const i32 v16 = shift_left(v0, v0);
    %13 = arith.shli %i, %i : i32
    // CHECK-NEXT: const i32 v17 = shift_right(v0, v0);
    %14 = arith.shrsi %i, %i : i32
    // CHECK-NEXT: const i32 v18 = shift_right_unsigned(v0, v0);
    %15 = arith.shrui %i, %i : i32
    // CHECK-NEXT: const Vector<i32, 4> v19 = minimum(v2, v2);
    %16 = arith.minsi %v, %v : vector<4xi32>
    // CHECK-NEXT: const Vector<i32, 4> v20 = maximum(v2, v2);
    %17 = arith.maxsi %v, %v : vector<4xi32>
    // CHECK-NEXT: const i32 v21 = minimum_unsigned(a0, 3);
    %18 = arith.minui %n, %c3 : index
    // CHECK-NEXT: const i32 v22 = maximum_unsigned(a0, 3);
    %19 = arith.maxui %n, %c3 : index
    // CHECK-NEXT: const Vector<bool, 4> v23 = compare_slt(v2, v2);
    %20 = arith.cmpi slt, %v, %v : vector<4xi32>
    // CHECK-NEXT: const bool v24 = compare_ult(a0, 3);
    %21 = arith.cmpi ult, %n, %c3 : index
    // CHECK-NEXT: const Vector<i32, 4> v25 = select(v23, v2, v4);
    %22 = arith.select %20, %v, %1 : vector<4xi1>, vector<4xi32>
    // CHECK-NEXT: const Vector<i32, 4> v26 = select(v24, v2, v4);
    %23 = arith.select %21, %v, %1 : vector<4xi32>
    // CHECK-NEXT: const Vector<bool, 4> v27 = add(v23, v23);
    %24 = arith.addi %20, %20 : vector<4xi1>
    // CHECK-NEXT: const Vector<i32, 4> v28 = abs(v2);
    %25 = math.absi %v : vector<4xi32>
    // CHECK-NEXT: const Vector<i32, 4> v29 = convert_unsigned<i32>(v23);
    %26 = arith.extui %20 : vector<4xi1> to vector<4xi32>
    // CHECK-NEXT: const Vector<i64, 4> v30 = convert_signed<i64>(v2);
    %27 = arith.extsi %v : vector<4xi32> to vector<4xi64>
    // CHECK-NEXT: const Vector<i8, 4> v31 = convert_signed<i8>(v2);
    %28 = arith.trunci %v : vector<4xi32> to vector<4xi8>
  }

  // CHECK-LABEL: floats(
  tile.kernel @floats(%x: tensor<?x64xf32>) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    %c0 = arith.constant 0 : index
    // CHECK: const Vector<f32, 4> v0 = load<4>(at(a0, 0, 0));
    %v = cuda.load %x[%c0, %c0] : tensor<?x64xf32> -> vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v1 = add(v0, v0);
    %1 = arith.addf %v, %v : vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v2 = subtract(v0, v0);
    %2 = arith.subf %v, %v : vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v3 = multiply(v0, v0);
    %3 = arith.mulf %v, %v : vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v4 = divide(v0, v0);
    %4 = arith.divf %v, %v : vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v5 = remainder(v0, v0);
    %5 = arith.remf %v, %v : vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v6 = negate(v0);
    %6 = arith.negf %v : vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v7 = minimum(v0, v0);
    %7 = arith.minimumf %v, %v : vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v8 = maximum(v0, v0);
    %8 = arith.maximumf %v, %v : vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v9 = smaller_number(v0, v0);
    %9 = arith.minnumf %v, %v : vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v10 = larger_number(v0, v0);
    %10 = arith.maxnumf %v, %v : vector<4xf32>
    // CHECK-NEXT: const Vector<bool, 4> v11 = compare_oeq(v0, v0);
    %11 = arith.cmpf oeq, %v, %v : vector<4xf32>
    // Unordered, where `compare_ult` of integers is unsigned.
    // CHECK-NEXT: const Vector<bool, 4> v12 = compare_ult_or_nan(v0, v0);
    %12 = arith.cmpf ult, %v, %v : vector<4xf32>
    // CHECK-NEXT: const Vector<bf16, 4> v13 = round_to<bf16>(v0);
    %13 = arith.truncf %v : vector<4xf32> to vector<4xbf16>
    // CHECK-NEXT: const Vector<f16, 4> v14 = round_to<f16>(v0);
    %14 = arith.truncf %v : vector<4xf32> to vector<4xf16>
    // CHECK-NEXT: const Vector<f32, 4> v15 = round_to<f32>(v13);
    %15 = arith.extf %13 : vector<4xbf16> to vector<4xf32>
    // CHECK-NEXT: const Vector<bf16, 4> v16 = multiply(v13, v13);
    %16 = arith.mulf %13, %13 : vector<4xbf16>
    // CHECK-NEXT: const Vector<i32, 4> v17 = to_signed<i32>(v0);
    %17 = arith.fptosi %v : vector<4xf32> to vector<4xi32>
    // CHECK-NEXT: const Vector<i32, 4> v18 = to_unsigned<i32>(v0);
    %18 = arith.fptoui %v : vector<4xf32> to vector<4xi32>
    // CHECK-NEXT: const Vector<f32, 4> v19 = from_signed<f32>(v17);
    %19 = arith.sitofp %17 : vector<4xi32> to vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v20 = from_unsigned<f32>(v11);
    %20 = arith.uitofp %11 : vector<4xi1> to vector<4xf32>
    // CHECK-NEXT: const Vector<i32, 4> v21 = same_bits<Vector<i32, 4>>(v0);
    %21 = arith.bitcast %v : vector<4xf32> to vector<4xi32>
    // CHECK-NEXT: const Vector<f32, 4> v22 = select(v11, v0, v1);
    %22 = arith.select %11, %v, %1 : vector<4xi1>, vector<4xf32>
  }
}
