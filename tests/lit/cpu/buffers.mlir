// Lowering reads the layouts that stand in the attributes, and decides none: a tile with buffers is written to each of
// them where it is defined, one without is computed again at each use.
// RUN: linmu-opt %s --lower-tile-to-cpu=cpu=x86-64-v3 --canonicalize --cse | FileCheck %s

!t = tensor<?x?x2x32xf32>
!m = tensor<16x32xf32>
!r = !tile.range<16>
tile.program @p inputs(%a: !t) results(%o: !t) {
  %one = arith.constant 1 : index

  // CHECK-LABEL: func.func @all_layouts
  // CHECK: memref.view {{.*}} to memref<16x32xf32>
  // CHECK: memref.view {{.*}} to memref<2x16x16xf32>
  // CHECK: memref.view {{.*}} to memref<1x32x16xf32>
  // CHECK: vector.store {{.*}} : memref<16x32xf32>
  // CHECK: vector.store {{.*}} : memref<2x16x16xf32>
  // CHECK: vector.shuffle
  // CHECK: vector.store {{.*}} : memref<1x32x16xf32>, vector<8xf32>
  tile.kernel @all_layouts(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    %t = tile.load %x[%c0, %r, %c0] {cpu.buffers = [["rows", "panels", "transposed-panels"]]} : !t, [index, !r, index] -> !m
    tile.store %t, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
  }

  // CHECK-LABEL: func.func @recomputed
  // CHECK-NOT: memref.view
  // CHECK: math.exp
  // CHECK: math.exp
  // CHECK: return
  tile.kernel @recomputed(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %r = tile.range %c0 -> !r
    %t = tile.load %x[%c0, %r, %c0] {cpu.buffers = [[]]} : !t, [index, !r, index] -> !m
    %e = math.exp %t {cpu.buffers = [[]]} : !m
    tile.store %e, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
    tile.store %e, %y[%c0, %r, %c1] : !m, !t, [index, !r, index]
  }

  // CHECK-LABEL: func.func @materialised
  // CHECK: %[[BUFFER:.*]] = memref.view {{.*}} to memref<2x16x16xf32>
  // CHECK: math.exp
  // CHECK: vector.store %{{.*}}, %[[BUFFER]]
  // CHECK-NOT: math.exp
  // CHECK: vector.load %[[BUFFER]]
  // CHECK: return
  tile.kernel @materialised(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %r = tile.range %c0 -> !r
    %t = tile.load %x[%c0, %r, %c0] {cpu.buffers = [[]]} : !t, [index, !r, index] -> !m
    %e = math.exp %t {cpu.buffers = [["panels"]]} : !m
    tile.store %e, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
    tile.store %e, %y[%c0, %r, %c1] : !m, !t, [index, !r, index]
  }

  // The next value is computed over the old one, or into a buffer of its own that is copied.
  // CHECK-LABEL: func.func @in_place
  // CHECK-COUNT-1: memref.view
  // CHECK-NOT: memref.view
  // CHECK-LABEL: func.func @staged
  // CHECK-COUNT-2: memref.view
  // CHECK-NOT: memref.view
  // CHECK-LABEL: func.func @branch
  tile.kernel @in_place(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %r = tile.range %c0 -> !r
    %two = arith.constant {cpu.buffers = [[]]} dense<2.0> : !m
    %s = scf.for %at = %c0 to %c2 step %c1 iter_args(%state = %two) -> (!m) {
      %next = arith.mulf %state, %two {cpu.buffers = [[]]} : !m
      scf.yield %next : !m
    } {cpu.buffers = [["rows"]], cpu.carried = [["rows"]], cpu.next = ["in-place"]}
    tile.store %s, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
  }
  tile.kernel @staged(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %r = tile.range %c0 -> !r
    %two = arith.constant {cpu.buffers = [[]]} dense<2.0> : !m
    %s = scf.for %at = %c0 to %c2 step %c1 iter_args(%state = %two) -> (!m) {
      %next = arith.mulf %state, %two {cpu.buffers = [[]]} : !m
      scf.yield %next : !m
    } {cpu.buffers = [["rows"]], cpu.carried = [["rows"]], cpu.next = ["staged"]}
    tile.store %s, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
  }

  // Both branches write the buffer that stands before them; what is added to it is added behind them.
  // CHECK: %[[ROWS:.*]] = memref.view {{.*}} to memref<16x32xf32>
  // CHECK: %[[PANELS:.*]] = memref.view {{.*}} to memref<2x16x16xf32>
  // CHECK: scf.if
  // CHECK: vector.store %{{.*}}, %[[ROWS]]
  // CHECK: } else {
  // CHECK: vector.store %{{.*}}, %[[ROWS]]
  // CHECK: vector.load %[[ROWS]]
  // CHECK: vector.store %{{.*}}, %[[PANELS]]
  // CHECK: vector.load %[[ROWS]]
  // CHECK: vector.store
  tile.kernel @branch(%x: !t, %y: !t, %n: index) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    %zero = arith.constant {cpu.buffers = [[]]} dense<0.0> : !m
    %some = arith.cmpi ne, %n, %c0 : index
    %t = tile.load %x[%c0, %r, %c0] {cpu.buffers = [[]]} : !t, [index, !r, index] -> !m
    %b = scf.if %some -> !m {
      %e = math.exp %t {cpu.buffers = [[]]} : !m
      scf.yield %e : !m
    } else {
      scf.yield %zero : !m
    } {cpu.buffers = [["rows", "panels"]]}
    tile.store %b, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
  }
  tile.variant as "all" {
    tile.launch @all_layouts grid(%one)(%a, %o : !t, !t)
    tile.launch @recomputed grid(%one)(%a, %o : !t, !t)
    tile.launch @materialised grid(%one)(%a, %o : !t, !t)
    tile.launch @in_place grid(%one)(%a, %o : !t, !t)
    tile.launch @staged grid(%one)(%a, %o : !t, !t)
    tile.launch @branch grid(%one)(%a, %o, %one : !t, !t, index)
  }
}
