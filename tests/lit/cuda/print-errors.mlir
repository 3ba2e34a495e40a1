// What has no form in CUDA C++ is an error at the op, and nothing is printed.
// RUN: linmu-opt --print-cuda %s --split-input-file --verify-diagnostics -o /dev/null | count 0

tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  // expected-error @below {{requires `threads`: only a kernel that says what a thread does can be printed}}
  tile.kernel @k(%x: tensor<?x64xf32>) {
  }
}

// -----
tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  // expected-error @below {{requires a name of letters, digits and underscores, got 'a.b'}}
  tile.kernel @a.b(%x: tensor<?x64xf32>) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
  }
}

// -----
tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  tile.kernel @k(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    // expected-error @below {{'memref.alloc' op has no form in CUDA C++; lower it before print-cuda}}
    %0 = memref.alloc() : memref<4xf32, #gpu.address_space<workgroup>>
  }
}

// -----
tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  tile.kernel @k(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    // expected-error @below {{of f32, bf16, f16, index or integers of 1, 8, 16, 32 or 64 bits, got 'f64'}}
    %0 = arith.constant 1.0 : f64
  }
}

// -----
tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  tile.kernel @k(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    // expected-error @below {{got 'vector<2x2xf32>'}}
    %0 = arith.constant dense<0.0> : vector<2x2xf32>
  }
}

// -----
tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  tile.kernel @k(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    // expected-error @below {{requires dimension x, the only one that blocks have}}
    %0 = gpu.thread_id y
  }
}

// -----
tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  tile.kernel @k(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    %i1 = arith.constant 1 : i32
    %i16 = arith.constant 16 : i32
    // expected-error @below {{requires a width of 32, all lanes of the warp}}
    %0, %1 = gpu.shuffle xor %i1, %i1, %i16 : i32
  }
}

// -----
tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  tile.kernel @k(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    %i1 = arith.constant 1 : i32
    %i32 = arith.constant 32 : i32
    // expected-error @below {{requires that nothing uses its second result; compare lanes instead}}
    %0, %1 = gpu.shuffle up %i1, %i1, %i32 : i32
    %2 = arith.extui %1 : i1 to i32
  }
}

// -----
tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  tile.kernel @k(%x: tensor<?x64xf32>, %n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    // expected-error @below {{requires a constant axis}}
    %0 = tensor.dim %x, %n : tensor<?x64xf32>
  }
}

// -----
tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  tile.kernel @k(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    %0 = arith.constant 1.0 : f32
    // expected-error @below {{is a constant; canonicalize it before print-cuda}}
    %1 = arith.cmpf true, %0, %0 : f32
  }
}

// -----
tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  tile.kernel @k(%n: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    %0 = arith.constant dense<1.0> : vector<2xbf16>
    // expected-error @below {{requires elements of f32, got 'vector<2xbf16>'; extend them before}}
    %1 = math.exp %0 : vector<2xbf16>
  }
}
