// The pattern dialect's C++ interface.
#pragma once
#include "dialects/pattern/StepValue.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace linmu::pattern {
class StepBuilder; // StepBuilder.h
}

#include "dialects/pattern/PatternDialect.h.inc"
#include "dialects/pattern/StepInterface.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/pattern/PatternAttributes.h.inc"

#define GET_OP_CLASSES
#include "dialects/pattern/PatternOps.h.inc"

namespace linmu::pattern {

/// Attaches StepOp to the ops of arith and math that a step may use.
void registerStepModels(mlir::DialectRegistry &registry);

/// The type of one token's slice of a token operand: `tensor<?x?xHxDxT>` gives `tensor<DxT>`,
/// `tensor<?x?xHxT>` gives `T`; floats become f32. `leading` axes are dropped (3 for tokens, 1 for params,
/// 2 for states).
mlir::Type sliceType(mlir::RankedTensorType type, unsigned leading);

/// What the dynamic axes of a tensor say of it: none, the batch, or the batch and the tokens.
enum class Kind { param, states, tokens };
Kind kindOf(mlir::RankedTensorType type);

} // namespace linmu::pattern
