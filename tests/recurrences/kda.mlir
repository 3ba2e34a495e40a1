// Kimi Delta Attention (Kimi Team 2025, arXiv:2510.26692, eq. 1), keys of unit length:
//   S_t = (I - beta_t k_t k_t^T) Diag(alpha_t) S_{t-1} + beta_t k_t v_t^T,   o_t = S_t^T q_t
!key = tensor<?x?x2x32xf32>
!value = tensor<?x?x2x16xf32>
!scalar = tensor<?x?x2xf32>
!state = tensor<?x2x32x16xf32>
!k = tensor<32xf32>
!v = tensor<16xf32>
!S = tensor<32x16xf32>

func.func @kda(%q: !key, %k: !key, %v: !value, %a: !key, %b: !scalar, %s0: !state) -> (!value, !state) {
  %o, %s = pattern.scan
      tokens(%qt = %q : !key, %kt = %k : !key, %vt = %v : !value, %at = %a : !key, %bt = %b : !scalar)
      states(%S = %s0 : !state)
      -> (!value) {
    %step = pattern.softplus %at : !k
    %log = arith.negf %step : !k
    %alpha = math.exp %log : !k
    %beta = pattern.sigmoid %bt : f32
    %Alpha = pattern.broadcast %alpha along 0 : !k to !S
    %decayed = arith.mulf %Alpha, %S : !S
    %u = pattern.read %decayed, %kt : !S, !k
    %Bk = pattern.broadcast %beta : f32 to !k
    %bk = arith.mulf %Bk, %kt : !k
    %erase = pattern.outer %bk, %u : !k, !v
    %erased = arith.subf %decayed, %erase : !S
    %write = pattern.outer %bk, %vt : !k, !v
    %St = arith.addf %erased, %write : !S
    %ot = pattern.read %St, %qt : !S, !k
    pattern.yield outputs(%ot : !v) states(%St : !S)
  }
  return %o, %s : !value, !state
}
