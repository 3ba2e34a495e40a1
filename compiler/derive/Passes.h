// Passes of compiler/derive.
#pragma once
#include "compiler/derive/derive.h"
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace linmu {
/// `target` is the schedule that the pass's option goes over.
std::unique_ptr<mlir::Pass> createDerivePass(const Schedule &target);

#define GEN_PASS_DECL_DERIVE
#include "compiler/derive/Passes.h.inc"

inline void registerDerivePasses(const Schedule &target) {
  mlir::registerPass([target] { return createDerivePass(target); });
}
} // namespace linmu
