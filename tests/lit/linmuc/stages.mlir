// What linmuc shows of a pattern, stage by stage.
// RUN: linmuc %s --emit=pattern | FileCheck %s --check-prefix=PATTERN
// RUN: linmuc %s --emit=normal | FileCheck %s --check-prefix=NORMAL
// RUN: linmuc %s --emit=tile --function=recall | FileCheck %s --check-prefix=TILE
// RUN: linmuc %s --emit=llvm --function=recall | FileCheck %s --check-prefix=LLVM
// RUN: linmuc %s --emit=asm --function=recall | FileCheck %s --check-prefix=ASM
// RUN: linmuc %s --explain | FileCheck %s --check-prefix=EXPLAIN
// RUN: linmuc %s --explain=json | FileCheck %s --check-prefix=JSON
// RUN: linmuc %s --explain=json --function=scale | FileCheck %s --check-prefix=ONE
// RUN: linmuc %s --explain --function=recall --schedule=algorithm=recurrent | FileCheck %s --check-prefix=RECURRENT
// RUN: linmuc %s --emit=pattern --function=recall --define='rows=tensor<?x?x2x16xbf16>' | FileCheck %s --check-prefix=ALIASES
// RUN: linmuc --help | FileCheck %s --check-prefix=HELP

!rows = tensor<?x?x2x16xf32>
!state = tensor<?x2x16x16xf32>

// PATTERN: func.func @recall
// PATTERN: pattern.scan
// PATTERN: func.func @scale
// NORMAL: pattern.normal_scan
// NORMAL: pattern.form
// TILE: tile.program @recall
// TILE: tile.kernel
// LLVM: target triple
// LLVM: define {{.*}}(ptr
// ASM: .text
// EXPLAIN: pattern @recall
// EXPLAIN-NEXT: scan at {{.*}}stages.mlir:[[#@LINE+17]]:12, forward -> chunked
// EXPLAIN-NEXT: state #0 (16x16): decay scalar
// EXPLAIN-NEXT: runs
// EXPLAIN-NEXT: tokens < 16 -> recurrent by recurrent[2, batch]
// EXPLAIN: otherwise -> chunked(chunk=16) by chunked[2, batch]
// EXPLAIN: pattern @scale
// EXPLAIN: tokens < 16 -> map by map_tokens[2, ceil(tokens / 32), batch]
// EXPLAIN-NEXT: otherwise -> map(block=32) by map[2, ceil(tokens / 32), batch]
// JSON: "pattern": "recall"
// JSON: "pattern": "scale"
// ONE-NOT: recall
// ONE: "pattern": "scale"
// RECURRENT: forward -> recurrent
// RECURRENT: {{^}}    the schedule says so{{$}}
// ALIASES: tensor<?x?x2x16xbf16>
// HELP: usage: linmuc FILE [options]
func.func @recall(%q: !rows, %k: !rows, %v: !rows, %g: tensor<?x?x2xf32>, %s0: !state) -> (!rows, !state) {
  %o, %s = pattern.scan tokens(%qt = %q : !rows, %kt = %k : !rows, %vt = %v : !rows, %gt = %g : tensor<?x?x2xf32>)
      states(%S = %s0 : !state) -> (!rows) {
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to tensor<16x16xf32>
    %D = arith.mulf %A, %S : tensor<16x16xf32>
    %W = pattern.outer %kt, %vt : tensor<16xf32>, tensor<16xf32>
    %S1 = arith.addf %D, %W : tensor<16x16xf32>
    %y = pattern.read %S1, %qt : tensor<16x16xf32>, tensor<16xf32>
    pattern.yield outputs(%y : tensor<16xf32>) states(%S1 : tensor<16x16xf32>)
  }
  return %o, %s : !rows, !state
}

func.func @scale(%x: !rows) -> !rows {
  %y = pattern.map tokens(%xt = %x : !rows) -> (!rows) {
    %z = arith.addf %xt, %xt : tensor<16xf32>
    pattern.yield outputs(%z : tensor<16xf32>)
  }
  return %y : !rows
}
