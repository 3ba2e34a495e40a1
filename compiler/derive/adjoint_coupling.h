// The gradient of the factors by which coupled states mix.
#pragma once
#include "compiler/derive/adjoint_keys.h"

namespace linmu {

/// Of a term of the form's coupling, A_pq, at each token the sum of all that crosses it, [C]: from the entry
/// or a write before it, in state q, to a read behind it or the exit, from state p. With Z = dY W^T and the P
/// of chunk_coupling.h it is
///   sum over u of P_(p_j p)(u, t) (sum over s of Z[u, s] (r_j[u] . k_i[s]) P_(q q_i)(t - 1, s))
/// with an entry or exit in the place of s or u, a product of C x C matrices a read and write; nothing is
/// subtracted.
mlir::Value couplingGradient(TileBuilder &builder, pattern::FormOp form, int64_t term, AdjointWrites &writes,
                             AdjointKeys &keys);

} // namespace linmu
