// Gated linear attention with gates of both axes (Yang et al. 2023, arXiv:2312.06635, section 4.1: G_t = alpha_t^T beta_t):
//   S_t = (alpha_t^T beta_t) * S_{t-1} + k_t^T v_t,   alpha_t = sigmoid(z_t)^(1/16),   beta_t = sigmoid(y_t)^(1/16)
//   o_t = q_t S_t
!key = tensor<?x?x4x16xf32>
!value = tensor<?x?x4x32xf32>
!state = tensor<?x4x16x32xf32>
!k = tensor<16xf32>
!v = tensor<32xf32>
!S = tensor<16x32xf32>

func.func @gla_outer(%q: !key, %k: !key, %v: !value, %z: !key, %y: !value, %s0: !state) -> (!value, !state) {
  %o, %s = pattern.scan
      tokens(%qt = %q : !key, %kt = %k : !key, %vt = %v : !value, %zt = %z : !key, %yt = %y : !value)
      states(%S = %s0 : !state)
      -> (!value) {
    %key_gate = pattern.sigmoid %zt : !k
    %key_temperature = arith.constant dense<0.0625> : !k
    %alpha = math.powf %key_gate, %key_temperature : !k
    %value_gate = pattern.sigmoid %yt : !v
    %value_temperature = arith.constant dense<0.0625> : !v
    %beta = math.powf %value_gate, %value_temperature : !v
    %A = pattern.broadcast %alpha along 0 : !k to !S
    %B = pattern.broadcast %beta along 1 : !v to !S
    %rows = arith.mulf %A, %S : !S
    %kept = arith.mulf %rows, %B : !S
    %write = pattern.outer %kt, %vt : !k, !v
    %St = arith.addf %kept, %write : !S
    %ot = pattern.read %St, %qt : !S, !k
    pattern.yield outputs(%ot : !v) states(%St : !S)
  }
  return %o, %s : !value, !state
}
