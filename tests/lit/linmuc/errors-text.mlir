// Complaints of linmuc about the text of patterns: one message at its line and column, exit status 1.
// RUN: split-file %s %t
// RUN: not linmuc %t/syntax.mlir --explain 2>&1 | FileCheck %t/syntax.mlir
// RUN: not linmuc %t/verifier.mlir --explain 2>&1 | FileCheck %t/verifier.mlir
// RUN: not linmuc %t/several.mlir --package %t/x.lmk 2>&1 | FileCheck %t/several.mlir
// RUN: not linmuc %t/several.mlir --explain --function=third 2>&1 | FileCheck %t/several.mlir --check-prefix=THIRD
// RUN: not linmuc %t/several.mlir --explain --define=rows=f32 2>&1 | FileCheck %t/several.mlir --check-prefix=ALIAS
// RUN: not linmuc %t/several.mlir --explain --schedule=chunk=7 --function=first 2>&1 | FileCheck %t/several.mlir --check-prefix=CHUNK
// RUN: not linmuc %t/several.mlir --explain --define=vector=tensor --function=first 2>&1 | FileCheck %t/several.mlir --check-prefix=TYPE
// RUN: not linmuc %t/several.mlir --explain --define=vector=f32 '--define=!vector=f32' 2>&1 | FileCheck %t/several.mlir --check-prefix=TWICE
// RUN: linmuc %t/several.mlir --explain '--define=!vector=tensor<?x?x3xf32>' --function=first | FileCheck %t/several.mlir --check-prefix=SIGIL
// RUN: not linmuc %t/foreign.mlir --explain 2>&1 | FileCheck %t/foreign.mlir
// RUN: not linmuc %t/empty.mlir --explain 2>&1 | FileCheck %t/empty.mlir
// RUN: not linmuc %t/body.mlir --explain 2>&1 | FileCheck %t/body.mlir
// RUN: not linmuc %t/results.mlir --explain 2>&1 | FileCheck %t/results.mlir
// RUN: not linmuc %t/returned.mlir --explain 2>&1 | FileCheck %t/returned.mlir
// RUN: not linmuc %t/unused.mlir --explain 2>&1 | FileCheck %t/unused.mlir
// RUN: not linmuc %t/scalar.mlir --explain 2>&1 | FileCheck %t/scalar.mlir
// RUN: not linmuc %t/element.mlir --explain 2>&1 | FileCheck %t/element.mlir
// RUN: not linmuc %t/blocks.mlir --explain 2>&1 | FileCheck %t/blocks.mlir
// RUN: not linmuc %t/top.mlir --explain 2>&1 | FileCheck %t/top.mlir

//--- syntax.mlir
// CHECK: {{^}}{{.*}}syntax.mlir:4:30: error: custom op 'pattern.map' requires '=' and an operand after the step's argument '%a', as in tokens(%qt = %q : tensor<?x?x8x64xf32>){{$}}
// CHECK-NOT: {{.}}
func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

//--- verifier.mlir
// CHECK: {{^}}{{.*}}verifier.mlir:5:10: error: 'pattern.read' op requires key to have as many elements as axis 0 of state: expected 4, got 3{{$}}
// CHECK-NOT: {{.}}
func.func @f(%x: tensor<?x?x2x3xf32>) -> (tensor<?x2x4x3xf32>) {
  %s = pattern.scan tokens(%k = %x : tensor<?x?x2x3xf32>) states(%S = zero : tensor<?x2x4x3xf32>) {
    %y = pattern.read %S, %k : tensor<4x3xf32>, tensor<3xf32>
    pattern.yield states(%S : tensor<4x3xf32>)
  }
  return %s : tensor<?x2x4x3xf32>
}

//--- several.mlir
// CHECK: {{^}}{{.*}}several.mlir:1:1: error: the text defines several patterns, name one of: first, second{{$}}
// THIRD: {{^}}{{.*}}several.mlir:1:1: error: the text defines no pattern 'third'; it defines: first, second{{$}}
// ALIAS: {{^}}{{.*}}several.mlir:1:1: error: the text defines no alias '!rows' on a line of its own, which 'f32' was to replace; it defines: !vector{{$}}
// CHUNK: {{^}}{{.*}}several.mlir:1:1: error: schedule: requires chunk to be a multiple of 8 from 8 to 256, got '7'{{$}}
// TYPE: {{^}}{{.*}}several.mlir:9:17: error: expected '<' in tensor type{{$}}
// TYPE-NEXT: several.mlir:9:17: note: alias '!vector' is given as 'tensor'{{$}}
// SIGIL: pattern @first
// TWICE: {{^}}{{.*}}several.mlir:1:1: error: requires one definition for alias '!vector', got 'vector' and '!vector'{{$}}
!vector = tensor<?x?x2xf32>
func.func @first(%x: !vector) -> !vector {
  %y = pattern.map tokens(%a = %x : !vector) -> (!vector) {
    pattern.yield outputs(%a : f32)
  }
  return %y : !vector
}
func.func @second(%x: !vector) -> !vector {
  %y = pattern.map tokens(%a = %x : !vector) -> (!vector) {
    pattern.yield outputs(%a : f32)
  }
  return %y : !vector
}

//--- foreign.mlir
// CHECK: {{^}}{{.*}}foreign.mlir:3:8: error: requires a pattern to consist of pattern.scan, map, permute, token_order, reduce, inner_product, scan_adjoint, window_attention and window_adjoint, and to end in func.return; got 'arith.addf'{{$}}
func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = arith.addf %x, %x : tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}

//--- empty.mlir
// CHECK: {{^}}{{.*}}empty.mlir:1:1: error: the text defines no pattern; requires a 'func.func'{{$}}

//--- body.mlir
// CHECK: {{^}}{{.*}}body.mlir:2:1: error: a pattern requires a body{{$}}
func.func private @f(tensor<?x?x2xf32>) -> tensor<?x?x2xf32>

//--- results.mlir
// CHECK: {{^}}{{.*}}results.mlir:2:1: error: a pattern requires a result{{$}}
func.func @f(%x: tensor<?x?x2xf32>) {
  return
}

//--- returned.mlir
// CHECK: {{^}}{{.*}}returned.mlir:2:1: error: requires results made by pattern ops; operand 'x' is returned as it is{{$}}
func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  return %x : tensor<?x?x2xf32>
}

//--- unused.mlir
// CHECK: {{^}}{{.*}}unused.mlir:2:37: error: requires operand 'u', which nothing uses, to have a static axis 2, got 'tensor<?x?x?xf32>'{{$}}
func.func @f(%x: tensor<?x?x2xf32>, %u: tensor<?x?x?xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

//--- scalar.mlir
// CHECK: {{^}}{{.*}}scalar.mlir:2:37: error: requires operand 'u' to be a ranked tensor, got 'f32'{{$}}
func.func @f(%x: tensor<?x?x2xf32>, %u: f32) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

//--- element.mlir
// CHECK: {{^}}{{.*}}element.mlir:2:37: error: requires operand 'u' to have elements of type f32, bf16, f16, i32 or i1, got 'tensor<?x?x2xf64>'{{$}}
func.func @f(%x: tensor<?x?x2xf32>, %u: tensor<?x?x2xf64>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

//--- blocks.mlir
// CHECK: {{^}}{{.*}}blocks.mlir:2:1: error: a pattern requires one block{{$}}
func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
^second:
  return %y : tensor<?x?x2xf32>
}

//--- top.mlir
// CHECK: {{^}}{{.*}}top.mlir:2:6: error: requires 'func.func' at the top of a file, got 'arith.constant'{{$}}
%c = arith.constant 1.0 : f32
func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}
