// Longhorn (Liu et al. 2024, arXiv:2407.14207, eq. 5 and 6), for each channel of x a state of m features:
//   S_t = (1 - Delta_t k_t^2) * S_{t-1} + Delta_t k_t x_t,   Delta_t = beta_t / (1 + beta_t k_t^T k_t),   o_t = S_t . q_t
// Each channel has its own decay, so that a channel is a head here; k and q are those of all channels.
!channel = tensor<?x?x6xf32>
!key = tensor<?x?x1x16xf32>
!state = tensor<?x6x16xf32>
!m = tensor<16xf32>

func.func @longhorn(%x: !channel, %beta: !channel, %k: !key, %q: !key, %s0: !state) -> (!channel, !state) {
  %o, %s = pattern.scan
      tokens(%xt = %x : !channel, %raw = %beta : !channel, %kt = %k : !key, %qt = %q : !key)
      states(%S = %s0 : !state)
      -> (!channel) {
    %one = arith.constant 1.0 : f32
    %bt = pattern.sigmoid %raw : f32
    %kk = pattern.dot %kt, %kt : !m
    %bkk = arith.mulf %bt, %kk : f32
    %below = arith.addf %one, %bkk : f32
    %delta = arith.divf %bt, %below : f32
    %Delta = pattern.broadcast %delta : f32 to !m
    %squares = arith.mulf %kt, %kt : !m
    %loss = arith.mulf %Delta, %squares : !m
    %ones = arith.constant dense<1.0> : !m
    %rest = arith.subf %ones, %loss : !m
    %decay = pattern.assume %rest in [0.0, 1.0] : !m
    %kept = arith.mulf %decay, %S : !m
    %dx = arith.mulf %delta, %xt : f32
    %Dx = pattern.broadcast %dx : f32 to !m
    %write = arith.mulf %Dx, %kt : !m
    %St = arith.addf %kept, %write : !m
    %ot = pattern.dot %St, %qt : !m
    pattern.yield outputs(%ot : f32) states(%St : !m)
  }
  return %o, %s : !channel, !state
}
