#include "compiler/derive/crossing_walk.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

namespace {

/// One step of the walk, at token `at`. What is carried: for each read u the sum over the sources before the token,
/// as it stands at the token; the same for the exit; the results so far.
class Step {
public:
  Step(TileBuilder &builder, const CrossingWalk &walk, ArrayRef<Value> weights, Value toExit, Value at)
      : builder_(builder), walk_(walk), weights_(weights), to_exit_(toExit), at_(at),
        shape_(cast<RankedTensorType>(walk.decays.getType()).getShape()) {
    row_ = builder.coordinate(shape_, 0);
    here_ = builder.fill(builder.toI32(at), shape_);
    decay_ = rowOf(walk.decays);
    for (Value source : walk.sources)
      sources_.push_back(rowOf(source));
  }

  SmallVector<Value> run(ValueRange carried) {
    size_t reads = walk_.targets.size(), writes = walk_.sources.size();
    SmallVector<Value> sums(carried.take_front(reads)), reached(carried.slice(reads, reads)),
        reaching(carried.slice(2 * reads, writes));
    Value exit = carried[2 * reads + writes], crossing = carried[2 * reads + writes + 1];
    Value total = builder_.multiply(rowOf(to_exit_), exit);
    SmallVector<Value> seenFrom(writes);
    for (size_t read = 0; read < reads; ++read) {
      Value target = builder_.multiply(walk_.targets[read], fromHere(walk_.inclusive[read]));
      total = builder_.add(total, builder_.sum(builder_.multiply(target, sums[read]), 0));
      if (!walk_.inclusive[read])
        reached[read] = withRow(rowOf(sums[read]), reached[read]);
      Value next = builder_.multiply(builder_.along(decay_, 1, shape_), sums[read]);
      for (size_t write = 0; write < writes; ++write) {
        Value weight = builder_.along(rowOf(weights_[read * writes + write]), 0, shape_);
        next = builder_.add(next, builder_.multiply(weight, builder_.along(sources_[write], 1, shape_)));
        Value seen = builder_.sum(builder_.multiply(weight, target), 0);
        seenFrom[write] = seenFrom[write] ? builder_.add(seenFrom[write], seen) : seen;
      }
      sums[read] = next;
      if (walk_.inclusive[read])
        reached[read] = withRow(rowOf(next), reached[read]);
    }
    for (size_t write = 0; write < writes && reads; ++write)
      reaching[write] = withRow(seenFrom[write], reaching[write]);
    crossing = withRow(builder_.multiply(decay_, total), crossing);
    exit = builder_.multiply(decay_, exit);
    for (size_t write = 0; write < writes; ++write)
      exit = builder_.add(exit, builder_.multiply(sources_[write], rowOf(walk_.leaving[write])));
    SmallVector<Value> next(sums);
    next.append(reached);
    next.append(reaching);
    next.append({exit, crossing});
    return next;
  }

private:
  Value rowOf(Value matrix) {
    int64_t columns = cast<RankedTensorType>(matrix.getType()).getDimSize(1);
    return tile::ExtractOp::create(builder_, builder_.f32Tile({columns}), matrix, at_);
  }
  /// `matrix` with this vector as the token's row.
  Value withRow(Value row, Value matrix) {
    Value is = builder_.compare(arith::CmpIPredicate::eq, row_, here_);
    return builder_.select(is, builder_.along(row, 1, shape_), matrix);
  }
  /// At each read u behind the token, the decays from behind the token to u; elsewhere zero.
  Value fromHere(bool inclusive) {
    Value &known = from_here_[inclusive];
    if (known)
      return known;
    Value behind = builder_.compare(arith::CmpIPredicate::sgt, row_, here_);
    Value none = builder_.splat(walk_.decays.getType(), 1);
    Value decays = builder_.cumprod(builder_.select(behind, walk_.decays, none), {.exclusive = !inclusive});
    Value seen = inclusive ? builder_.compare(arith::CmpIPredicate::sge, row_, here_) : behind;
    return known = builder_.select(seen, decays, builder_.splat(decays.getType(), 0));
  }

  TileBuilder &builder_;
  const CrossingWalk &walk_;
  ArrayRef<Value> weights_; ///< transposed: row s, column u
  Value to_exit_, at_;
  ArrayRef<int64_t> shape_;
  Value row_, here_, decay_;
  SmallVector<Value> sources_;
  Value from_here_[2];
};

} // namespace

CrossingWalk::Results CrossingWalk::run(TileBuilder &builder) const {
  size_t reads = targets.size(), writes = sources.size();
  int64_t chunk = cast<RankedTensorType>(decays.getType()).getDimSize(0);
  SmallVector<Value> transposed;
  for (Value weight : weights)
    transposed.push_back(tile::TransposeOp::create(builder, weight.getType(), weight));
  Value toExit = builder.cumprod(decays, {.exclusive = true, .reversed = true});
  Value zero = builder.splat(decays.getType(), 0);
  SmallVector<Value> entry(entering);
  entry.append(reads + writes, zero);
  entry.append({through, zero});
  auto loop =
      scf::ForOp::create(builder, builder.index(0), builder.index(chunk), builder.index(1), entry);
  {
    OpBuilder::InsertionGuard guard(builder);
    Block *body = loop.getBody();
    if (!body->empty())
      body->back().erase();
    builder.setInsertionPointToEnd(body);
    Step step(builder, *this, transposed, toExit, loop.getInductionVar());
    scf::YieldOp::create(builder, step.run(loop.getRegionIterArgs()));
  }
  SmallVector<Value> results(loop.getResults().drop_front(reads));
  return {SmallVector<Value>(ArrayRef(results).take_front(reads)),
          SmallVector<Value>(ArrayRef(results).slice(reads, writes)), results.back()};
}
