#include "compiler/derive/write_system.h"

using namespace mlir;
using namespace linmu;
using tile::Triangle;

WriteSystem::WriteSystem(TileBuilder &builder, pattern::FormOp form, ChunkPaths &paths)
    : builder_(builder), form_(form), paths_(paths) {
  for (int64_t write = 0; write < int64_t(form.getWrites().size()); ++write)
    for (size_t term = 0; term < form.getFeedback().size(); ++term)
      if (writeOf(term) == write && !isFedBack(write))
        fed_back_.push_back(write);
}

Value WriteSystem::block(int64_t write, int64_t other) {
  Value total;
  for (size_t term = 0; term < form_.getFeedback().size(); ++term) {
    if (writeOf(term) != write || !paths_.sees(readOf(term), other))
      continue;
    Value weight = builder_.along(paths_.inputs().feedback[term], 0, {paths_.size(), paths_.size()});
    Value part = builder_.multiply(weight, paths_.scores(readOf(term), other));
    total = total ? builder_.add(total, part) : part;
  }
  if (!total)
    return builder_.splat(builder_.f32Tile({paths_.size(), paths_.size()}), 0);
  return whereLive(builder_, paths_.inputs().live, total);
}

ArrayRef<Value> WriteSystem::blocks() {
  if (blocks_.empty())
    for (int64_t write : fed_back_)
      for (int64_t other : fed_back_)
        blocks_.push_back(block(write, other));
  return blocks_;
}

Value WriteSystem::addFeedback(Value value, int64_t write, function_ref<Value(int64_t)> entering) {
  for (size_t term = 0; term < form_.getFeedback().size(); ++term) {
    if (writeOf(term) != write)
      continue;
    Value read = entering(readOf(term));
    ArrayRef<int64_t> shape = cast<RankedTensorType>(read.getType()).getShape();
    Value part = builder_.multiply(builder_.along(paths_.inputs().feedback[term], 0, shape), read);
    value = value ? builder_.add(value, part) : part;
  }
  return whereLive(builder_, paths_.inputs().live, value);
}

SmallVector<Value> WriteSystem::solve(ValueRange values) {
  if (inverse_.empty()) {
    auto solve = tile::SolveOp::create(builder_, values.getTypes(), blocks(), values);
    return SmallVector<Value>(solve.getSolutions());
  }
  SmallVector<Value> solutions;
  for (size_t write = 0; write < values.size(); ++write) {
    Value sum;
    // lhs_lower keeps later values, whatever they hold, out of earlier rows.
    for (size_t other = 0; other < values.size(); ++other)
      sum = builder_.dot(inverse_[write * values.size() + other], values[other],
                         {.triangle = Triangle::lhs_lower, .init = sum});
    solutions.push_back(sum);
  }
  return solutions;
}

/// The solutions for the columns of the identity.
SmallVector<Value> WriteSystem::inverse() {
  if (!inverse_.empty())
    return inverse_;
  size_t count = fed_back_.size();
  SmallVector<int64_t> shape{paths_.size(), paths_.size()};
  Type type = builder_.f32Tile(shape);
  Value zero = builder_.splat(type, 0);
  Value diagonal = builder_.compare(arith::CmpIPredicate::eq, builder_.coordinate(shape, 0),
                                    builder_.coordinate(shape, 1));
  Value identity = builder_.select(diagonal, builder_.splat(type, 1), zero);
  SmallVector<Value> blocks(count * count);
  for (size_t column = 0; column < count; ++column) {
    SmallVector<Value> values(count, zero);
    values[column] = identity;
    for (auto [row, solution] : llvm::enumerate(solve(values)))
      blocks[row * count + column] = solution;
  }
  return blocks;
}
