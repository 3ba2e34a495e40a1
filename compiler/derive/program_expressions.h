// Arithmetic on extents, in the block of a program.
#pragma once
#include "compiler/derive/program_builder.h"

namespace linmu {

mlir::Value add(ProgramBuilder &program, mlir::Value a, mlir::Value b);
mlir::Value multiply(ProgramBuilder &program, mlir::Value value, int64_t factor);
/// floor(value / divisor)
mlir::Value divide(ProgramBuilder &program, mlir::Value value, int64_t divisor);
/// ceil(value / divisor)
mlir::Value ceilDivide(ProgramBuilder &program, mlir::Value value, int64_t divisor);
mlir::Value isLess(ProgramBuilder &program, mlir::Value value, int64_t bound);
mlir::Value isLess(ProgramBuilder &program, mlir::Value value, mlir::Value bound);
mlir::Value isMore(ProgramBuilder &program, mlir::Value value, int64_t bound);
mlir::Value both(ProgramBuilder &program, mlir::Value a, mlir::Value b);

} // namespace linmu
