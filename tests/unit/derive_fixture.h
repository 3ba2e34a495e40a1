// What the tests of derivation share: text to a program, random operands, comparison.
#pragma once
#include "compiler/derive/derive.h"
#include "compiler/interpreter/tile/TileInterpreter.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/core/package.h"
#include <gtest/gtest.h>
#include <random>

namespace linmu::test {

using interpreter::Memory;

/// A module with one tile.program, derived from one function of text or written there.
class Derived {
public:
  Derived(const std::string &text, const std::string &schedule);
  tile::ProgramOp program();
  mlir::ModuleOp module() { return *module_; }
  bool ok() const { return ok_; }
  const std::string &diagnostics() const { return diagnostics_; }
  Package package; ///< compiled by the first execute() on the CPU

private:
  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  bool ok_ = false;
  std::string diagnostics_;
};

/// What the backend of `execute` needs beyond the dialects.
void registerBackend(mlir::DialectRegistry &registry);

/// Runs the program on its operands, inputs then results. Two programs of tests are built, each with its own:
/// the fp64 interpreter (derive_backend_interpreter.cpp) and the CPU target (derive_backend_cpu.cpp).
void execute(Derived &derived, llvm::ArrayRef<Memory *> operands, std::int64_t batch, std::int64_t tokens);

/// `exact` for the interpreter; on the CPU `cpu`, f32 arithmetic over tens of tokens.
double tolerance(double exact, double cpu = 2e-5);

/// Uniform in [low, high], rounded to bf16.
Memory randomMemory(std::vector<std::int64_t> shape, double low, double high, std::mt19937 &random);

/// The nearest bf16 number, ties to even.
double toBF16(double value);

/// A permutation of 0..N-1 for each sequence, [B, N].
Memory randomOrder(std::int64_t batch, std::int64_t tokens, std::mt19937 &random);

/// The largest |a - b| over the largest |b|; infinite where either holds a NaN.
double worstDifference(const Memory &actual, const Memory &expected);

} // namespace linmu::test
