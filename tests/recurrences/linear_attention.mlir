// Linear attention (Katharopoulos et al. 2020, arXiv:2006.16236, eq. 16 to 20), phi(x) = elu(x) + 1:
//   S_i = S_{i-1} + phi(k_i) v_i^T,   z_i = z_{i-1} + phi(k_i),   y_i = phi(q_i)^T S_i / (phi(q_i)^T z_i)
!key = tensor<?x?x2x16xf32>
!value = tensor<?x?x2x32xf32>
!memory = tensor<?x2x16x32xf32>
!normaliser = tensor<?x2x16xf32>
!k = tensor<16xf32>
!v = tensor<32xf32>
!S = tensor<16x32xf32>

func.func @linear_attention(%q: !key, %k: !key, %v: !value, %s0: !memory, %z0: !normaliser)
    -> (!value, !memory, !normaliser) {
  %y, %s, %z = pattern.scan
      tokens(%qi = %q : !key, %ki = %k : !key, %vi = %v : !value)
      states(%S = %s0 : !memory, %Z = %z0 : !normaliser)
      -> (!value) {
    %zero = arith.constant dense<0.0> : !k
    %one = arith.constant dense<1.0> : !k
    %q_positive = arith.cmpf ogt, %qi, %zero : !k
    %q_above = arith.addf %qi, %one : !k
    %q_below = math.exp %qi : !k
    %phi_q = arith.select %q_positive, %q_above, %q_below : tensor<16xi1>, !k
    %k_positive = arith.cmpf ogt, %ki, %zero : !k
    %k_above = arith.addf %ki, %one : !k
    %k_below = math.exp %ki : !k
    %phi_k = arith.select %k_positive, %k_above, %k_below : tensor<16xi1>, !k
    %write = pattern.outer %phi_k, %vi : !k, !v
    %Si = arith.addf %S, %write : !S
    %Zi = arith.addf %Z, %phi_k : !k
    %above = pattern.read %Si, %phi_q : !S, !k
    %below = pattern.dot %phi_q, %Zi : !k
    %Below = pattern.broadcast %below : f32 to !v
    %yi = arith.divf %above, %Below : !v
    pattern.yield outputs(%yi : !v) states(%Si, %Zi : !S, !k)
  }
  return %y, %s, %z : !value, !memory, !normaliser
}
