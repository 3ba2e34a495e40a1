// What the tests of normalisation share: a step to a scan, its normal form, and what that form computes.
#pragma once
#include "dialects/pattern/Pattern.h"
#include "tests/unit/interpreter_fixture.h"

namespace linmu::test {

/// A step of a scan over fixed operands, written with these names:
/// q, k, l, r and h are vectors over K = 5 (!K), v and u over V = 4 (!V); g, b and c are scalars, g any
/// number, b and c in [0, 1]; d is a vector over K in [0, 1]; on is an i1, id an i32; %P is a parameter over
/// K. States are named S, T and U; their slices are given by `states`, with dimensions "5x4", "5" or "".
struct Step {
  std::string text;
  std::vector<std::string> states = {"5x4"};
  std::vector<std::string> outputs = {"4"};
  std::string clauses = {}; ///< more clauses of the scan, over the operands above
  bool reverse = false;
};

/// The scan as a function @f of a pattern text, the step after line `stepLine`.
std::string textOf(const Step &step);
inline constexpr int stepLine = 10; ///< the line before the step

/// One tensor per argument of the function: batch 2, 9 tokens, 2 heads.
std::vector<HostTensor> operandsFor(mlir::func::FuncOp function, unsigned seed);

/// Runs the passes up to normalize on the module of `function`.
void normalize(mlir::func::FuncOp function);

/// What the only scan of a function of `function` computes from its normal form, token by token in fp64.
std::vector<HostTensor> runNormalForm(mlir::func::FuncOp function, const std::vector<HostTensor> &inputs);

/// The form of each state in words: "scalar decay, reads 0+1, writes 1, feedback 0" with reads before + after
/// the update, or "opaque at LINE: REASON" with the line within the step.
std::string describe(mlir::func::FuncOp function);

} // namespace linmu::test
