// DeltaNet (Schlag et al. 2021, arXiv:2102.11174, eq. 24; Yang et al. 2024, arXiv:2406.06484), keys of unit length:
//   S_t = S_{t-1} + beta_t k_t (v_t - S_{t-1}^T k_t)^T,   o_t = S_t^T q_t
!key = tensor<?x?x2x16xf32>
!value = tensor<?x?x2x32xf32>
!scalar = tensor<?x?x2xf32>
!state = tensor<?x2x16x32xf32>
!k = tensor<16xf32>
!v = tensor<32xf32>
!S = tensor<16x32xf32>

func.func @deltanet(%q: !key, %k: !key, %v: !value, %b: !scalar, %s0: !state) -> (!value, !state) {
  %o, %s = pattern.scan
      tokens(%qt = %q : !key, %kt = %k : !key, %vt = %v : !value, %bt = %b : !scalar)
      states(%S = %s0 : !state)
      -> (!value) {
    %beta = pattern.sigmoid %bt : f32
    %old = pattern.read %S, %kt : !S, !k
    %difference = arith.subf %vt, %old : !v
    %Beta = pattern.broadcast %beta : f32 to !v
    %w = arith.mulf %Beta, %difference : !v
    %write = pattern.outer %kt, %w : !k, !v
    %St = arith.addf %S, %write : !S
    %ot = pattern.read %St, %qt : !S, !k
    pattern.yield outputs(%ot : !v) states(%St : !S)
  }
  return %o, %s : !value, !state
}
