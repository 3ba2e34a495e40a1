// Titans, a linear memory with momentum and forgetting (Behrouz et al. 2025, arXiv:2501.00663, eq. 8 to 14):
//   S_t = eta_t S_{t-1} - theta_t grad |M_{t-1} k_t - v_t|^2,   M_t = (1 - alpha_t) M_{t-1} + S_t,   y_t = M_t q_t
// Surprise and memory depend on each other, and are computed together.
!token = tensor<?x?x2x16xf32>
!scalar = tensor<?x?x2xf32>
!state = tensor<?x2x16x16xf32>
!d = tensor<16xf32>
!M = tensor<16x16xf32>

func.func @titans(%q: !token, %k: !token, %v: !token, %alpha: !scalar, %eta: !scalar, %theta: !scalar, %m0: !state,
                  %s0: !state) -> (!token, !state, !state) {
  %y, %m, %s = pattern.scan
      tokens(%qt = %q : !token, %kt = %k : !token, %vt = %v : !token, %at = %alpha : !scalar, %et = %eta : !scalar,
             %tt = %theta : !scalar)
      states(%M = %m0 : !state, %S = %s0 : !state)
      -> (!token) {
    %momentum = pattern.sigmoid %et : f32
    %rate = pattern.sigmoid %tt : f32
    %minus = arith.negf %at : f32
    %keep = pattern.sigmoid %minus : f32
    %Mk = pattern.read_transposed %M, %kt : !M, !d
    %error = arith.subf %Mk, %vt : !d
    %two = arith.constant 2.0 : f32
    %scale = arith.mulf %two, %rate : f32
    %Scale = pattern.broadcast %scale : f32 to !d
    %scaled = arith.mulf %Scale, %error : !d
    %gradient = pattern.outer %scaled, %kt : !d, !d
    %Momentum = pattern.broadcast %momentum : f32 to !M
    %past = arith.mulf %Momentum, %S : !M
    %St = arith.subf %past, %gradient : !M
    %Keep = pattern.broadcast %keep : f32 to !M
    %kept = arith.mulf %Keep, %M : !M
    %Mt = arith.addf %kept, %St : !M
    %yt = pattern.read_transposed %Mt, %qt : !M, !d
    pattern.yield outputs(%yt : !d) states(%Mt, %St : !M, !M)
  }
  return %y, %m, %s : !token, !state, !state
}
