// What decay_values give to readers and to writers, and the paths between them, where all three are of the
// same weights and decays, as in the gradient of scores: one dot for the halves of blocks of each size, and
// one for the sums of paths.
#include "compiler/tile/DecayHalves.h"
#include "compiler/tile/MacroOps.h"
#include "compiler/tile/Slices.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

DecayGradients DecayGradients::of(DecayPathsOp paths) {
  DecayGradients group{paths, {}, {}};
  for (Operation *user : paths.getWeights().getUsers()) {
    auto values = dyn_cast<DecayValuesOp>(user);
    if (!values || values.getScores() != paths.getWeights() || values.getDecays() != paths.getDecays() ||
        values.getExclusive() != paths.getExclusive() || values->getBlock() != paths->getBlock())
      continue;
    if (!values.getTransposed() && values.getValues() == paths.getWriters())
      group.to_readers = values;
    if (values.getTransposed() && values.getValues() == paths.getReaders())
      group.to_writers = values;
  }
  return group;
}

Operation *DecayGradients::first() const {
  Operation *first = paths;
  for (DecayValuesOp values : {to_readers, to_writers})
    if (values && values->isBeforeInBlock(first))
      first = values;
  for (Value operand : paths->getOperands())
    if (Operation *made = operand.getDefiningOp();
        made && made->getBlock() == paths->getBlock() && !made->isBeforeInBlock(first))
      return paths;
  return first;
}

namespace {
/// Sums over the sizes of halves. From the second half of a block a reader has what its writers in the first
/// give it, and a writer in the first what its readers in the second do; both are one product, of weights
/// from either side of the diagonal and of the rows as they come to the middle. Each times its own row is
/// worth the paths to that row: in the first half a token is crossed by those of the writers before it, in
/// the second by those of the readers from it on.
class ByHalves {
public:
  ByHalves(TileBuilder &builder, DecayGradients group);

  void run();

private:
  void add(int64_t half);
  Value crossed(int64_t half);
  void add(Value &to, Value part) { to = to ? builder_.add(to, part) : part; }
  Value zero() { return builder_.splat(group_.paths.getType(), 0); }
  void replace(DecayValuesOp op, Value given, Value values);

  TileBuilder &builder_;
  DecayGradients group_;
  DecayHalves halves_;
  Value weights_;                         ///< from either side of the diagonal
  Value to_readers_, to_writers_, paths_; ///< so far
};
} // namespace

ByHalves::ByHalves(TileBuilder &builder, DecayGradients group)
    : builder_(builder), group_(group),
      halves_(builder, group.paths.getDecays(), group.paths.getExclusive()) {
  Value weights = group.paths.getWeights();
  Value lower = builder.compare(arith::CmpIPredicate::sgt, halves_.row(), halves_.column());
  weights_ = builder.select(lower, weights, TransposeOp::create(builder, weights.getType(), weights));
}

/// Ones where the path of a row crosses a token.
Value ByHalves::crossed(int64_t half) {
  auto square = cast<RankedTensorType>(weights_.getType());
  auto reaching = group_.paths.getExclusive() ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::sge;
  Value readers = builder_.compare(reaching, halves_.column(), halves_.row());
  Value writers = builder_.compare(arith::CmpIPredicate::slt, halves_.column(), halves_.row());
  Value crossed = builder_.both(halves_.together(half),
                                builder_.select(halves_.inSecond(half, square.getShape()), readers, writers));
  return builder_.select(crossed, builder_.splat(square, 1), builder_.splat(square, 0));
}

void ByHalves::add(int64_t half) {
  DecayPathsOp op = group_.paths;
  Value weights = builder_.select(halves_.parted(half), weights_, builder_.splat(weights_.getType(), 0));
  Value second = halves_.inSecond(half, op.getType().getShape());
  Value left = builder_.select(second, halves_.fromMiddle(half), halves_.toMiddle(half));
  Value rows = builder_.select(second, op.getReaders(), op.getWriters());
  Value given = builder_.multiply(builder_.dot(weights, builder_.multiply(rows, left), {}), left);
  if (group_.to_readers)
    add(to_readers_, builder_.select(second, given, zero()));
  if (group_.to_writers)
    add(to_writers_, builder_.select(second, zero(), given));
  paths_ = builder_.dot(crossed(half), builder_.multiply(rows, given), {.init = paths_});
}

/// With what a token gives itself.
void ByHalves::replace(DecayValuesOp op, Value given, Value values) {
  if (!op)
    return;
  if (!op.getExclusive())
    add(given, builder_.multiply(halves_.own(op.getScores(), extentOf(values, 1)), values));
  Value result = given ? given : zero();
  op.replaceAllUsesWith(result);
}

void ByHalves::run() {
  for (int64_t half = 1; half < halves_.tokens(); half *= 2)
    add(half);
  DecayPathsOp op = group_.paths;
  replace(group_.to_readers, to_readers_, op.getWriters());
  replace(group_.to_writers, to_writers_, op.getReaders());
  Value result = paths_ ? paths_ : zero();
  op.replaceAllUsesWith(result);
  for (Operation *done :
       {group_.to_readers.getOperation(), group_.to_writers.getOperation(), op.getOperation()})
    if (done)
      done->erase();
}

void tile::expandByHalves(TileBuilder &builder, DecayGradients group) { ByHalves(builder, group).run(); }
