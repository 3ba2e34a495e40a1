// One step (the region of a scan, map or window) prepared for being evaluated once a token.
#pragma once
#include "dialects/pattern/Pattern.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace linmu::interpreter {

/// A value outside the range that an assume states.
struct Violation {
  pattern::AssumeOp op;
  double value = 0;
};

/// Values of one evaluation at a time. Cheap to evaluate again, since each value keeps its storage; not to be
/// shared between threads.
class Step {
public:
  /// The slice that a lag reads, given the value of its `otherwise` or null.
  using LagReader =
      llvm::function_ref<void(pattern::LagOp, const pattern::StepValue *, pattern::StepValue &)>;

  /// The first `invariants` arguments (params) are the same for all tokens of a head.
  Step(mlir::Block &block, unsigned invariants);

  pattern::StepValue &argument(unsigned index) { return values_[index]; }
  const pattern::StepValue &operator[](mlir::Value value) const { return values_[slots_.lookup(value)]; }

  /// Evaluates what depends on nothing but params; call after setting those.
  std::optional<Violation> startHead();
  /// Evaluates the rest for one token; call after setting its slices and the states.
  std::optional<Violation> evaluate(LagReader readLag);

private:
  struct Instruction {
    pattern::StepOp op;
    llvm::SmallVector<unsigned, 3> operandSlots;
    unsigned resultSlot;
    std::vector<pattern::StepValue> operands;
  };
  std::optional<Violation> evaluate(Instruction &instruction, LagReader readLag);

  std::vector<pattern::StepValue> values_;
  llvm::DenseMap<mlir::Value, unsigned> slots_;
  std::vector<Instruction> perHead_, perToken_;
};

} // namespace linmu::interpreter
