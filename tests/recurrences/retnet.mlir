// RetNet, multi-scale retention (Sun et al. 2023, arXiv:2307.08621, eq. 6 and 8):
//   S_n = gamma S_{n-1} + K_n^T V_n,   o_n = Q_n S_n,   gamma = 1 - 2^(-5 - h) for head h
// The heads' exponents -5 - h arrive as a parameter.
!key = tensor<?x?x4x16xf32>
!value = tensor<?x?x4x32xf32>
!exponent = tensor<4xf32>
!state = tensor<?x4x16x32xf32>
!k = tensor<16xf32>
!v = tensor<32xf32>
!S = tensor<16x32xf32>

func.func @retnet(%q: !key, %k: !key, %v: !value, %exponent: !exponent, %s0: !state) -> (!value, !state) {
  %o, %s = pattern.scan
      params(%e = %exponent : !exponent)
      tokens(%qn = %q : !key, %kn = %k : !key, %vn = %v : !value)
      states(%S = %s0 : !state)
      -> (!value) {
    %one = arith.constant 1.0 : f32
    %below = pattern.assume %e in [-100.0, 0.0] : f32
    %power = math.exp2 %below : f32
    %gamma = arith.subf %one, %power : f32
    %G = pattern.broadcast %gamma : f32 to !S
    %kept = arith.mulf %G, %S : !S
    %write = pattern.outer %kn, %vn : !k, !v
    %Sn = arith.addf %kept, %write : !S
    %on = pattern.read %Sn, %qn : !S, !k
    pattern.yield outputs(%on : !v) states(%Sn : !S)
  }
  return %o, %s : !value, !state
}
