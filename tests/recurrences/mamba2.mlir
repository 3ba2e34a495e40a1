// Mamba-2 (Dao and Gu 2024, arXiv:2405.21060, and its reference block):
//   x, B, C pass a causal depthwise convolution of width 4 and a SiLU; dt_t = softplus(dt_t + bias); A = -exp(A_log)
//   h_t = exp(dt_t A) h_{t-1} + dt_t x_t B_t^T   (head dimension x state),   y_t = h_t C_t + D x_t,   y_t * SiLU(z_t)
// One group: all heads share B and C. Convolution weights: w0 is that of the token itself, w3 of the third before.
!x = tensor<?x?x4x32xf32>
!b = tensor<?x?x1x16xf32>
!dt = tensor<?x?x4xf32>
!xtail = tensor<?x3x4x32xf32>
!btail = tensor<?x3x1x16xf32>
!head = tensor<4xf32>
!xw = tensor<4x32xf32>
!bw = tensor<1x16xf32>
!state = tensor<?x4x32x16xf32>
!p = tensor<32xf32>
!n = tensor<16xf32>
!h = tensor<32x16xf32>

func.func @mamba2(%x: !x, %B: !b, %C: !b, %z: !x, %dt: !dt, %A_log: !head, %bias: !head, %D: !head,
                  %xw0: !xw, %xw1: !xw, %xw2: !xw, %xw3: !xw, %bw0: !bw, %bw1: !bw, %bw2: !bw, %bw3: !bw,
                  %cw0: !bw, %cw1: !bw, %cw2: !bw, %cw3: !bw,
                  %h0: !state, %x_tail0: !xtail, %B_tail0: !btail, %C_tail0: !btail)
    -> (!x, !state, !xtail, !btail, !btail) {
  %y, %h, %x_tail, %B_tail, %C_tail = pattern.scan
      params(%a_log = %A_log : !head, %dt_bias = %bias : !head, %skip = %D : !head,
             %u0 = %xw0 : !xw, %u1 = %xw1 : !xw, %u2 = %xw2 : !xw, %u3 = %xw3 : !xw,
             %b0 = %bw0 : !bw, %b1 = %bw1 : !bw, %b2 = %bw2 : !bw, %b3 = %bw3 : !bw,
             %c0 = %cw0 : !bw, %c1 = %cw1 : !bw, %c2 = %cw2 : !bw, %c3 = %cw3 : !bw)
      tokens(%xt = %x tail %x_tail0 : !x, !xtail, %Bt = %B tail %B_tail0 : !b, !btail,
             %Ct = %C tail %C_tail0 : !b, !btail, %zt = %z : !x, %dtt = %dt : !dt)
      states(%H = %h0 : !state)
      -> (!x) {
    %x1 = pattern.lag %xt by 1 : !p
    %x2 = pattern.lag %xt by 2 : !p
    %x3 = pattern.lag %xt by 3 : !p
    %px0 = arith.mulf %xt, %u0 : !p
    %px1 = math.fma %x1, %u1, %px0 : !p
    %px2 = math.fma %x2, %u2, %px1 : !p
    %px = math.fma %x3, %u3, %px2 : !p
    %gx = pattern.sigmoid %px : !p
    %cx = arith.mulf %px, %gx : !p
    %B1 = pattern.lag %Bt by 1 : !n
    %B2 = pattern.lag %Bt by 2 : !n
    %B3 = pattern.lag %Bt by 3 : !n
    %pb0 = arith.mulf %Bt, %b0 : !n
    %pb1 = math.fma %B1, %b1, %pb0 : !n
    %pb2 = math.fma %B2, %b2, %pb1 : !n
    %pb = math.fma %B3, %b3, %pb2 : !n
    %gb = pattern.sigmoid %pb : !n
    %cb = arith.mulf %pb, %gb : !n
    %C1 = pattern.lag %Ct by 1 : !n
    %C2 = pattern.lag %Ct by 2 : !n
    %C3 = pattern.lag %Ct by 3 : !n
    %pc0 = arith.mulf %Ct, %c0 : !n
    %pc1 = math.fma %C1, %c1, %pc0 : !n
    %pc2 = math.fma %C2, %c2, %pc1 : !n
    %pc = math.fma %C3, %c3, %pc2 : !n
    %gc = pattern.sigmoid %pc : !n
    %cc = arith.mulf %pc, %gc : !n

    %raw = arith.addf %dtt, %dt_bias : f32
    %step = pattern.softplus %raw : f32
    %rate = math.exp %a_log : f32
    %A = arith.negf %rate : f32
    %dA = arith.mulf %step, %A : f32
    %decay = math.exp %dA : f32
    %Decay = pattern.broadcast %decay : f32 to !h
    %kept = arith.mulf %H, %Decay : !h
    %Step = pattern.broadcast %step : f32 to !p
    %dx = arith.mulf %Step, %cx : !p
    %dBx = pattern.outer %dx, %cb : !p, !n
    %Ht = arith.addf %kept, %dBx : !h
    %read = pattern.read_transposed %Ht, %cc : !h, !n
    %Skip = pattern.broadcast %skip : f32 to !p
    %through = arith.mulf %Skip, %cx : !p
    %sum = arith.addf %read, %through : !p
    %gz = pattern.sigmoid %zt : !p
    %silu = arith.mulf %zt, %gz : !p
    %out = arith.mulf %sum, %silu : !p
    pattern.yield outputs(%out : !p) states(%Ht : !h)
  }
  return %y, %h, %x_tail, %B_tail, %C_tail : !x, !state, !xtail, !btail, !btail
}
