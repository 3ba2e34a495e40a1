// What scan, map and normal_scan share: assembly of clauses, and checks of operands against each other.
#pragma once
#include "dialects/pattern/Pattern.h"

namespace linmu::pattern {

/// Parses `params(...) tokens(...) states(...) ... -> (outputs)` and fills operands, segment sizes and
/// result types. The step's arguments come back in `arguments`.
mlir::ParseResult parseLoopClauses(mlir::OpAsmParser &parser, mlir::OperationState &state,
                                   llvm::SmallVectorImpl<mlir::OpAsmParser::Argument> &arguments,
                                   bool withMasks);

template <typename LoopOp>
void printLoopClauses(mlir::OpAsmPrinter &printer, LoopOp op, mlir::ValueRange arguments);

/// What a tensor is in a loop; fixes how many leading axes are `?`.
enum class Part { param, state, token, output };

/// Why `type` cannot be that part whatever the heads of the loop: "to have ..., got ..."; empty where it can.
std::string misfitOf(Part part, mlir::RankedTensorType type);

/// Whether a tensor has the shape of `expected`, with elements of f32, bf16 or f16.
bool isOfFloats(mlir::Value value, mlir::RankedTensorType expected);

/// The operands' shapes against the heads and each other.
template <typename LoopOp> mlir::LogicalResult verifyLoopOperands(LoopOp op, int64_t heads);

/// `value`, or nothing, has dynamic axes only: an order, segments or a mask, tensor<?x?x...>, or a table of
/// sequences, tensor<?x...>.
mlir::LogicalResult verifyDynamic(mlir::Operation *op, llvm::StringRef clause, mlir::Value value);

/// The form's key axis is one of a state whose slice has the type `state`, or -1 where that has no two axes.
mlir::LogicalResult verifyKeyAxis(FormOp form, mlir::Type state);

/// The heads of a loop: those of its first output, else of its first state; 0 where it has neither.
int64_t headsOf(mlir::ResultRange outputs, mlir::ResultRange finals);

/// operands[index] for the position of `wanted` in `of`, or null.
mlir::Value lookupIndexed(llvm::ArrayRef<int64_t> of, mlir::OperandRange operands, int64_t wanted);

/// Every op of the block is a StepOp (lags included) or its terminator.
mlir::LogicalResult verifyStepOps(mlir::Operation *loop, mlir::Block &block);

} // namespace linmu::pattern
