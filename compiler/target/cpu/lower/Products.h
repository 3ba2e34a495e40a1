// Matrix products as register tiles of outer products.
#pragma once
#include "compiler/target/cpu/lower/Kernel.h"

namespace linmu::cpu {

struct Lowering;
class BlockValues;

/// The operands of a product as buffers, and where in them a register block stands.
struct Product {
  mlir::Value lhs; ///< rows
  bool lhsTransposed;
  mlir::Value rhs; ///< panels
  RegisterBlock at;
  std::int64_t unroll; ///< steps of one iteration
};

/// Steps of a loop over contracted elements whose number is a multiple of `multiple`: enough to hide its own
/// instructions, few enough to keep code small.
std::int64_t unrollFor(const RegisterBlock &at, std::int64_t multiple);

/// Adds the steps [from, to) of a product to the sums of its block.
void accumulate(Emit &emit, Vectors &sums, const Product &product, mlir::Value from, mlir::Value to);

/// A block of a dot; `values` are the tiles at the same block.
Vectors dotBlock(Lowering &lowering, tile::DotOp op, const RegisterBlock &at, BlockValues &values);

} // namespace linmu::cpu
