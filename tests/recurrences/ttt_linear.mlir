// TTT-Linear (Sun et al. 2024, arXiv:2407.04620, eq. 1, 4 and 5) with a linear inner model and steps of one token:
//   l(W; x) = |W k - v|^2,   W_t = W_{t-1} - eta_t grad l(W_{t-1}; x_t),   z_t = W_t q_t
!token = tensor<?x?x2x16xf32>
!scalar = tensor<?x?x2xf32>
!state = tensor<?x2x16x16xf32>
!d = tensor<16xf32>
!W = tensor<16x16xf32>

func.func @ttt_linear(%q: !token, %k: !token, %v: !token, %eta: !scalar, %w0: !state) -> (!token, !state) {
  %z, %w = pattern.scan
      tokens(%qt = %q : !token, %kt = %k : !token, %vt = %v : !token, %et = %eta : !scalar)
      states(%W = %w0 : !state)
      -> (!token) {
    %Wk = pattern.read_transposed %W, %kt : !W, !d
    %residual = arith.subf %Wk, %vt : !d
    %two = arith.constant dense<2.0> : !d
    %outer_gradient = arith.mulf %two, %residual : !d
    %gradient = pattern.outer %outer_gradient, %kt : !d, !d
    %Eta = pattern.broadcast %et : f32 to !W
    %step = arith.mulf %Eta, %gradient : !W
    %Wt = arith.subf %W, %step : !W
    %zt = pattern.read_transposed %Wt, %qt : !W, !d
    pattern.yield outputs(%zt : !d) states(%Wt : !W)
  }
  return %z, %w : !token, !state
}
