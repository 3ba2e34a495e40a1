// RG-LRU (De et al. 2024, arXiv:2402.19427, eq. 1 to 4), a vector that decays element by element:
//   r_t = sigmoid(W_a x_t + b_a),   i_t = sigmoid(W_x x_t + b_x),   a_t = a^(8 r_t),   a = sigmoid(Lambda)
//   h_t = a_t * h_{t-1} + sqrt(1 - a_t^2) * (i_t * x_t)
!token = tensor<?x?x3x20xf32>
!state = tensor<?x3x20xf32>
!param = tensor<3x20xf32>
!v = tensor<20xf32>

func.func @rg_lru(%x: !token, %r: !token, %i: !token, %decay: !param, %h0: !state) -> (!token, !state) {
  %y, %h = pattern.scan
      params(%Lambda = %decay : !param)
      tokens(%xt = %x : !token, %raw_r = %r : !token, %raw_i = %i : !token)
      states(%H = %h0 : !state)
      -> (!token) {
    %rt = pattern.sigmoid %raw_r : !v
    %it = pattern.sigmoid %raw_i : !v
    %minus = arith.negf %Lambda : !v
    %rate = pattern.softplus %minus : !v
    %scale = arith.constant dense<-8.0> : !v
    %power = arith.mulf %scale, %rt : !v
    %log = arith.mulf %power, %rate : !v
    %a = math.exp %log : !v
    %square = arith.mulf %a, %a : !v
    %one = arith.constant dense<1.0> : !v
    %rest = arith.subf %one, %square : !v
    %root = math.sqrt %rest : !v
    %gated = arith.mulf %it, %xt : !v
    %write = arith.mulf %root, %gated : !v
    %kept = arith.mulf %a, %H : !v
    %Ht = arith.addf %kept, %write : !v
    pattern.yield outputs(%Ht : !v) states(%Ht : !v)
  }
  return %y, %h : !token, !state
}
