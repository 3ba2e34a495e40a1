// sLSTM of xLSTM (Beck et al. 2024, arXiv:2405.04517, eq. 8 to 14) without stabiliser, its recurrent weights diagonal:
//   z_t = tanh(z~_t + r h_{t-1}),   c_t = f_t c_{t-1} + i_t z_t,   n_t = f_t n_{t-1} + i_t,   h_t = o_t * c_t / n_t
// tanh of the hidden state feeds the next one: this runs one token at a time.
!token = tensor<?x?x2x16xf32>
!weight = tensor<2x16xf32>
!state = tensor<?x2x16xf32>
!d = tensor<16xf32>

func.func @slstm(%z: !token, %i: !token, %f: !token, %o: !token, %r: !weight, %c0: !state, %n0: !state, %h0: !state)
    -> (!token, !state, !state, !state) {
  %y, %c, %n, %h = pattern.scan
      params(%recurrent = %r : !weight)
      tokens(%zr = %z : !token, %ir = %i : !token, %fr = %f : !token, %or = %o : !token)
      states(%C = %c0 : !state, %N = %n0 : !state, %H = %h0 : !state)
      -> (!token) {
    %rh = arith.mulf %recurrent, %H : !d
    %pre = arith.addf %zr, %rh : !d
    %zt = math.tanh %pre : !d
    %it = math.exp %ir : !d
    %ft = pattern.sigmoid %fr : !d
    %ot = pattern.sigmoid %or : !d
    %keptc = arith.mulf %ft, %C : !d
    %writec = arith.mulf %it, %zt : !d
    %Ct = arith.addf %keptc, %writec : !d
    %keptn = arith.mulf %ft, %N : !d
    %Nt = arith.addf %keptn, %it : !d
    %ratio = arith.divf %Ct, %Nt : !d
    %Ht = arith.mulf %ot, %ratio : !d
    pattern.yield outputs(%Ht : !d) states(%Ct, %Nt, %Ht : !d, !d, !d)
  }
  return %y, %c, %n, %h : !token, !state, !state, !state
}
