// mLSTM of xLSTM with its stabiliser (Beck et al. 2024, arXiv:2405.04517, eq. 15 to 17 and appendix A.2):
//   m_t = max(log f_t + m_{t-1}, log i_t),   i'_t = exp(log i_t - m_t),   f'_t = exp(log f_t + m_{t-1} - m_t)
//   C_t = f'_t C_{t-1} + i'_t v_t k_t^T,   n_t = f'_t n_{t-1} + i'_t k_t,   h_t = C_t q_t / max(|n_t . q_t|, exp(-m_t))
// The maximum is on the path of the state m: this runs one token at a time.
!key = tensor<?x?x2x16xf32>
!value = tensor<?x?x2x32xf32>
!scalar = tensor<?x?x2xf32>
!memory = tensor<?x2x32x16xf32>
!normaliser = tensor<?x2x16xf32>
!maximum = tensor<?x2xf32>
!k = tensor<16xf32>
!v = tensor<32xf32>
!C = tensor<32x16xf32>

func.func @mlstm_stabilised(%q: !key, %k: !key, %v: !value, %i: !scalar, %f: !scalar, %c0: !memory,
                            %n0: !normaliser, %m0: !maximum) -> (!value, !memory, !normaliser, !maximum) {
  %h, %c, %n, %m = pattern.scan
      tokens(%qt = %q : !key, %kr = %k : !key, %vt = %v : !value, %ir = %i : !scalar, %fr = %f : !scalar)
      states(%C = %c0 : !memory, %N = %n0 : !normaliser, %M = %m0 : !maximum)
      -> (!value) {
    %root = arith.constant dense<0.25> : !k
    %kt = arith.mulf %root, %kr : !k
    %minus = arith.negf %fr : f32
    %soft = pattern.softplus %minus : f32
    %logf = arith.negf %soft : f32
    %carried = arith.addf %logf, %M : f32
    %Mt = arith.maximumf %carried, %ir : f32
    %ishift = arith.subf %ir, %Mt : f32
    %it = math.exp %ishift : f32
    %fshift = arith.subf %carried, %Mt : f32
    %ft = math.exp %fshift : f32
    %F = pattern.broadcast %ft : f32 to !C
    %kept = arith.mulf %F, %C : !C
    %I = pattern.broadcast %it : f32 to !k
    %ik = arith.mulf %I, %kt : !k
    %write = pattern.outer %vt, %ik : !v, !k
    %Ct = arith.addf %kept, %write : !C
    %Fn = pattern.broadcast %ft : f32 to !k
    %keptn = arith.mulf %Fn, %N : !k
    %Nt = arith.addf %keptn, %ik : !k
    %read = pattern.read_transposed %Ct, %qt : !C, !k
    %nq = pattern.dot %Nt, %qt : !k
    %size = math.absf %nq : f32
    %minusm = arith.negf %Mt : f32
    %least = math.exp %minusm : f32
    %safe = arith.maximumf %size, %least : f32
    %Safe = pattern.broadcast %safe : f32 to !v
    %ht = arith.divf %read, %Safe : !v
    pattern.yield outputs(%ht : !v) states(%Ct, %Nt, %Mt : !C, !k, f32)
  }
  return %h, %c, %n, %m : !value, !memory, !normaliser, !maximum
}
