// HGRN2 (Qin et al. 2024, arXiv:2404.07904, eq. 5 and 6), forget gates bounded from below by gamma of the layer:
//   f_t = gamma + (1 - gamma) * sigmoid(z_t),   S_t = Diag(f_t) S_{t-1} + (1 - f_t) i_t^T,   o_t = S_t^T g_t
!key = tensor<?x?x2x32xf32>
!value = tensor<?x?x2x16xf32>
!bound = tensor<2x32xf32>
!state = tensor<?x2x32x16xf32>
!k = tensor<32xf32>
!v = tensor<16xf32>
!S = tensor<32x16xf32>

func.func @hgrn2(%g: !key, %z: !key, %i: !value, %gamma: !bound, %s0: !state) -> (!value, !state) {
  %o, %s = pattern.scan
      params(%low = %gamma : !bound)
      tokens(%gt = %g : !key, %zt = %z : !key, %it = %i : !value)
      states(%S = %s0 : !state)
      -> (!value) {
    %one = arith.constant dense<1.0> : !k
    %sigmoid = pattern.sigmoid %zt : !k
    %rest = arith.subf %one, %low : !k
    %above = arith.mulf %rest, %sigmoid : !k
    %sum = arith.addf %low, %above : !k
    %f = pattern.assume %sum in [0.0, 1.0] : !k
    %F = pattern.broadcast %f along 0 : !k to !S
    %kept = arith.mulf %F, %S : !S
    %input = arith.subf %one, %f : !k
    %write = pattern.outer %input, %it : !k, !v
    %St = arith.addf %kept, %write : !S
    %ot = pattern.read %St, %gt : !S, !k
    pattern.yield outputs(%ot : !v) states(%St : !S)
  }
  return %o, %s : !value, !state
}
