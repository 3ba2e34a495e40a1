// RWKV-7 (Peng et al. 2025, arXiv:2503.14456, eq. 17 to 20), the state as value x key:
//   S_t = S_{t-1} diag(w_t) + (S_{t-1} a_t) b_t^T + v_t k_t^T,   y_t = S_t r_t + (r_t . (rho * k_t)) v_t
//   w_t = exp(-exp(-0.5) sigmoid(d_t)),   a_t = -kappa_t,   b_t = kappa_t * eta_t,   kappa_t of unit length
!token = tensor<?x?x4x16xf32>
!bonus = tensor<4x16xf32>
!state = tensor<?x4x16x16xf32>
!d = tensor<16xf32>
!S = tensor<16x16xf32>

func.func @rwkv7(%r: !token, %d: !token, %k: !token, %v: !token, %kappa: !token, %eta: !token, %rho: !bonus,
                 %s0: !state) -> (!token, !state) {
  %o, %s = pattern.scan
      params(%bonus = %rho : !bonus)
      tokens(%rt = %r : !token, %dt = %d : !token, %kt = %k : !token, %vt = %v : !token, %raw = %kappa : !token,
             %rate = %eta : !token)
      states(%S = %s0 : !state)
      -> (!token) {
    %gate = pattern.sigmoid %dt : !d
    %most = arith.constant dense<-0.60653065971263342> : !d
    %log = arith.mulf %most, %gate : !d
    %w = math.exp %log : !d
    %squares = pattern.dot %raw, %raw : !d
    %length = math.sqrt %squares : f32
    %Length = pattern.broadcast %length : f32 to !d
    %kt_hat = arith.divf %raw, %Length : !d
    %at = arith.negf %kt_hat : !d
    %eta_t = pattern.sigmoid %rate : !d
    %bt = arith.mulf %kt_hat, %eta_t : !d

    %W = pattern.broadcast %w along 1 : !d to !S
    %decayed = arith.mulf %S, %W : !S
    %Sa = pattern.read_transposed %S, %at : !S, !d
    %Sab = pattern.outer %Sa, %bt : !d, !d
    %vk = pattern.outer %vt, %kt : !d, !d
    %moved = arith.addf %decayed, %Sab : !S
    %St = arith.addf %moved, %vk : !S
    %y = pattern.read_transposed %St, %rt : !S, !d
    %weighted = arith.mulf %bonus, %kt : !d
    %match = pattern.dot %rt, %weighted : !d
    %Match = pattern.broadcast %match : f32 to !d
    %through = arith.mulf %Match, %vt : !d
    %out = arith.addf %y, %through : !d
    pattern.yield outputs(%out : !d) states(%St : !S)
  }
  return %o, %s : !token, !state
}
