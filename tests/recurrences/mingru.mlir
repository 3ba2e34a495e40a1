// minGRU (Feng et al. 2024, arXiv:2410.01201, section 3.1), a channel of the hidden vector is a head:
//   h_t = (1 - z_t) * h_{t-1} + z_t * h~_t,   z_t = sigmoid(linear(x_t)),   h~_t = linear(x_t)
!channel = tensor<?x?x6xf32>
!state = tensor<?x6xf32>

func.func @mingru(%z: !channel, %candidate: !channel, %h0: !state) -> (!channel, !state) {
  %y, %h = pattern.scan
      tokens(%raw = %z : !channel, %new = %candidate : !channel)
      states(%H = %h0 : !state)
      -> (!channel) {
    %one = arith.constant 1.0 : f32
    %zt = pattern.sigmoid %raw : f32
    %keep = arith.subf %one, %zt : f32
    %kept = arith.mulf %keep, %H : f32
    %write = arith.mulf %zt, %new : f32
    %Ht = arith.addf %kept, %write : f32
    pattern.yield outputs(%Ht : f32) states(%Ht : f32)
  }
  return %y, %h : !channel, !state
}
