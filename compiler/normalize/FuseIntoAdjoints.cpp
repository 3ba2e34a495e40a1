// fuse-into-adjoints: a map that makes what the gradients of a scan start from joins their stage.
#include "compiler/normalize/Normalize.h"
#include "compiler/normalize/Passes.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::pattern;

namespace linmu {
#define GEN_PASS_DEF_FUSEINTOADJOINTS
#include "compiler/normalize/Passes.h.inc"
} // namespace linmu

namespace {

/// Bytes of a token and head; tokens without heads count as one of them.
int64_t bytesOf(Value tokens) {
  auto type = cast<RankedTensorType>(tokens.getType());
  int64_t elements = 1;
  for (int64_t size : type.getShape().drop_front(std::min<size_t>(3, type.getRank())))
    elements *= size;
  return elements * type.getElementTypeBitWidth() / 8;
}

class Joining {
public:
  Joining(MapOp map, ScanAdjointOp adjoint) : map_(map), adjoint_(adjoint) {}

  /// Joins the two where the map is the same in any order and there is no more to read afterwards: the
  /// kernels of gradients read their tokens several times.
  bool run() {
    if (!map_.getParams().empty() || !map_.getTails().empty() || map_.getSegments() || map_.getSourceMask() ||
        map_.getHeads() != adjoint_.getHeads())
      return false;
    findNeeded();
    if (links_.empty() || !isPlain() || bytesRead() > bytesSaved())
      return false;
    join();
    return true;
  }

private:
  /// What of the map the stage takes, and what that is made of.
  void findNeeded() {
    YieldOp yield = map_.getYield();
    llvm::SetVector<Operation *> ops;
    for (auto [index, token] : llvm::enumerate(adjoint_.getTokens())) {
      if (token.getDefiningOp() != map_)
        continue;
      Value made = yield.getOutputs()[cast<OpResult>(token).getResultNumber()];
      links_[index] = made;
      BackwardSliceOptions options;
      options.inclusive = true;
      options.omitBlockArguments = true;
      options.filter = [&](Operation *op) { return op->getBlock() == &map_.getBody(); };
      if (made.getDefiningOp())
        (void)getBackwardSlice(made, &ops, options);
      note(made);
    }
    ops_ = topologicalSort(ops);
    for (Operation *op : ops_)
      for (Value operand : op->getOperands())
        note(operand);
  }

  void note(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      needed_.insert(argument.getArgNumber());
  }

  /// Without lags and matrices.
  bool isPlain() {
    return llvm::none_of(ops_, [](Operation *op) { return isa<LagOp>(op) || makesMatrix(*op); });
  }

  int64_t bytesRead() {
    int64_t bytes = 0;
    for (unsigned number : needed_)
      if (!llvm::is_contained(adjoint_.getTokens(), map_.getTokens()[number]))
        bytes += bytesOf(map_.getTokens()[number]);
    return bytes;
  }
  int64_t bytesSaved() {
    int64_t bytes = 0;
    for (auto [index, made] : links_)
      bytes += bytesOf(adjoint_.getTokens()[index]);
    return bytes;
  }

  void join() {
    auto stage = std::make_unique<Region>();
    Block &block = stage->emplaceBlock(), &old = adjoint_.getBody();
    SmallVector<Value> tokens;
    IRMapping mapping;
    auto add = [&](BlockArgument argument, Value operand) {
      auto known = llvm::find(tokens, operand);
      unsigned place = known - tokens.begin();
      if (known == tokens.end()) {
        tokens.push_back(operand);
        block.addArgument(argument.getType(), argument.getLoc());
      }
      mapping.map(argument, block.getArgument(place));
    };
    for (auto [argument, operand] : llvm::zip(old.getArguments(), adjoint_.getTokens()))
      if (!links_.contains(argument.getArgNumber()))
        add(argument, operand);
    llvm::SmallVector<unsigned> numbers = needed_.takeVector();
    llvm::sort(numbers);
    for (unsigned number : numbers)
      add(map_.getBody().getArgument(number), map_.getTokens()[number]);
    OpBuilder inside(adjoint_.getContext());
    inside.setInsertionPointToEnd(&block);
    for (Operation *op : ops_)
      inside.clone(*op, mapping);
    for (auto [index, made] : links_)
      mapping.map(old.getArgument(index), mapping.lookup(made));
    for (Operation &op : old)
      inside.clone(op, mapping);

    OpBuilder builder(adjoint_);
    auto joined = ScanAdjointOp::create(
        builder, adjoint_.getLoc(), adjoint_.getGradients().getTypes(),
        adjoint_.getInitGradients().getTypes(), tokens, adjoint_.getInits(), adjoint_.getOrder(),
        adjoint_.getSequences(), adjoint_.getReadCotangents(), adjoint_.getWriteCotangents(),
        adjoint_.getFinalCotangents(), adjoint_.getReverse(), adjoint_.getReadNumbers(),
        adjoint_.getWriteNumbers(), adjoint_.getFinalNumbers(), adjoint_.getInitNumbers());
    joined.getStage().takeBody(*stage);
    adjoint_.replaceAllUsesWith(joined);
    adjoint_.erase();
    adjoint_ = joined;
  }

  MapOp map_;
  ScanAdjointOp adjoint_;
  llvm::MapVector<unsigned, Value> links_; ///< by token of the gradients, what the map yields for it
  llvm::SetVector<Operation *> ops_;
  llvm::SetVector<unsigned> needed_; ///< arguments of the map's body
};

struct FuseIntoAdjoints : linmu::impl::FuseIntoAdjointsBase<FuseIntoAdjoints> {
  using FuseIntoAdjointsBase::FuseIntoAdjointsBase;

  void runOnOperation() override {
    for (auto map : llvm::make_early_inc_range(getOperation().getOps<MapOp>())) {
      llvm::SetVector<Operation *> users(map->getUsers().begin(), map->getUsers().end());
      for (Operation *user : users)
        if (auto adjoint = dyn_cast<ScanAdjointOp>(user); adjoint && Joining(map, adjoint).run())
          ++fused;
      if (map.use_empty())
        map.erase();
    }
  }
};

} // namespace

std::unique_ptr<Pass> linmu::createFuseIntoAdjointsPass() { return std::make_unique<FuseIntoAdjoints>(); }
