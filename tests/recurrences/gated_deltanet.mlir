// Gated DeltaNet (Yang, Kautz and Hatamizadeh 2024, arXiv:2412.06464, eq. 10):
//   S_t = S_{t-1} (alpha_t (I - beta_t k_t k_t^T)) + beta_t v_t k_t^T   (value x key),   o_t = S_t q_t
//   alpha_t = exp(-exp(A_log) softplus(a_t + bias)), beta_t = sigmoid(b_t), q and k of unit length
!key = tensor<?x?x2x32xf32>
!value = tensor<?x?x4x16xf32>
!scalar = tensor<?x?x4xf32>
!head = tensor<4xf32>
!state = tensor<?x4x16x32xf32>
!k = tensor<32xf32>
!v = tensor<16xf32>
!S = tensor<16x32xf32>

func.func @gated_deltanet(%q: !key, %k: !key, %v: !value, %a: !scalar, %b: !scalar, %A_log: !head, %bias: !head,
                          %s0: !state) -> (!value, !state) {
  %o, %s = pattern.scan
      params(%log_rate = %A_log : !head, %dt_bias = %bias : !head)
      tokens(%qr = %q : !key, %kr = %k : !key, %vt = %v : !value, %at = %a : !scalar, %bt = %b : !scalar)
      states(%S = %s0 : !state)
      -> (!value) {
    %qq = pattern.dot %qr, %qr : !k
    %qi = math.rsqrt %qq : f32
    %QI = pattern.broadcast %qi : f32 to !k
    %qt = arith.mulf %qr, %QI : !k
    %kk = pattern.dot %kr, %kr : !k
    %ki = math.rsqrt %kk : f32
    %KI = pattern.broadcast %ki : f32 to !k
    %kt = arith.mulf %kr, %KI : !k
    %raw = arith.addf %at, %dt_bias : f32
    %step = pattern.softplus %raw : f32
    %rate = math.exp %log_rate : f32
    %product = arith.mulf %rate, %step : f32
    %log = arith.negf %product : f32
    %alpha = math.exp %log : f32
    %beta = pattern.sigmoid %bt : f32
    // S (I - beta k k^T), then alpha, then the write: the read is of the state before its decay.
    %Sk = pattern.read_transposed %S, %kt : !S, !k
    %Beta = pattern.broadcast %beta : f32 to !v
    %bSk = arith.mulf %Beta, %Sk : !v
    %erase = pattern.outer %bSk, %kt : !v, !k
    %erased = arith.subf %S, %erase : !S
    %Alpha = pattern.broadcast %alpha : f32 to !S
    %kept = arith.mulf %Alpha, %erased : !S
    %bv = arith.mulf %Beta, %vt : !v
    %write = pattern.outer %bv, %kt : !v, !k
    %St = arith.addf %kept, %write : !S
    %ot = pattern.read_transposed %St, %qt : !S, !k
    pattern.yield outputs(%ot : !v) states(%St : !S)
  }
  return %o, %s : !value, !state
}
