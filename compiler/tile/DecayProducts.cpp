#include "compiler/tile/DecayProducts.h"
#include "compiler/tile/Slices.h"
#include "compiler/tile/tile_cumulative.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

DecayProducts::DecayProducts(TileBuilder &builder, Value decays, bool exclusive)
    : builder_(builder), decays_(decays), exclusive_(exclusive) {
  Value products = cumulativeProduct(builder, decays, {});
  all_ = ExtractOp::create(builder, builder.f32Tile({extentOf(decays, 1)}), products,
                           builder.index(extentOf(decays, 0) - 1));
}

Value DecayProducts::allow() {
  // Counted, since a minimum leaves out what is not a number. Decays may be negative.
  Value least = builder_.splat(all_.getType(), 0x1p-64), most = builder_.splat(all_.getType(), -0x1p-64);
  Value enough =
      arith::OrIOp::create(builder_, arith::CmpFOp::create(builder_, arith::CmpFPredicate::OGT, all_, least),
                           arith::CmpFOp::create(builder_, arith::CmpFPredicate::OLT, all_, most));
  Value missing =
      builder_.select(enough, builder_.splat(all_.getType(), 0), builder_.splat(all_.getType(), 1));
  Value any = builder_.reduce(ReduceKind::max, missing, 0);
  return arith::CmpFOp::create(builder_, arith::CmpFPredicate::OEQ, any, builder_.splat(any.getType(), 0));
}

Value DecayProducts::whereAllowed(Type type, function_ref<Value()> products, function_ref<Value()> exactly) {
  auto branch = scf::IfOp::create(builder_, type, allow(), /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(builder_, products());
  builder_.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder_, exactly());
  return branch.getResult(0);
}

Value DecayProducts::read(Value rows) {
  return builder_.multiply(rows, cumulativeProduct(builder_, decays_, {.exclusive = exclusive_}));
}

Value DecayProducts::written(Value rows) {
  Value toEnd =
      builder_.multiply(rows, cumulativeProduct(builder_, decays_, {.exclusive = true, .reversed = true}));
  Value whole = builder_.divide(builder_.splat(all_.getType(), 1), all_);
  return builder_.multiply(toEnd, builder_.along(whole, 1, {extentOf(rows, 0), extentOf(rows, 1)}));
}

Value DecayProducts::visible(Value scores) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(scores.getType()).getShape();
  Value sees = builder_.compare(exclusive_ ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::sge,
                                builder_.coordinate(shape, 0), builder_.coordinate(shape, 1));
  return builder_.select(sees, scores, builder_.splat(scores.getType(), 0));
}
