#include "compiler/interpreter/Interpreter.h"
#include "compiler/frontend/Frontend.h"
#include "compiler/interpreter/Evaluation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;

static std::string textOf(ArrayRef<std::int64_t> shape) {
  std::string text = "[";
  for (auto [axis, extent] : llvm::enumerate(shape))
    text += (axis ? ", " : "") + std::to_string(extent);
  return text + "]";
}

static std::string textOf(const OperandSpec &spec) {
  static constexpr const char *symbols[] = {"", "batch", "tokens", "items"};
  std::string text = std::string(name(spec.dtype)) + " [";
  for (auto [axis, extent] : llvm::enumerate(spec.shape))
    text += (axis ? ", " : "") + (extent.kind == Extent::constant ? std::to_string(extent.value)
                                                                  : std::string(symbols[extent.kind]));
  return text + "]";
}

/// The extents of the call, from operands that must agree on them.
static FailureOr<Call> bind(func::FuncOp function, const Signature &signature, ArrayRef<HostTensor> inputs) {
  if (inputs.size() != signature.inputs.size())
    return function.emitError("requires ") << signature.inputs.size() << " operands, got " << inputs.size();
  Call call;
  std::optional<std::int64_t> batch, tokens;
  StringRef batchOwner, tokensOwner;
  for (auto [spec, input] : llvm::zip(signature.inputs, inputs)) {
    auto mismatch = [&] {
      return function.emitError("requires operand '")
             << spec.name << "' of type " << textOf(spec) << ", got " << std::string(name(input.dtype)) << " "
             << textOf(input.shape);
    };
    if (input.dtype != spec.dtype || input.shape.size() != spec.shape.size())
      return mismatch();
    std::int64_t count = 1;
    for (auto [extent, actual] : llvm::zip(spec.shape, input.shape)) {
      count *= actual;
      if (actual < 0 || (extent.kind == Extent::constant && actual != extent.value))
        return mismatch();
      if (extent.kind == Extent::batch && actual != 1) {
        if (batch && *batch != actual)
          return function.emitError("requires operand '")
                 << spec.name << "' to have 1 or " << *batch << " sequences, as '" << batchOwner
                 << "' has, got " << actual;
        batch = actual;
        batchOwner = spec.name;
      }
      if (extent.kind == Extent::tokens) {
        if (tokens && *tokens != actual)
          return function.emitError("requires operand '")
                 << spec.name << "' to have " << *tokens << " tokens, as '" << tokensOwner << "' has, got "
                 << actual;
        tokens = actual;
        tokensOwner = spec.name;
      }
    }
    if (count != std::int64_t(input.elements.size()))
      return function.emitError("requires ")
             << count << " elements of operand '" << spec.name << "', got " << input.elements.size();
  }
  call.batch = batch.value_or(1);
  call.tokens = tokens.value_or(0);
  return call;
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
            .Case<pattern::ScanOp, pattern::MapOp>([&](auto loop) { return evaluate(loop, values, *call); })
            .Case<pattern::TokenOrderOp, pattern::PermuteOp, pattern::WindowAttentionOp>(
                [&](auto other) { return single(evaluate(other, values, *call)); })
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
