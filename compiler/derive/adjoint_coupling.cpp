#include "compiler/derive/adjoint_coupling.h"

using namespace mlir;
using namespace linmu;

namespace {

class CouplingGradient {
public:
  CouplingGradient(TileBuilder &builder, AdjointWrites &writes, AdjointKeys &keys, int64_t p, int64_t q)
      : builder_(builder), writes_(writes), keys_(keys), paths_(writes.paths()),
        coupling_(writes.paths().coupling()), p_(p), q_(q), shape_{paths_.size(), paths_.size()} {}

  Value run() {
    Value zero = builder_.splat(builder_.f32Tile(ArrayRef(shape_).take_front()), 0), total = zero;
    for (int64_t read = 0; read < writes_.countReads(); ++read) {
      if (!writes_.dRead(read) || !paths_.seesState(read, p_))
        continue;
      Value behind = coupling_.between(paths_.stateOfRead(read), p_, writes_.inclusive(read));
      if (Value before = toRead(read))
        total = builder_.add(total, builder_.sum(builder_.multiply(behind, before), 0));
    }
    for (int64_t state = 0; state < coupling_.states(); ++state)
      if (coupling_.leads(state, p_))
        if (Value before = toExit(state))
          total = builder_.add(total, builder_.multiply(coupling_.toExit(state, p_), before));
    return total;
  }

private:
  void add(Value &sum, Value part) { sum = sum ? builder_.add(sum, part) : part; }

  /// [u, t]: of what stands in state q before t, what a read u takes of it, less what lies between t and u;
  /// null for nothing.
  Value toRead(int64_t read) {
    Value sum;
    for (int64_t state = 0; state < coupling_.states(); ++state)
      if (coupling_.leads(q_, state)) {
        Value taken =
            builder_.sum(builder_.multiply(paths_.inputs().reads[read], keys_.fromState(read, state)), 1);
        add(sum,
            builder_.multiply(builder_.along(taken, 0, shape_), builder_.along(fromEntry(state), 1, shape_)));
      }
    for (int64_t write = 0; write < writes_.countWrites(); ++write) {
      SmallVector<int64_t, 2> states = paths_.statesOfWrite(write);
      if (!coupling_.leads(q_, states))
        continue;
      Value bare = builder_.dot(paths_.inputs().reads[read], paths_.inputs().keys[write],
                                {.transpose_rhs = true, .triangle = tile::Triangle::result_lower});
      Value zero = builder_.splat(bare.getType(), 0), products = keys_.products(read, write);
      // What lies above the diagonal of the bare scores has no meaning.
      Value seen = builder_.compare(arith::CmpIPredicate::sge, builder_.coordinate(shape_, 0),
                                    builder_.coordinate(shape_, 1));
      Value pairs = builder_.multiply(products, builder_.select(seen, bare, zero));
      sum = builder_.dot(pairs, coupling_.between(q_, states, /*inclusive=*/false),
                         {.transpose_rhs = true, .init = sum});
    }
    return sum;
  }

  /// [t]: the same of what is sent back to a state at the exit.
  Value toExit(int64_t to) {
    Value sum, adjoint = writes_.adjoints()[to];
    for (int64_t state = 0; state < coupling_.states(); ++state)
      if (coupling_.leads(q_, state)) {
        Value through = builder_.sum(builder_.sum(builder_.multiply(adjoint, writes_.states()[state]), 1), 0);
        add(sum, builder_.multiply(builder_.fill(through, {paths_.size()}), fromEntry(state)));
      }
    for (int64_t write = 0; write < writes_.countWrites(); ++write) {
      SmallVector<int64_t, 2> states = paths_.statesOfWrite(write);
      if (!coupling_.leads(q_, states))
        continue;
      Value sent =
          builder_.sum(builder_.multiply(paths_.inputs().keys[write], keys_.fromAdjoint(write, to)), 1);
      Value crossing = builder_.multiply(coupling_.between(q_, states, /*inclusive=*/false),
                                         builder_.along(sent, 1, shape_));
      add(sum, builder_.sum(crossing, 1));
    }
    return sum;
  }

  Value fromEntry(int64_t state) { return coupling_.fromEntry(q_, state, /*inclusive=*/false); }

  TileBuilder &builder_;
  AdjointWrites &writes_;
  AdjointKeys &keys_;
  ChunkPaths &paths_;
  ChunkCoupling &coupling_;
  int64_t p_, q_;
  SmallVector<int64_t> shape_;
};

} // namespace

Value linmu::couplingGradient(TileBuilder &builder, pattern::FormOp form, int64_t term, AdjointWrites &writes,
                              AdjointKeys &keys) {
  ArrayRef<int64_t> index = form.getCouplingIndex();
  return CouplingGradient(builder, writes, keys, index[2 * term], index[2 * term + 1]).run();
}
