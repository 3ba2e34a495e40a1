// The order in which a pattern becomes a package: one stage after the other, on one module.
#pragma once
#include "compiler/api/compiler_api.h"
#include "compiler/derive/plan.h"
#include "compiler/frontend/Frontend.h"
#include "mlir/IR/MLIRContext.h"
#include "runtime/core/package.h"

namespace linmu::compiler {

/// A context with the dialects of every stage registered and none loaded.
class Context {
public:
  Context();
  mlir::MLIRContext &operator*() { return context_; }

private:
  mlir::DialectRegistry registry_;
  mlir::MLIRContext context_;
};

/// Parses and selects the function; others are erased. It is the function of the gradients where `options`
/// ask for them. Null after a diagnostic.
mlir::OwningOpRef<mlir::ModuleOp> parse(std::string_view source, const Options &options,
                                        mlir::MLIRContext &context);
mlir::func::FuncOp functionOf(mlir::ModuleOp module);

/// The target's schedule with the choices of `options` over it; an unknown key or a bad value is an error at
/// the text's start. The only place that reads the schedule's text.
mlir::FailureOr<Schedule> scheduleOf(const Options &options, mlir::MLIRContext &context);

/// Clauses expanded, permutes folded, maps fused unless the schedule says no, scans in normal form.
mlir::LogicalResult normalize(mlir::ModuleOp module, const Schedule &schedule);

/// The normalised function as that of its gradients; written as a pattern is, with its scans not yet in
/// normal form.
mlir::LogicalResult differentiate(mlir::ModuleOp module, const Gradient &gradient);

/// A tile.program for the plan, which was made of the module's function.
mlir::LogicalResult derive(mlir::ModuleOp module, const Plan &plan, const Schedule &schedule);

/// The cache key of the function as it was parsed.
std::string keyOf(mlir::func::FuncOp function, const Options &options);

} // namespace linmu::compiler
