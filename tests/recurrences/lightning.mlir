// Lightning Attention-2 as in TransNormerLLM (Qin et al. 2024, arXiv:2401.04658, eq. 3; 2023, arXiv:2307.14995):
//   kv_t = lambda kv_{t-1} + k_t v_t^T,   o_t = SRMSNorm(q_t^T kv_t) * u_t,   lambda = exp(-s) for head slope s
// with swish on queries and keys, and SRMSNorm(x) = x / (|x| / sqrt(d)) without weights.
!token = tensor<?x?x4x16xf32>
!state = tensor<?x4x16x16xf32>
!d = tensor<16xf32>
!kv = tensor<16x16xf32>

func.func @lightning(%q: !token, %k: !token, %v: !token, %u: !token, %slope: tensor<4xf32>, %s0: !state)
    -> (!token, !state) {
  %o, %s = pattern.scan
      params(%sh = %slope : tensor<4xf32>)
      tokens(%qt = %q : !token, %kt = %k : !token, %vt = %v : !token, %ut = %u : !token)
      states(%S = %s0 : !state)
      -> (!token) {
    %gq = pattern.sigmoid %qt : !d
    %query = arith.mulf %qt, %gq : !d
    %gk = pattern.sigmoid %kt : !d
    %key = arith.mulf %kt, %gk : !d
    %slope_positive = pattern.assume %sh in [0.0, 100.0] : f32
    %log = arith.negf %slope_positive : f32
    %lambda = math.exp %log : f32
    %L = pattern.broadcast %lambda : f32 to !kv
    %old = arith.mulf %L, %S : !kv
    %kv = pattern.outer %key, %vt : !d, !d
    %new = arith.addf %old, %kv : !kv
    %read = pattern.read %new, %query : !kv, !d
    // Norm and gate of what was read.
    %square = pattern.dot %read, %read : !d
    %size = arith.constant 16.0 : f32
    %mean = arith.divf %square, %size : f32
    %epsilon = arith.constant 1.0e-6 : f32
    %shifted = arith.addf %mean, %epsilon : f32
    %inverse = math.rsqrt %shifted : f32
    %N = pattern.broadcast %inverse : f32 to !d
    %normed = arith.mulf %read, %N : !d
    %gated = arith.mulf %normed, %ut : !d
    pattern.yield outputs(%gated : !d) states(%new : !kv)
  }
  return %o, %s : !token, !state
}
