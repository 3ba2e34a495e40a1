// Gated linear attention (Yang et al. 2023, arXiv:2312.06635, eq. 3 and section 4.4):
//   S_t = (alpha_t^T 1) * S_{t-1} + k_t^T v_t,   alpha_t = sigmoid(z_t)^(1/16),   o_t = q_t S_t
//   y_t = swish(r_t) * LayerNorm(o_t)
!key = tensor<?x?x4x16xf32>
!value = tensor<?x?x4x32xf32>
!state = tensor<?x4x16x32xf32>
!k = tensor<16xf32>
!v = tensor<32xf32>
!S = tensor<16x32xf32>

func.func @gla(%q: !key, %k: !key, %v: !value, %z: !key, %r: !value, %weight: tensor<1x32xf32>, %s0: !state)
    -> (!value, !state) {
  %o, %s = pattern.scan
      params(%w = %weight : tensor<1x32xf32>)
      tokens(%qt = %q : !key, %kt = %k : !key, %vt = %v : !value, %zt = %z : !key, %rt = %r : !value)
      states(%S = %s0 : !state)
      -> (!value) {
    %sigmoid = pattern.sigmoid %zt : !k
    %temperature = arith.constant dense<0.0625> : !k
    %alpha = math.powf %sigmoid, %temperature : !k
    %A = pattern.broadcast %alpha along 0 : !k to !S
    %kept = arith.mulf %A, %S : !S
    %write = pattern.outer %kt, %vt : !k, !v
    %St = arith.addf %kept, %write : !S
    %ot = pattern.read %St, %qt : !S, !k
    // LayerNorm and gate.
    %size = arith.constant 32.0 : f32
    %sum = pattern.sum %ot over 0 : !v
    %mean = arith.divf %sum, %size : f32
    %M = pattern.broadcast %mean : f32 to !v
    %centred = arith.subf %ot, %M : !v
    %squares = pattern.dot %centred, %centred : !v
    %variance = arith.divf %squares, %size : f32
    %epsilon = arith.constant 1.0e-5 : f32
    %safe = arith.addf %variance, %epsilon : f32
    %scale = math.rsqrt %safe : f32
    %N = pattern.broadcast %scale : f32 to !v
    %normed = arith.mulf %centred, %N : !v
    %affine = arith.mulf %normed, %w : !v
    %gate = pattern.sigmoid %rt : !v
    %swish = arith.mulf %rt, %gate : !v
    %y = arith.mulf %swish, %affine : !v
    pattern.yield outputs(%y : !v) states(%St : !S)
  }
  return %o, %s : !value, !state
}
