// Linear attention with momentum (Momentum Transformer, Nguyen et al. 2022, arXiv:2208.00579), beta learnt for each head:
//   P_t = beta P_{t-1} + phi(k_t) v_t^T,   S_t = S_{t-1} + gamma P_t,   z_t = z_{t-1} + phi(k_t)
//   y_t = phi(q_t)^T S_t / (phi(q_t)^T z_t),   phi(x) = elu(x) + 1
// The state takes its momentum as a whole: both are computed together, and the normaliser by itself.
!token = tensor<?x?x2x16xf32>
!weight = tensor<2xf32>
!state = tensor<?x2x16x16xf32>
!sum = tensor<?x2x16xf32>
!d = tensor<16xf32>
!M = tensor<16x16xf32>

func.func @momentum(%q: !token, %k: !token, %v: !token, %beta: !weight, %gamma: !weight, %s0: !state, %p0: !state,
                    %z0: !sum) -> (!token, !state, !state, !sum) {
  %y, %s, %p, %z = pattern.scan
      params(%b = %beta : !weight, %g = %gamma : !weight)
      tokens(%qt = %q : !token, %kt = %k : !token, %vt = %v : !token)
      states(%S = %s0 : !state, %P = %p0 : !state, %Z = %z0 : !sum)
      -> (!token) {
    %zero = arith.constant dense<0.0> : !d
    %one = arith.constant dense<1.0> : !d
    %qPositive = arith.cmpf ogt, %qt, %zero : !d
    %qAbove = arith.addf %qt, %one : !d
    %qBelow = math.exp %qt : !d
    %phiQ = arith.select %qPositive, %qAbove, %qBelow : tensor<16xi1>, !d
    %kPositive = arith.cmpf ogt, %kt, %zero : !d
    %kAbove = arith.addf %kt, %one : !d
    %kBelow = math.exp %kt : !d
    %phiK = arith.select %kPositive, %kAbove, %kBelow : tensor<16xi1>, !d
    %keep = pattern.sigmoid %b : f32
    %Keep = pattern.broadcast %keep : f32 to !M
    %past = arith.mulf %Keep, %P : !M
    %write = pattern.outer %phiK, %vt : !d, !d
    %Pt = arith.addf %past, %write : !M
    %G = pattern.broadcast %g : f32 to !M
    %step = arith.mulf %G, %Pt : !M
    %St = arith.addf %S, %step : !M
    %Zt = arith.addf %Z, %phiK : !d
    %read = pattern.read %St, %phiQ : !M, !d
    %size = pattern.dot %Zt, %phiQ : !d
    %Size = pattern.broadcast %size : f32 to !d
    %yt = arith.divf %read, %Size : !d
    pattern.yield outputs(%yt : !d) states(%St, %Pt, %Zt : !M, !M, !d)
  }
  return %y, %s, %p, %z : !token, !state, !state, !sum
}
