// Linear recurrent unit (Orvieto et al. 2023, arXiv:2303.06349, eq. 2 and 5), a complex diagonal state as two real ones:
//   h_t = lambda h_{t-1} + gamma u_t,   lambda = exp(-exp(nu) + i exp(theta)),   gamma = sqrt(1 - |lambda|^2)
//   y_t = Re(C h_t)
// The rotation mixes the two states: they are computed together.
!channel = tensor<?x?x6xf32>
!weight = tensor<6xf32>
!state = tensor<?x6xf32>

func.func @lru(%u_re: !channel, %u_im: !channel, %nu: !weight, %theta: !weight, %C_re: !weight, %C_im: !weight,
               %x0: !state, %y0: !state) -> (!channel, !state, !state) {
  %o, %x, %y = pattern.scan
      params(%n = %nu : !weight, %t = %theta : !weight, %cr = %C_re : !weight, %ci = %C_im : !weight)
      tokens(%ur = %u_re : !channel, %ui = %u_im : !channel)
      states(%X = %x0 : !state, %Y = %y0 : !state)
      -> (!channel) {
    %rate = math.exp %n : f32
    %log = arith.negf %rate : f32
    %size = math.exp %log : f32
    %phase = math.exp %t : f32
    %cosine = math.cos %phase : f32
    %sine = math.sin %phase : f32
    %re = arith.mulf %size, %cosine : f32
    %im = arith.mulf %size, %sine : f32
    %one = arith.constant 1.0 : f32
    %square = arith.mulf %size, %size : f32
    %rest = arith.subf %one, %square : f32
    %gamma = math.sqrt %rest : f32
    %wr = arith.mulf %gamma, %ur : f32
    %wi = arith.mulf %gamma, %ui : f32
    %rx = arith.mulf %re, %X : f32
    %iy = arith.mulf %im, %Y : f32
    %mx = arith.subf %rx, %iy : f32
    %Xt = arith.addf %mx, %wr : f32
    %ry = arith.mulf %re, %Y : f32
    %ix = arith.mulf %im, %X : f32
    %my = arith.addf %ry, %ix : f32
    %Yt = arith.addf %my, %wi : f32
    %cx = arith.mulf %cr, %Xt : f32
    %cy = arith.mulf %ci, %Yt : f32
    %out = arith.subf %cx, %cy : f32
    pattern.yield outputs(%out : f32) states(%Xt, %Yt : f32, f32)
  }
  return %o, %x, %y : !channel, !state, !state
}
