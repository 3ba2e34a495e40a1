// S_t = sigmoid(g_t) S_{t-1} + k_t (x) v_t, o_t = S_t^T q_t, for recall.c.
!rows = tensor<?x?x2x8xf32>
!state = tensor<?x2x8x8xf32>
func.func @recall(%q: !rows, %k: !rows, %v: !rows, %g: tensor<?x?x2xf32>, %before: !state) -> (!rows, !state) {
  %o, %after = pattern.scan tokens(%qt = %q : !rows, %kt = %k : !rows, %vt = %v : !rows, %gt = %g : tensor<?x?x2xf32>)
      states(%S = %before : !state) -> (!rows) {
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to tensor<8x8xf32>
    %D = arith.mulf %A, %S : tensor<8x8xf32>
    %W = pattern.outer %kt, %vt : tensor<8xf32>, tensor<8xf32>
    %S1 = arith.addf %D, %W : tensor<8x8xf32>
    %y = pattern.read %S1, %qt : tensor<8x8xf32>, tensor<8xf32>
    pattern.yield outputs(%y : tensor<8xf32>) states(%S1 : tensor<8x8xf32>)
  }
  return %o, %after : !rows, !state
}
