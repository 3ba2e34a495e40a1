// What the tests of derivation share: text to a program, random operands, comparison.
#pragma once
#include "compiler/derive/derive.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/IR/BuiltinOps.h"
#include "tests/unit/tile_interpreter.h"
#include <gtest/gtest.h>
#include <random>

namespace linmu::test {

/// A module with one tile.program, derived from one function of text.
class Derived {
public:
  Derived(const std::string &text, const std::string &schedule);
  tile::ProgramOp program();
  bool ok() const { return ok_; }
  const std::string &diagnostics() const { return diagnostics_; }

private:
  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  bool ok_ = false;
  std::string diagnostics_;
};

/// Uniform in [low, high).
Memory randomMemory(std::vector<std::int64_t> shape, double low, double high, std::mt19937 &random);

/// A permutation of 0..N-1 for each sequence, [B, N].
Memory randomOrder(std::int64_t batch, std::int64_t tokens, std::mt19937 &random);

/// The largest |a - b| over the largest |b|; infinite where either holds a NaN.
double worstDifference(const Memory &actual, const Memory &expected);

} // namespace linmu::test
