// Comba (Hu et al. 2025, arXiv:2506.02475, eq. 8), the closed loop with output correction, keys of unit length:
//   S_t = S_{t-1} (alpha_t - beta~_t k_t k_t^T) + beta_t v_t k_t^T,   o_t = S_t (q_t - d k_t),   beta~ = b * beta
!key = tensor<?x?x2x16xf32>
!value = tensor<?x?x2x32xf32>
!scalar = tensor<?x?x2xf32>
!head = tensor<2xf32>
!state = tensor<?x2x32x16xf32>
!k = tensor<16xf32>
!v = tensor<32xf32>
!S = tensor<32x16xf32>

func.func @comba(%q: !key, %k: !key, %v: !value, %a: !scalar, %b: !scalar, %share: !head, %correction: !head,
                 %s0: !state) -> (!value, !state) {
  %o, %s = pattern.scan
      params(%sh = %share : !head, %d = %correction : !head)
      tokens(%qt = %q : !key, %kt = %k : !key, %vt = %v : !value, %at = %a : !scalar, %bt = %b : !scalar)
      states(%S = %s0 : !state)
      -> (!value) {
    %step = pattern.softplus %at : f32
    %log = arith.negf %step : f32
    %alpha = math.exp %log : f32
    %beta = pattern.sigmoid %bt : f32
    %part = pattern.sigmoid %sh : f32
    %smaller = arith.mulf %part, %beta : f32
    %Alpha = pattern.broadcast %alpha : f32 to !S
    %kept = arith.mulf %Alpha, %S : !S
    // The state before its decay is read.
    %Sk = pattern.read_transposed %S, %kt : !S, !k
    %Smaller = pattern.broadcast %smaller : f32 to !v
    %taken = arith.mulf %Smaller, %Sk : !v
    %Beta = pattern.broadcast %beta : f32 to !v
    %given = arith.mulf %Beta, %vt : !v
    %difference = arith.subf %given, %taken : !v
    %write = pattern.outer %difference, %kt : !v, !k
    %St = arith.addf %kept, %write : !S
    %Dk = pattern.broadcast %d : f32 to !k
    %dk = arith.mulf %Dk, %kt : !k
    %corrected = arith.subf %qt, %dk : !k
    %ot = pattern.read_transposed %St, %corrected : !S, !k
    pattern.yield outputs(%ot : !v) states(%St : !S)
  }
  return %o, %s : !value, !state
}
