// The inverse of a triangular system: diagonal blocks by forward substitution, then neighbours joined by
// dots.
#include "compiler/tile/MacroOps.h"
#include "compiler/tile/Slices.h"
#include "compiler/tile/Substitution.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

namespace {

/// Inverses of diagonal blocks of m * m systems, each m * m tiles in row-major order.
class TriangularInverse {
public:
  /// `size` rows of a diagonal block; with `byInverses` a single system that it divides has one op for all
  /// of them.
  TriangularInverse(TileBuilder &builder, OperandRange systems, int64_t size, bool byInverses)
      : builder_(builder), systems_(systems) {
    while (count_ * count_ < systems.size())
      ++count_;
    int64_t extent = extentOf(systems.front(), 0);
    if (byInverses && count_ == 1 && extent % size == 0)
      diagonal_ = DiagonalInversesOp::create(builder, builder.f32Tile({extent, size}), systems.front());
  }

  /// Of the rows and columns of consecutive spans. They are halved at a power of two of spans, so that dots
  /// have few sizes.
  SmallVector<Value> of(ArrayRef<Span> spans) {
    if (spans.size() == 1)
      return ofBlock(spans.front());
    size_t half = llvm::bit_ceil(spans.size()) / 2;
    ArrayRef<Span> early = spans.take_front(half), late = spans.drop_front(half);
    SmallVector<Value> p = of(early), q = of(late);
    return joined(enclosing(early), enclosing(late), p, q);
  }

private:
  static Span enclosing(ArrayRef<Span> spans) {
    return {spans.front().first, spans.back().end() - spans.front().first};
  }

  /// i1 [size, size]: the diagonal.
  Value diagonal(ArrayRef<int64_t> shape) {
    return builder_.compare(arith::CmpIPredicate::eq, builder_.coordinate(shape, 0),
                            builder_.coordinate(shape, 1));
  }

  SmallVector<Value> ofBlock(Span span) {
    if (diagonal_)
      return {rowsOf(builder_, diagonal_, span)};
    SmallVector<Value> blocks;
    for (Value system : systems_)
      blocks.push_back(blockOf(builder_, system, span, span));
    auto type = builder_.f32Tile({span.size, span.size});
    Value zeros = builder_.splat(type, 0);
    Value identity = builder_.select(diagonal(type.getShape()), builder_.splat(type, 1), zeros);
    SmallVector<Value> inverses(systems_.size());
    for (size_t j = 0; j < count_; ++j) {
      SmallVector<Value> column(count_, zeros);
      column[j] = identity;
      for (auto [i, solution] : llvm::enumerate(substitute(builder_, blocks, column, /*lower=*/true)))
        inverses[i * count_ + j] = solution;
    }
    return inverses;
  }

  /// [[P, 0], [Q A P, Q]] of the inverses P and Q and the block A of the system below P and left of Q.
  SmallVector<Value> joined(Span early, Span late, ArrayRef<Value> p, ArrayRef<Value> q) {
    SmallVector<Value> between; // A P
    for (size_t i = 0; i < count_; ++i)
      for (size_t j = 0; j < count_; ++j) {
        Value sum;
        for (size_t k = 0; k < count_; ++k)
          sum = builder_.dot(blockOf(builder_, systems_[i * count_ + k], late, early), p[k * count_ + j],
                             {.init = sum});
        between.push_back(sum);
      }
    SmallVector<Value> results;
    Value zeros = builder_.splat(builder_.f32Tile({early.size + late.size, early.size + late.size}), 0);
    for (size_t i = 0; i < count_; ++i)
      for (size_t j = 0; j < count_; ++j) {
        Value sum;
        for (size_t k = 0; k < count_; ++k)
          sum = builder_.dot(q[i * count_ + k], between[k * count_ + j],
                             {.triangle = Triangle::lhs_lower, .init = sum});
        Value result = withBlock(builder_, zeros, p[i * count_ + j], 0, 0);
        result = withBlock(builder_, result, sum, early.size, 0);
        results.push_back(withBlock(builder_, result, q[i * count_ + j], early.size, early.size));
      }
    return results;
  }

  TileBuilder &builder_;
  OperandRange systems_;
  size_t count_ = 0;
  Value diagonal_; ///< the inverses of all diagonal blocks, one below the other, or null
};

} // namespace

SmallVector<Value> tile::expandInverse(TileBuilder &builder, InverseOp op, int64_t size, bool byInverses) {
  return TriangularInverse(builder, op.getSystems(), size, byInverses)
      .of(spansOf(extentOf(op.getSystems().front(), 0), size));
}
