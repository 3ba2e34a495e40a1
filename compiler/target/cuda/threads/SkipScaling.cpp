// Branches around multiplications by factors that are 1 most of the time.
#include "compiler/target/cuda/Passes.h"
#include "compiler/tile/tile_builder.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace linmu;

namespace linmu::cuda {
#define GEN_PASS_DEF_SKIPSCALING
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

namespace {
/// An element of a vector in registers.
using Element = std::pair<Value, int64_t>;

struct SkipScaling : linmu::cuda::impl::SkipScalingBase<SkipScaling> {
  using SkipScalingBase::SkipScalingBase;

  void runOnOperation() override {
    SmallVector<Block *> blocks;
    for (auto kernel : getOperation().getOps<tile::KernelOp>())
      kernel.getBody().walk([&](Block *block) { blocks.push_back(block); });
    for (Block *block : blocks)
      run(*block);
  }

private:
  void run(Block &block);
  void branchAround(ArrayRef<arith::MulFOp> products);
};
} // namespace

/// What the factors of a multiplication are taken from.
static Value sourceOf(Value factors) {
  auto shuffle = factors.getDefiningOp<vector::ShuffleOp>();
  return shuffle && shuffle.getV1() == shuffle.getV2() ? shuffle.getV1() : factors;
}

static void addElements(Value factors, llvm::SetVector<Element> &elements) {
  int64_t size = cast<VectorType>(factors.getType()).getNumElements();
  Value source = sourceOf(factors);
  if (source == factors) {
    for (int64_t at = 0; at < size; ++at)
      elements.insert({source, at});
    return;
  }
  int64_t period = cast<VectorType>(source.getType()).getNumElements();
  for (int64_t at : factors.getDefiningOp<vector::ShuffleOp>().getMask())
    if (at >= 0)
      elements.insert({source, at % period});
}

/// In groups of the same factors, up to the first use of one's result: there the group's branch stands.
void SkipScaling::run(Block &block) {
  llvm::MapVector<Value, SmallVector<arith::MulFOp>> open;
  auto close = [&](Value source) {
    branchAround(open[source]);
    open.erase(source);
  };
  for (Operation &op : llvm::make_early_inc_range(block)) {
    SmallVector<Value> used;
    for (auto &[source, products] : open)
      for (arith::MulFOp product : products)
        if (llvm::any_of(product->getUsers(), [&](Operation *user) {
              Operation *here = block.findAncestorOpInBlock(*user);
              return here == &op;
            })) {
          used.push_back(source);
          break;
        }
    llvm::for_each(used, close);
    auto product = dyn_cast<arith::MulFOp>(op);
    if (product && product->hasAttr(tile::usuallyOneAttribute) && isa<VectorType>(product.getType()))
      open[sourceOf(product.getRhs())].push_back(product);
  }
}

void SkipScaling::branchAround(ArrayRef<arith::MulFOp> products) {
  arith::MulFOp last = products.back();
  Location loc = last.getLoc();
  OpBuilder builder(last);
  llvm::SetVector<Element> elements;
  for (arith::MulFOp product : products)
    addElements(product.getRhs(), elements);
  Value isScaled;
  for (auto [source, at] : elements) {
    Value factor = vector::ExtractOp::create(builder, loc, source, at);
    Value one = arith::ConstantOp::create(builder, loc, builder.getFloatAttr(factor.getType(), 1));
    Value differs = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, factor, one);
    isScaled = isScaled ? Value(arith::OrIOp::create(builder, loc, isScaled, differs)) : differs;
  }
  SmallVector<Type> types;
  for (arith::MulFOp product : products)
    types.push_back(product.getType());
  auto branch = scf::IfOp::create(builder, loc, types, isScaled, /*withElseRegion=*/true);
  SmallVector<Value> scaled, same;
  for (auto [product, result] : llvm::zip_equal(products, branch.getResults())) {
    arith::MulFOp(product)->replaceAllUsesWith(ValueRange{result});
    same.push_back(arith::MulFOp(product).getLhs());
    scaled.push_back(arith::MulFOp(product).getResult());
  }
  builder.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(builder, loc, same);
  builder.setInsertionPointToEnd(branch.thenBlock());
  auto yield = scf::YieldOp::create(builder, loc, scaled);
  for (arith::MulFOp product : products) {
    product->moveBefore(yield);
    product->removeAttr(tile::usuallyOneAttribute);
    ++skipped;
  }
}
