// Linear attention with decays in [-1, 1] (Grazzi et al. 2024, arXiv:2411.12537, section 4.2: a gate s(x) becomes 2 s(x) - 1):
//   S_t = diag(2 sigmoid(z_t) - 1) S_{t-1} + k_t^T v_t,   o_t = q_t S_t
!key = tensor<?x?x4x16xf32>
!value = tensor<?x?x4x32xf32>
!state = tensor<?x4x16x32xf32>
!k = tensor<16xf32>
!v = tensor<32xf32>
!S = tensor<16x32xf32>

func.func @negative_eigenvalues(%q: !key, %k: !key, %v: !value, %z: !key, %s0: !state) -> (!value, !state) {
  %o, %s = pattern.scan
      tokens(%qt = %q : !key, %kt = %k : !key, %vt = %v : !value, %zt = %z : !key)
      states(%S = %s0 : !state)
      -> (!value) {
    %gate = pattern.sigmoid %zt : !k
    %two = arith.constant dense<2.0> : !k
    %twice = arith.mulf %two, %gate : !k
    %one = arith.constant dense<1.0> : !k
    %a = arith.subf %twice, %one : !k
    %A = pattern.broadcast %a along 0 : !k to !S
    %kept = arith.mulf %A, %S : !S
    %write = pattern.outer %kt, %vt : !k, !v
    %St = arith.addf %kept, %write : !S
    %ot = pattern.read %St, %qt : !S, !k
    pattern.yield outputs(%ot : !v) states(%St : !S)
  }
  return %o, %s : !value, !state
}
