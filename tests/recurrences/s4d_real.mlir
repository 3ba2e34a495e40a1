// S4D-Real, discretised by zero-order hold (Gu et al. 2022, arXiv:2206.11893, eq. 3 and section 4): A_n = -(n + 1),
//   h_t = exp(dt A) h_{t-1} + (exp(dt A) - 1) / A * B x_t,   y_t = C . h_t + D x_t
// A channel is a head with a state of 16 features; A arrives as the parameter log(-A).
!channel = tensor<?x?x6xf32>
!step = tensor<6xf32>
!feature = tensor<6x16xf32>
!spectrum = tensor<1x16xf32>
!state = tensor<?x6x16xf32>
!n = tensor<16xf32>

func.func @s4d_real(%x: !channel, %log_dt: !step, %log_minus_A: !spectrum, %B: !feature, %C: !feature, %D: !step,
                    %h0: !state) -> (!channel, !state) {
  %y, %h = pattern.scan
      params(%ldt = %log_dt : !step, %la = %log_minus_A : !spectrum, %b = %B : !feature, %c = %C : !feature,
             %d = %D : !step)
      tokens(%xt = %x : !channel)
      states(%H = %h0 : !state)
      -> (!channel) {
    %dt = math.exp %ldt : f32
    %rate = math.exp %la : !n
    %A = arith.negf %rate : !n
    %Dt = pattern.broadcast %dt : f32 to !n
    %dtA = arith.mulf %Dt, %A : !n
    %decay = math.exp %dtA : !n
    %minus = math.expm1 %dtA : !n
    %hold = arith.divf %minus, %A : !n
    %input = arith.mulf %hold, %b : !n
    %kept = arith.mulf %decay, %H : !n
    %X = pattern.broadcast %xt : f32 to !n
    %write = arith.mulf %input, %X : !n
    %Ht = arith.addf %kept, %write : !n
    %read = pattern.dot %c, %Ht : !n
    %skip = arith.mulf %d, %xt : f32
    %yt = arith.addf %read, %skip : f32
    pattern.yield outputs(%yt : f32) states(%Ht : !n)
  }
  return %y, %h : !channel, !state
}
