// DeltaProduct with two Householder steps a token (Siems et al. 2025, arXiv:2502.10297, eq. 5, n_h = 2):
//   H_{i,j} = (I - beta_{i,j} k_{i,j} k_{i,j}^T) H_{i,j-1} + beta_{i,j} k_{i,j} v_{i,j}^T,   o_i = H_{i,2}^T q_i
// beta in [0, 2], keys of unit length.
!key = tensor<?x?x2x16xf32>
!value = tensor<?x?x2x32xf32>
!scalar = tensor<?x?x2xf32>
!state = tensor<?x2x16x32xf32>
!k = tensor<16xf32>
!v = tensor<32xf32>
!H = tensor<16x32xf32>

func.func @deltaproduct(%q: !key, %k1: !key, %k2: !key, %v1: !value, %v2: !value, %b1: !scalar, %b2: !scalar,
                        %s0: !state) -> (!value, !state) {
  %o, %s = pattern.scan
      tokens(%qi = %q : !key, %k1i = %k1 : !key, %k2i = %k2 : !key, %v1i = %v1 : !value, %v2i = %v2 : !value,
             %b1i = %b1 : !scalar, %b2i = %b2 : !scalar)
      states(%H0 = %s0 : !state)
      -> (!value) {
    %two = arith.constant 2.0 : f32
    %g1 = pattern.sigmoid %b1i : f32
    %beta1 = arith.mulf %two, %g1 : f32
    %g2 = pattern.sigmoid %b2i : f32
    %beta2 = arith.mulf %two, %g2 : f32

    %u1 = pattern.read %H0, %k1i : !H, !k
    %erase1 = pattern.outer %k1i, %u1 : !k, !v
    %Beta1 = pattern.broadcast %beta1 : f32 to !H
    %e1 = arith.mulf %Beta1, %erase1 : !H
    %kept1 = arith.subf %H0, %e1 : !H
    %outer1 = pattern.outer %k1i, %v1i : !k, !v
    %write1 = arith.mulf %Beta1, %outer1 : !H
    %H1 = arith.addf %kept1, %write1 : !H

    %u2 = pattern.read %H1, %k2i : !H, !k
    %erase2 = pattern.outer %k2i, %u2 : !k, !v
    %Beta2 = pattern.broadcast %beta2 : f32 to !H
    %e2 = arith.mulf %Beta2, %erase2 : !H
    %kept2 = arith.subf %H1, %e2 : !H
    %outer2 = pattern.outer %k2i, %v2i : !k, !v
    %write2 = arith.mulf %Beta2, %outer2 : !H
    %H2 = arith.addf %kept2, %write2 : !H

    %oi = pattern.read %H2, %qi : !H, !k
    pattern.yield outputs(%oi : !v) states(%H2 : !H)
  }
  return %o, %s : !value, !state
}
