// Functions become arithmetic, whatever their shape; the result of an exponential whose argument is bounded needs no
// guard for infinity. Integer division gets the results of docs/patterns.md where machines trap.
// RUN: linmu-opt %s --expand-math | FileCheck %s

// CHECK-LABEL: func.func @functions
// CHECK-NOT: {{math\.(exp|log|tanh|sin|powf|rsqrt)}}
// CHECK: return
func.func @functions(%x: f32, %v: vector<16xf32>) -> (f32, vector<16xf32>) {
  %a = math.exp %x : f32
  %b = math.log %a : f32
  %c = math.tanh %b : f32
  %d = math.powf %c, %x : f32
  %e = math.sin %v : vector<16xf32>
  %f = math.rsqrt %e : vector<16xf32>
  return %d, %f : f32, vector<16xf32>
}

// CHECK-LABEL: func.func @division
// CHECK: arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK: arith.divsi
// CHECK: arith.select
func.func @division(%a: i32, %b: i32) -> i32 {
  %c = arith.divsi %a, %b : i32
  return %c : i32
}

// CHECK-LABEL: func.func @square
// CHECK-NEXT: arith.mulf %arg0, %arg0 : f32
// CHECK-NEXT: return
func.func @square(%x: f32) -> f32 {
  %two = arith.constant 2.0 : f32
  %y = math.powf %x, %two : f32
  return %y : f32
}

// Rounding to bf16 is on integers: nothing is left for a library to do.
// CHECK-LABEL: func.func @rounded
// CHECK-NOT: arith.truncf
// CHECK: arith.shrui
// CHECK: return
func.func @rounded(%x: vector<16xf32>) -> vector<16xbf16> {
  %y = arith.truncf %x : vector<16xf32> to vector<16xbf16>
  return %y : vector<16xbf16>
}
