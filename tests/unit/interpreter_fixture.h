// What the tests of the interpreter share: text to a function, random operands, a diagnostic to look at.
#pragma once
#include "compiler/frontend/Frontend.h"
#include "compiler/interpreter/Interpreter.h"
#include <gtest/gtest.h>
#include <random>

namespace linmu::test {

/// A context and the one function of a text.
class Parsed {
public:
  explicit Parsed(const std::string &text);
  mlir::func::FuncOp function();
  /// Runs the interpreter; a failure is a failure of the test.
  std::vector<HostTensor> run(const std::vector<HostTensor> &inputs, int threads = 1);
  /// Runs the interpreter, which must fail; its diagnostic.
  std::string fail(const std::vector<HostTensor> &inputs);

private:
  mlir::DialectRegistry registry_;
  mlir::MLIRContext context_;
  frontend::DiagnosticCollector diagnostics_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
};

/// Uniform in [low, high).
HostTensor randomTensor(std::vector<std::int64_t> shape, double low, double high, std::mt19937 &random);
/// True with probability one half.
HostTensor randomMask(std::vector<std::int64_t> shape, std::mt19937 &random);
/// A permutation of 0..tokens-1 for each sequence.
HostTensor randomOrder(std::int64_t batch, std::int64_t tokens, std::mt19937 &random);
/// [rows, 4] from (first token, t, h, w).
HostTensor mediaTable(const std::vector<std::array<int, 4>> &rows);

/// Element at an index of full rank.
double at(const HostTensor &tensor, std::initializer_list<std::int64_t> index);

/// Largest |a - b|; infinite where shapes differ or either holds a NaN.
double worstDifference(const HostTensor &actual, const HostTensor &expected);

} // namespace linmu::test
