#include "compiler/derive/chunk_coupling.h"

using namespace mlir;
using namespace linmu;

ChunkCoupling::ChunkCoupling(TileBuilder &builder, pattern::FormOp form, ArrayRef<Value> factors, Value live)
    : builder_(&builder), states_(form.getStates()) {
  if (states_ == 1)
    return;
  size_ = cast<RankedTensorType>(live.getType()).getDimSize(0);
  int64_t count = states_ * states_;
  for (SmallVector<Value> *values : {&factors_, &entry_, &entry_before_})
    values->resize(count);
  leads_.resize(count, false);
  ArrayRef<int64_t> index = form.getCouplingIndex();
  for (auto [term, factor] : llvm::enumerate(factors)) {
    int64_t place = index[2 * term] * states_ + index[2 * term + 1];
    factors_[place] = factor;
    leads_[place] = true;
  }
  for (int64_t state = 0; state < states_; ++state) {
    int64_t place = state * states_ + state;
    leads_[place] = true;
    // Rows past the end keep a state that others do not.
    if (!factors_[place])
      factors_[place] = builder.select(live, one(false), one(true));
  }
  for (int64_t over = 0; over < states_; ++over)
    for (int64_t p = 0; p < states_; ++p)
      for (int64_t q = 0; q < states_; ++q)
        leads_[p * states_ + q] |= leads(p, over) && leads(over, q);
}

/// i1: where the row is the one after the column.
static Value belowDiagonal(TileBuilder &builder, ArrayRef<int64_t> shape) {
  Value row = builder.coordinate(shape, 0), column = builder.coordinate(shape, 1);
  Value next = builder.add(column, builder.splat(column.getType(), 1));
  return builder.compare(arith::CmpIPredicate::eq, row, next);
}

/// P_pq(t, s)
Value ChunkCoupling::productOf(int64_t p, int64_t q) {
  if (products_.empty()) {
    SmallVector<int64_t> shape{size_, size_};
    auto square = builder_->f32Tile(shape);
    Value zero = builder_->splat(square, 0), below = belowDiagonal(*builder_, shape);
    SmallVector<Value> systems;
    for (Value factor : factors_)
      systems.push_back(factor ? builder_->select(below, builder_->along(factor, 0, shape), zero) : zero);
    // The inverse, a block of columns after the other.
    Value one = builder_->splat(square, 1), row = builder_->coordinate(shape, 0);
    Value identity = builder_->select(
        builder_->compare(arith::CmpIPredicate::eq, row, builder_->coordinate(shape, 1)), one, zero);
    products_.resize(factors_.size());
    for (int64_t column = 0; column < states_; ++column) {
      SmallVector<Value> values(states_, zero);
      values[column] = identity;
      auto solve = tile::SolveOp::create(*builder_, ValueRange(values).getTypes(), systems, values);
      for (auto [p, product] : llvm::enumerate(solve.getSolutions()))
        products_[p * states_ + column] = product;
    }
  }
  return products_[p * states_ + q];
}

Value ChunkCoupling::between(int64_t p, States qs, bool inclusive) {
  Value &known = between_[{p, SmallVector<int64_t>(qs), inclusive}];
  if (known)
    return known;
  if (!inclusive) {
    // A row later.
    SmallVector<int64_t> shape{size_, size_};
    auto square = builder_->f32Tile(shape);
    Value later = builder_->select(belowDiagonal(*builder_, shape), builder_->splat(square, 1),
                                   builder_->splat(square, 0));
    return known = builder_->dot(later, between(p, qs, true), {.triangle = tile::Triangle::lhs_lower});
  }
  for (int64_t q : qs)
    if (leads(p, q))
      known = known ? builder_->add(known, productOf(p, q)) : productOf(p, q);
  return known;
}

/// [C], each element one later.
Value ChunkCoupling::shifted(Value column, double first) {
  SmallVector<int64_t> shape{size_, size_};
  Value moved =
      builder_->sum(builder_->select(belowDiagonal(*builder_, shape), builder_->along(column, 1, shape),
                                     builder_->splat(builder_->f32Tile(shape), 0)),
                    1);
  Value token = builder_->coordinate({size_}), begin = builder_->splat(token.getType(), 0);
  return builder_->select(builder_->compare(arith::CmpIPredicate::eq, token, begin),
                          builder_->splat(moved.getType(), first), moved);
}

Value ChunkCoupling::fromEntry(int64_t p, int64_t q, bool inclusive) {
  int64_t place = p * states_ + q;
  if (!inclusive) {
    if (!entry_before_[place])
      entry_before_[place] = shifted(fromEntry(p, q, /*inclusive=*/true), p == q ? 1 : 0);
    return entry_before_[place];
  }
  if (entry_[place])
    return entry_[place];
  // P(t, 0) A_0, of the first column of each product.
  SmallVector<int64_t> shape{size_, size_};
  Value column = builder_->coordinate(shape, 1);
  Value isFirst = builder_->compare(arith::CmpIPredicate::eq, column, builder_->splat(column.getType(), 0));
  Value total;
  for (int64_t over = 0; over < states_; ++over) {
    Value factor = factors_[over * states_ + q];
    if (!factor || !leads(p, over))
      continue;
    Value product = builder_->multiply(productOf(p, over), builder_->along(factor, 1, shape));
    total = total ? builder_->add(total, product) : product;
  }
  Value none = builder_->splat(builder_->f32Tile(shape), 0);
  return entry_[place] = builder_->sum(builder_->select(isFirst, total, none), 1);
}

Value ChunkCoupling::toExit(int64_t p, States qs) {
  return tile::ExtractOp::create(*builder_, builder_->f32Tile({size_}), between(p, qs, /*inclusive=*/true),
                                 builder_->index(size_ - 1));
}

Value ChunkCoupling::overChunk(int64_t p, int64_t q) {
  return tile::ExtractOp::create(*builder_, builder_->getF32Type(), fromEntry(p, q, /*inclusive=*/true),
                                 builder_->index(size_ - 1));
}
