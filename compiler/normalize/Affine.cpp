#include "compiler/normalize/Affine.h"

using namespace mlir;
using namespace linmu;

/// What is known of the forms of a scan's states by their key axes.
static std::vector<StateForm> shapesOf(pattern::ScanOp scan, ArrayRef<int> keyAxes) {
  std::vector<StateForm> states;
  Type f32 = Float32Type::get(scan.getContext());
  for (auto [argument, keyAxis] : llvm::zip(scan.getStateArguments(), keyAxes)) {
    StateForm form;
    form.keyAxis = keyAxis;
    form.slice = argument.getType();
    auto tensor = dyn_cast<RankedTensorType>(form.slice);
    auto axis = [&](int64_t which) -> Type { return RankedTensorType::get({tensor.getDimSize(which)}, f32); };
    bool matrix = tensor && tensor.getRank() == 2;
    form.keyType = keyAxis < 0 ? f32 : axis(keyAxis);
    form.valueType = matrix ? axis(1 - keyAxis) : tensor && keyAxis < 0 ? axis(0) : f32;
    states.push_back(form);
  }
  return states;
}

AffineAnalysis::AffineAnalysis(pattern::ScanOp scan, ArrayRef<int> keyAxes)
    : scan_(scan), symbols_(scan.getLoc()), states_(shapesOf(scan, keyAxes)), reads_(symbols_, states_),
      diagnosis_(scan), forms_(scan, symbols_, states_, reads_, diagnosis_), logarithms_(symbols_) {}

bool AffineAnalysis::run() {
  for (Operation &op : scan_.getBody().without_terminator()) {
    diagnosis_.suspect(op.getOperands(), forms_.wholeStates(op.getOperands()));
    if (!forms_.visit(op))
      return false;
    diagnosis_.follow(op);
  }
  if (!findGroups())
    return false;
  SmallVector<unsigned> every;
  for (unsigned state = 0; state < states_.size(); ++state) {
    every.push_back(state);
    diagnosis_.suspect(scan_.getYield().getStates()[state], state);
    if (!finishState(state))
      return false;
  }
  for (Value output : scan_.getYield().getOutputs()) {
    diagnosis_.suspect(output, forms_.wholeStates(output));
    auto value = forms_.freeOf(output, scan_.getYield());
    if (!value)
      return false;
    outputs_.push_back(*value);
  }
  makeReadsInclusive();
  diagnosis_.suspect({}, every);
  return orderStrata();
}
