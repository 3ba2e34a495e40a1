#include "compiler/interpreter/Interpreter.h"
#include "compiler/frontend/Frontend.h"
#include "compiler/interpreter/Evaluation.h"
#include "runtime/core/error.h"
#include "runtime/core/operand_check.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;

/// The extents of the call, from operands that must agree on them.
static FailureOr<Call> bind(func::FuncOp function, const Signature &signature, ArrayRef<HostTensor> inputs) {
  std::vector<TensorView> views;
  for (const HostTensor &input : inputs) {
    // Only types and shapes are looked at; the elements are doubles.
    static double elements;
    TensorView view{&elements, input.dtype, int(input.shape.size())};
    if (view.rank > TensorView::maxRank)
      return function.emitError("requires operand #")
             << views.size() << " to have rank " << TensorView::maxRank << " at most, got rank " << view.rank;
    std::int64_t stride = 1;
    for (int axis = view.rank - 1; axis >= 0; --axis) {
      view.sizes[axis] = input.shape[axis];
      view.strides[axis] = stride;
      stride *= input.shape[axis];
    }
    if (stride != std::int64_t(input.elements.size()))
      return function.emitError("requires ")
             << stride << " elements of operand #" << views.size() << ", got " << input.elements.size();
    views.push_back(view);
  }
  try {
    Symbols symbols = checkOperands({signature.name, signature.inputs, {}}, views, {});
    return Call{symbols.batch, symbols.tokens};
  } catch (const Error &error) {
    return function.emitError(error.what());
  }
}

FailureOr<std::vector<HostTensor>> interpreter::run(func::FuncOp function, ArrayRef<HostTensor> inputs,
                                                    int threads) {
  auto signature = frontend::signatureOf(function);
  if (failed(signature))
    return failure();
  auto call = bind(function, *signature, inputs);
  if (failed(call))
    return failure();
  call->threads = threads;

  Values values;
  for (auto [argument, input] : llvm::zip(function.getArguments(), inputs))
    values[argument] = input;
  for (Operation &op : function.getBody().front().without_terminator()) {
    auto single = [&](FailureOr<HostTensor> result) -> FailureOr<std::vector<HostTensor>> {
      if (failed(result))
        return failure();
      std::vector<HostTensor> results;
      results.push_back(std::move(*result));
      return results;
    };
    auto results =
        llvm::TypeSwitch<Operation *, FailureOr<std::vector<HostTensor>>>(&op)
            .Case<pattern::ScanOp, pattern::MapOp, pattern::ScanAdjointOp, pattern::WindowAdjointOp>(
                [&](auto several) { return evaluate(several, values, *call); })
            .Case<pattern::TokenOrderOp, pattern::PermuteOp, pattern::WindowAttentionOp, pattern::ReduceOp,
                  pattern::InnerProductOp>([&](auto other) { return single(evaluate(other, values, *call)); })
            .Default([](Operation *other) { return other->emitOpError("has no interpreter"); });
    if (failed(results))
      return failure();
    for (auto [value, result] : llvm::zip(op.getResults(), *results))
      values[value] = std::move(result);
  }
  std::vector<HostTensor> results;
  for (Value value : function.getBody().front().getTerminator()->getOperands())
    results.push_back(values.at(value));
  return results;
}
