// GateLoop (Katsch 2023, arXiv:2311.01927), a complex state with a size and an angle for each token and head:
//   H_t = a_t H_{t-1} + k_t v_t^T,   a_t = sigmoid(alpha_t) exp(i beta_t),   y_t = Re(q_t^T H_t)
// The angle mixes the real part and the imaginary one: a state of two that are computed together.
!token = tensor<?x?x2x16xf32>
!scalar = tensor<?x?x2xf32>
!state = tensor<?x2x16x16xf32>
!d = tensor<16xf32>
!M = tensor<16x16xf32>

func.func @gateloop(%q: !token, %k: !token, %v: !token, %alpha: !scalar, %beta: !scalar, %re0: !state,
                    %im0: !state) -> (!token, !state, !state) {
  %y, %re, %im = pattern.scan
      tokens(%qt = %q : !token, %kt = %k : !token, %vt = %v : !token, %at = %alpha : !scalar, %bt = %beta : !scalar)
      states(%X = %re0 : !state, %Y = %im0 : !state)
      -> (!token) {
    %size = pattern.sigmoid %at : f32
    %cosine = math.cos %bt : f32
    %sine = math.sin %bt : f32
    %a = arith.mulf %size, %cosine : f32
    %b = arith.mulf %size, %sine : f32
    %A = pattern.broadcast %a : f32 to !M
    %B = pattern.broadcast %b : f32 to !M
    %AX = arith.mulf %A, %X : !M
    %BY = arith.mulf %B, %Y : !M
    %turned = arith.subf %AX, %BY : !M
    %write = pattern.outer %kt, %vt : !d, !d
    %Xt = arith.addf %turned, %write : !M
    %AY = arith.mulf %A, %Y : !M
    %BX = arith.mulf %B, %X : !M
    %Yt = arith.addf %AY, %BX : !M
    %yt = pattern.read %Xt, %qt : !M, !d
    pattern.yield outputs(%yt : !d) states(%Xt, %Yt : !M, !M)
  }
  return %y, %re, %im : !token, !state, !state
}
