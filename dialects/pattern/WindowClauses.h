// Assembly and checks that window_attention and window_adjoint share.
#pragma once
#include "dialects/pattern/WindowView.h"

namespace linmu::pattern {

/// Parses operands, clauses and types: query, key, value and, `adjoint`, the cotangent; the media table is
/// the last operand. Regions are left to the op.
mlir::ParseResult parseWindow(mlir::OpAsmParser &parser, mlir::OperationState &result, bool adjoint);

/// Prints the same; `cotangent` may be null.
void printWindow(mlir::OpAsmPrinter &printer, const WindowView &view, mlir::Value cotangent);

/// Query, key, value, media, scale, window and shift.
mlir::LogicalResult verifyWindow(const WindowView &view);

/// Tokens with positive heads and features, of floats: tensor<?x?xHxDxT>.
mlir::LogicalResult verifyWindowTensor(mlir::Operation *op, llvm::StringRef name, mlir::Value value);

/// A region over a pair of tokens: f32, i32 x 7 and `more` further f32, and one f32 that it yields.
mlir::LogicalResult verifyScore(mlir::Operation *op, mlir::Region &region, llvm::StringRef name,
                                unsigned more);

} // namespace linmu::pattern
