// Derived programs by the fp64 interpreter after expand-macro-ops: solves by rows and by an inverse agree.
#include "compiler/tile/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "tests/unit/derive_fixture.h"
#include <stdexcept>

namespace linmu::test {

void registerBackend(mlir::DialectRegistry &) {}

static void executeExpanded(Derived &derived, const tile::ExpandMacroOpsOptions &options,
                            llvm::ArrayRef<Memory *> operands, const interpreter::Extents &extents) {
  mlir::OwningOpRef<mlir::ModuleOp> module = derived.module().clone();
  mlir::PassManager passes(module->getContext());
  passes.addPass(tile::createExpandMacroOps(options));
  if (failed(passes.run(*module)))
    throw std::runtime_error("expand-macro-ops failed: " + derived.diagnostics());
  module->walk([](mlir::Operation *op) {
    if (llvm::isa<tile::DecayScoresOp, tile::DecayValuesOp, tile::DecayPathsOp, tile::SolveOp,
                  tile::InverseOp>(op))
      throw std::runtime_error("expand-macro-ops left " + op->getName().getStringRef().str());
  });
  interpreter::run(*module->getOps<tile::ProgramOp>().begin(), operands, extents);
}

static bool hasSolve(Derived &derived) {
  return derived.program().walk([](tile::SolveOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted();
}

void execute(Derived &derived, llvm::ArrayRef<Memory *> operands, std::int64_t batch, std::int64_t tokens) {
  std::vector<Memory> others;
  std::vector<Memory *> pointers;
  for (Memory *operand : operands)
    others.push_back(*operand);
  for (Memory &operand : others)
    pointers.push_back(&operand);
  executeExpanded(derived, {}, operands, {.batch = batch, .tokens = tokens});
  if (!hasSolve(derived))
    return;
  tile::ExpandMacroOpsOptions byInverse;
  byInverse.solveByInverse = true;
  executeExpanded(derived, byInverse, pointers, {.batch = batch, .tokens = tokens});
  for (size_t i = derived.program().getNumInputs(); i < operands.size(); ++i)
    // The order of sums alone differs.
    EXPECT_LT(worstDifference(others[i], *operands[i]), 1e-11) << "result " << i;
}

double tolerance(double exact, double) { return exact; }

} // namespace linmu::test
