// A program of one macro op, run by the fp64 interpreter as it is or after expand-macro-ops.
#pragma once
#include "tests/unit/derive_fixture.h"

namespace linmu::test {

/// Matrices of a macro op: operands and results, by their shapes.
struct MacroOpProgram {
  using Shape = std::pair<std::int64_t, std::int64_t>;
  std::vector<Shape> operands, results;
  /// The op's line, from %t0, %t1, ... to %r:N.
  std::string op;

  static MacroOpProgram decayScores(std::int64_t tokens, std::int64_t features, bool exclusive);
  static MacroOpProgram decayValues(std::int64_t tokens, std::int64_t columns, bool exclusive);
  static MacroOpProgram decayValuesTransposed(std::int64_t tokens, std::int64_t columns, bool exclusive);
  /// Operands are weights, writers, decays and readers.
  static MacroOpProgram decayPaths(std::int64_t tokens, std::int64_t columns, bool exclusive);
  /// Operands are m * m systems, then m values.
  static MacroOpProgram solve(std::int64_t tokens, std::int64_t columns, std::int64_t m);
  static MacroOpProgram inverse(std::int64_t tokens, std::int64_t m);

  /// Results for operands of shapes [1, rows, columns]. `passOptions` are those of expand-macro-ops, "none"
  /// for the op as it is. Throws std::runtime_error where a macro op is left.
  std::vector<Memory> run(std::vector<Memory> operands, const std::string &passOptions) const;

private:
  std::string text() const;
};

} // namespace linmu::test
