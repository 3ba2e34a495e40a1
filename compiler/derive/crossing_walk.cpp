#include "compiler/derive/crossing_walk.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

namespace {

/// One step of the walk, at token `at`. What is carried: for each read u the sum over the sources before the
/// token, as it stands at the token, C x X; the same for the exit, X.
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

  CrossingWalk::Crossings crossings(ValueRange carried) {
    size_t reads = walk_.targets.size(), writes = walk_.sources.size();
    CrossingWalk::Crossings result{{}, SmallVector<Value>(writes)};
    Value total = builder_.multiply(rowOf(to_exit_), carried.back());
    for (size_t read = 0; read < reads; ++read) {
      Value target = builder_.multiply(walk_.targets[read], fromHere(walk_.inclusive[read]));
      total = builder_.add(total, builder_.sum(builder_.multiply(target, carried[read]), 0));
      for (size_t write = 0; write < writes; ++write) {
        Value seen = builder_.sum(builder_.multiply(weight(read, write), target), 0);
        Value &sum = result.reaching[write];
        sum = sum ? builder_.add(sum, seen) : seen;
      }
    }
    result.crossing = builder_.multiply(decay_, total);
    return result;
  }

  SmallVector<Value> next(ValueRange carried) {
    SmallVector<Value> result;
    for (size_t read = 0; read < walk_.targets.size(); ++read) {
      Value sum = builder_.multiply(builder_.along(decay_, 1, shape_), carried[read]);
      for (size_t write = 0; write < sources_.size(); ++write)
        sum = builder_.add(
            sum, builder_.multiply(weight(read, write), builder_.along(sources_[write], 1, shape_)));
      result.push_back(sum);
    }
    Value exit = builder_.multiply(decay_, carried.back());
    for (auto [source, leaving] : llvm::zip_equal(sources_, walk_.leaving))
      exit = builder_.add(exit, builder_.multiply(source, rowOf(leaving)));
    result.push_back(exit);
    return result;
  }

private:
  Value rowOf(Value matrix) {
    int64_t columns = cast<RankedTensorType>(matrix.getType()).getDimSize(1);
    return tile::ExtractOp::create(builder_, builder_.f32Tile({columns}), matrix, at_);
  }
  /// What a write at the token is to each read, C x X.
  Value weight(size_t read, size_t write) {
    return builder_.along(rowOf(weights_[read * sources_.size() + write]), 0, shape_);
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

void CrossingWalk::run(TileBuilder &builder, Value live,
                       function_ref<void(Value token, const Crossings &crossings)> at) const {
  SmallVector<Value> transposed;
  for (Value weight : weights)
    transposed.push_back(tile::TransposeOp::create(builder, weight.getType(), weight));
  Value toExit = builder.cumprod(decays, {.exclusive = true, .reversed = true});
  SmallVector<Value> entry(entering);
  entry.push_back(through);
  auto loop = scf::ForOp::create(builder, builder.index(0), live, builder.index(1), entry);
  OpBuilder::InsertionGuard guard(builder);
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToEnd(body);
  Step step(builder, *this, transposed, toExit, loop.getInductionVar());
  at(loop.getInductionVar(), step.crossings(loop.getRegionIterArgs()));
  scf::YieldOp::create(builder, step.next(loop.getRegionIterArgs()));
}
