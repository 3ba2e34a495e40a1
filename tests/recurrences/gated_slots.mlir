// Gated slot attention (Zhang et al. 2024, arXiv:2409.07146, eq. 10 and 11), m slots of keys and of values:
//   K_t = Diag(alpha_t) K_{t-1} + (1 - alpha_t) k_t^T,   V_t = Diag(alpha_t) V_{t-1} + (1 - alpha_t) v_t^T
//   o_t = V_t^T softmax(K_t q_t),   alpha_t = sigmoid(a_t)^(1/8)
// The softmax is of what was read from K; it is the key with which V is read.
!key = tensor<?x?x2x16xf32>
!slot = tensor<?x?x2x32xf32>
!memory = tensor<?x2x32x16xf32>
!d = tensor<16xf32>
!m = tensor<32xf32>
!M = tensor<32x16xf32>

func.func @gated_slots(%q: !key, %k: !key, %v: !key, %a: !slot, %keys0: !memory, %values0: !memory)
    -> (!key, !memory, !memory) {
  %o, %keys, %values = pattern.scan
      tokens(%qt = %q : !key, %kt = %k : !key, %vt = %v : !key, %at = %a : !slot)
      states(%K = %keys0 : !memory, %V = %values0 : !memory)
      -> (!key) {
    %minus = arith.negf %at : !m
    %soft = pattern.softplus %minus : !m
    %eighth = arith.constant dense<-0.125> : !m
    %log = arith.mulf %eighth, %soft : !m
    %alpha = math.exp %log : !m
    %one = arith.constant dense<1.0> : !m
    %input = arith.subf %one, %alpha : !m
    %Alpha = pattern.broadcast %alpha along 0 : !m to !M
    %kept_k = arith.mulf %Alpha, %K : !M
    %write_k = pattern.outer %input, %kt : !m, !d
    %Kt = arith.addf %kept_k, %write_k : !M
    %kept_v = arith.mulf %Alpha, %V : !M
    %write_v = pattern.outer %input, %vt : !m, !d
    %Vt = arith.addf %kept_v, %write_v : !M
    %scores = pattern.read_transposed %Kt, %qt : !M, !d
    %powers = math.exp %scores : !m
    %sum = pattern.sum %powers over 0 : !m
    %Sum = pattern.broadcast %sum : f32 to !m
    %weights = arith.divf %powers, %Sum : !m
    %ot = pattern.read %Vt, %weights : !M, !m
    pattern.yield outputs(%ot : !d) states(%Kt, %Vt : !M, !M)
  }
  return %o, %keys, %values : !key, !memory, !memory
}
