// expand-macro-ops: macro ops in dots, running products, elementwise arithmetic, slices and inserts.
#include "compiler/tile/MacroOps.h"
#include "compiler/tile/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

namespace linmu::tile {
#define GEN_PASS_DEF_EXPANDMACROOPS
#include "compiler/tile/Passes.h.inc"
} // namespace linmu::tile

namespace {

constexpr StringLiteral macroOps[] = {DecayScoresOp::getOperationName(), DecayValuesOp::getOperationName(),
                                      DecayPathsOp::getOperationName(), SolveOp::getOperationName(),
                                      InverseOp::getOperationName()};

struct ExpandMacroOps : tile::impl::ExpandMacroOpsBase<ExpandMacroOps> {
  using ExpandMacroOpsBase::ExpandMacroOpsBase;

  void runOnOperation() override {
    if (failed(checkOptions()))
      return signalPassFailure();
    if (halves)
      expandPathsByHalves();
    // Inverses last, for solves may leave some.
    for (bool inverse : {false, true}) {
      SmallVector<Operation *> found;
      getOperation()->walk([&](Operation *op) {
        if (isWanted(op) && isa<InverseOp>(op) == inverse)
          found.push_back(op);
      });
      for (Operation *op : found)
        expand(op);
    }
  }

private:
  LogicalResult checkOptions() {
    if (subChunk < 1)
      return emitError(getOperation()->getLoc())
             << "expand-macro-ops requires sub-chunk of at least 1, got " << subChunk.getValue();
    for (const std::string &name : ops)
      if (!llvm::is_contained(macroOps, "tile." + name))
        return emitError(getOperation()->getLoc())
               << "expand-macro-ops knows no macro op '" << name
               << "'; write decay_scores, decay_values, decay_paths, solve or inverse";
    return success();
  }

  bool isWanted(Operation *op) {
    StringRef name = op->getName().getStringRef();
    return llvm::is_contained(macroOps, name) &&
           (ops.empty() || llvm::is_contained(ops, op->getName().stripDialect()));
  }

  /// With the values beside them.
  void expandPathsByHalves() {
    SmallVector<DecayPathsOp> found;
    getOperation()->walk([&](DecayPathsOp op) {
      if (isWanted(op))
        found.push_back(op);
    });
    for (DecayPathsOp op : found) {
      DecayGradients group = DecayGradients::of(op);
      for (DecayValuesOp *values : {&group.to_readers, &group.to_writers})
        if (*values && !isWanted(*values))
          *values = {};
      ++decayPaths;
      decayValues += (group.to_readers ? 1 : 0) + (group.to_writers ? 1 : 0);
      Operation *first = group.first();
      if (first == op)
        group = {op, {}, {}};
      TileBuilder builder(op->getLoc(), first);
      expandByHalves(builder, group);
    }
  }

  void expand(Operation *op) {
    TileBuilder builder(op->getLoc(), op);
    SmallVector<Value> results =
        TypeSwitch<Operation *, SmallVector<Value>>(op)
            .Case([&](DecayScoresOp scores) {
              ++decayScores;
              return SmallVector<Value>{expandDecayScores(builder, scores, subChunk, products, halves)};
            })
            .Case([&](DecayValuesOp values) {
              ++decayValues;
              return SmallVector<Value>{expandDecayValues(builder, values, subChunk, products, halves)};
            })
            .Case([&](DecayPathsOp paths) {
              ++decayPaths;
              return SmallVector<Value>{expandDecayPaths(builder, paths, subChunk)};
            })
            .Case([&](SolveOp solve) {
              ++solves;
              return solveByInverse ? tile::solveByInverse(builder, solve)
                                    : expandSolve(builder, solve, subChunk, diagonalInverses);
            })
            .Case([&](InverseOp inverse) {
              ++inverses;
              return expandInverse(builder, inverse, subChunk, diagonalInverses);
            });
    op->replaceAllUsesWith(results);
    op->erase();
  }
};

} // namespace
