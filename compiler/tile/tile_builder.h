// Builds tile arithmetic: constants, broadcasts and conversions without their types spelt out.
#pragma once
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace linmu::tile {
/// On a `math.fma` of which an exponential is taken: what rounding leaves of its addend is a factor that all
/// these exponentials have, and that goes where they are divided by each other.
inline constexpr llvm::StringLiteral cancelsAttribute = "tile.cancels";
/// On an `arith.mulf`: the factors on its right are 1, most of the time all of them. A target may ask.
inline constexpr llvm::StringLiteral usuallyOneAttribute = "tile.usually_one";
} // namespace linmu::tile

namespace linmu {

/// The type with the shape of `shape` (a scalar or a tile) and elements `element`.
mlir::Type withElement(mlir::Type shape, mlir::Type element);

/// The number of axes of a scalar (0) or a tile.
int64_t rankOf(mlir::Value value);

class TileBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  using Value = mlir::Value;

  mlir::RankedTensorType f32Tile(llvm::ArrayRef<int64_t> shape) {
    return mlir::RankedTensorType::get(shape, getF32Type());
  }

  Value index(int64_t value);
  /// A scalar or a tile with all elements equal; floats, integers and i1.
  Value splat(mlir::Type type, double value);

  /// This block's place in a dimension of the grid.
  Value blockId(int64_t dimension);

  /// `scalar` everywhere in a tile of this shape.
  Value fill(Value scalar, llvm::ArrayRef<int64_t> shape);
  /// The rank-1 tile `vector` along `axis` of a matrix of this shape.
  Value along(Value vector, int64_t axis, llvm::ArrayRef<int64_t> shape);
  /// 0, 1, 2, ... of i32 along `axis`.
  Value coordinate(llvm::ArrayRef<int64_t> shape, int64_t axis = 0);

  Value add(Value a, Value b);
  Value subtract(Value a, Value b);
  Value multiply(Value a, Value b);
  Value divide(Value a, Value b);
  Value minimum(Value a, Value b);
  Value maximum(Value a, Value b);
  Value both(Value a, Value b) { return mlir::arith::AndIOp::create(*this, a, b); }
  Value compare(mlir::arith::CmpIPredicate predicate, Value a, Value b);
  Value select(Value condition, Value yes, Value no) {
    return mlir::arith::SelectOp::create(*this, condition, yes, no);
  }
  Value exp(Value a) { return mlir::math::ExpOp::create(*this, a); }
  Value reduce(tile::ReduceKind kind, Value source, int64_t axis);
  Value sum(Value source, int64_t axis) { return reduce(tile::ReduceKind::add, source, axis); }
  /// lhs * rhs + init, with operands stored transposed as said.
  struct DotOptions {
    bool transpose_lhs = false, transpose_rhs = false;
    tile::Triangle triangle = tile::Triangle::none;
    Value init = {};
  };
  Value dot(Value lhs, Value rhs, DotOptions options);
};

} // namespace linmu
