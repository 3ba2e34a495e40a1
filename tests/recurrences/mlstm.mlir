// mLSTM of xLSTM without its stabiliser (Beck et al. 2024, arXiv:2405.04517, eq. 19 to 27, sigmoid forget gate):
//   C_t = f_t C_{t-1} + i_t v_t k_t^T,   n_t = f_t n_{t-1} + i_t k_t,   h_t = o_t * C_t q_t / max(|n_t . q_t|, 1)
//   f_t = sigmoid(f~_t), i_t = exp(i~_t), o_t = sigmoid(o~_t), keys divided by sqrt(d)
!key = tensor<?x?x2x16xf32>
!value = tensor<?x?x2x32xf32>
!scalar = tensor<?x?x2xf32>
!memory = tensor<?x2x32x16xf32>
!normaliser = tensor<?x2x16xf32>
!k = tensor<16xf32>
!v = tensor<32xf32>
!C = tensor<32x16xf32>

func.func @mlstm(%q: !key, %k: !key, %v: !value, %i: !scalar, %f: !scalar, %o: !value, %c0: !memory,
                 %n0: !normaliser) -> (!value, !memory, !normaliser) {
  %h, %c, %n = pattern.scan
      tokens(%qt = %q : !key, %kr = %k : !key, %vt = %v : !value, %ir = %i : !scalar, %fr = %f : !scalar,
             %or = %o : !value)
      states(%C = %c0 : !memory, %N = %n0 : !normaliser)
      -> (!value) {
    %root = arith.constant dense<0.25> : !k
    %kt = arith.mulf %root, %kr : !k
    %ft = pattern.sigmoid %fr : f32
    %it = math.exp %ir : f32
    %F = pattern.broadcast %ft : f32 to !C
    %I = pattern.broadcast %it : f32 to !C
    %kept = arith.mulf %F, %C : !C
    %vk = pattern.outer %vt, %kt : !v, !k
    %write = arith.mulf %I, %vk : !C
    %Ct = arith.addf %kept, %write : !C
    %Fn = pattern.broadcast %ft : f32 to !k
    %In = pattern.broadcast %it : f32 to !k
    %keptn = arith.mulf %Fn, %N : !k
    %writen = arith.mulf %In, %kt : !k
    %Nt = arith.addf %keptn, %writen : !k
    %read = pattern.read_transposed %Ct, %qt : !C, !k
    %nq = pattern.dot %Nt, %qt : !k
    %size = math.absf %nq : f32
    %one = arith.constant 1.0 : f32
    %safe = arith.maximumf %size, %one : f32
    %Safe = pattern.broadcast %safe : f32 to !v
    %ratio = arith.divf %read, %Safe : !v
    %ot = pattern.sigmoid %or : !v
    %ht = arith.mulf %ot, %ratio : !v
    pattern.yield outputs(%ht : !v) states(%Ct, %Nt : !C, !k)
  }
  return %h, %c, %n : !value, !memory, !normaliser
}
