#include "tests/unit/normalize_fixture.h"
#include "compiler/normalize/Normalize.h"
#include "compiler/normalize/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <cmath>

using namespace mlir;
using linmu::pattern::StepValue;

namespace linmu::test {

static constexpr std::int64_t batchSize = 2, tokenCount = 9, headCount = 2;

namespace {
struct Operand {
  const char *name, *features, *element;
  double low, high;
};
} // namespace

static const Operand tokenOperands[] = {
    {"q", "5", "f32", -1, 1},     {"k", "5", "f32", -0.6, 0.6}, {"l", "5", "f32", -0.6, 0.6},
    {"r", "5", "f32", -0.6, 0.6}, {"h", "5", "f32", -0.6, 0.6}, {"v", "4", "f32", -1, 1},
    {"u", "4", "f32", -1, 1},     {"g", "", "f32", -2, 2},      {"b", "", "f32", 0, 1},
    {"c", "", "f32", 0, 1},       {"d", "5", "f32", 0, 1},      {"on", "", "i1", 0, 2},
    {"id", "", "i32", 0, 3},
};

static std::string features(const std::string &text) { return text.empty() ? "" : text + "x"; }

std::string textOf(const Step &step) {
  static const char *stateNames[] = {"S", "T", "U"};
  std::string arguments, tokens, states, stateResults, resultTypes, results, outputTypes;
  for (const Operand &operand : tokenOperands) {
    std::string upper = std::string("%all_") + operand.name;
    std::string type = "tensor<?x?x2x" + features(operand.features) + operand.element + ">";
    arguments += upper + ": " + type + ", ";
    tokens += std::string(tokens.empty() ? "%" : ", %") + operand.name + " = " + upper + " : " + type;
  }
  arguments += "%all_P: tensor<2x5xf32>";
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    results += (i ? ", %o" : "%o") + std::to_string(i);
    outputTypes += (i ? ", tensor<?x?x2x" : "tensor<?x?x2x") + features(step.outputs[i]) + "f32>";
  }
  resultTypes = outputTypes;
  for (size_t i = 0; i < step.states.size(); ++i) {
    std::string name = stateNames[i], type = "tensor<?x2x" + features(step.states[i]) + "f32>";
    arguments += ", %all_" + name + ": " + type;
    states += (i ? ", %" : "%") + name + " = %all_" + name + " : " + type;
    results += ", %final_" + name;
    resultTypes += ", " + type;
  }
  return "!K = tensor<5xf32>\n!V = tensor<4xf32>\n!M = tensor<5x4xf32>\n!T = tensor<4x5xf32>\n"
         "func.func @f(" +
         arguments +
         (step.clauses.empty()
              ? "\n"
              : ",\n%order: tensor<?x?xi32>, %mask: tensor<?x?xi1>, %segment: tensor<?x?xi32>") +
         ") -> (" + resultTypes + ") {\n" + results + " = pattern.scan " + (step.reverse ? "reverse" : "") +
         "\nparams(%P = %all_P : tensor<2x5xf32>)\ntokens(" + tokens + ") states(" + states + ")\n" +
         step.clauses + " -> (" + outputTypes + ") {\n" + step.text + "\n}\nreturn " + results + " : " +
         resultTypes + "\n}\n";
}

std::vector<HostTensor> operandsFor(func::FuncOp function, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<HostTensor> inputs;
  for (BlockArgument argument : function.getArguments()) {
    auto type = cast<RankedTensorType>(argument.getType());
    std::vector<std::int64_t> shape = type.getShape().vec();
    if (type.isDynamicDim(0))
      shape[0] = batchSize;
    if (type.getRank() > 1 && type.isDynamicDim(1))
      shape[1] = tokenCount;
    size_t index = argument.getArgNumber();
    if (index < std::size(tokenOperands)) {
      const Operand &operand = tokenOperands[index];
      HostTensor tensor = randomTensor(shape, operand.low, operand.high, random);
      if (!type.getElementType().isF32()) {
        tensor.dtype = type.getElementType().isInteger(1) ? DType::i1 : DType::i32;
        for (double &element : tensor.elements)
          element = std::floor(element);
      }
      inputs.push_back(tensor);
    } else if (type.getElementType().isF32()) {
      inputs.push_back(randomTensor(shape, -1, 1, random));
    } else if (type.getElementType().isInteger(1)) {
      inputs.push_back(randomMask(shape, random));
    } else if (index + 1 == function.getNumArguments()) {
      inputs.push_back(randomTensor(shape, 0, 2, random));
      inputs.back().dtype = DType::i32;
      for (double &element : inputs.back().elements)
        element = std::floor(element);
    } else {
      inputs.push_back(randomOrder(shape[0], shape[1], random));
    }
  }
  return inputs;
}

void normalize(func::FuncOp function) {
  PassManager passes(function.getContext());
  passes.addPass(createExpandClausesPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createNormalizePass());
  EXPECT_TRUE(succeeded(passes.run(function->getParentOfType<ModuleOp>())));
}

//===------------------------------------------------------------------------------------------------===//
// What a normal form computes
//===------------------------------------------------------------------------------------------------===//

namespace {
/// One head of one sequence.
struct Walk {
  mutable pattern::NormalScanOp scan; ///< accessors of ops are not const
  const llvm::DenseMap<Value, const HostTensor *> &operands;
  std::int64_t batch, head;

  std::int64_t tokenAt(std::int64_t step) const {
    std::int64_t position = scan.getReverse() ? tokenCount - 1 - step : step;
    return scan.getOrder() ? operands.lookup(scan.getOrder())->elements[batch * tokenCount + position]
                           : position;
  }

  /// A row of a tensor with `leading` axes before its features, of which the last is that of heads, if any.
  StepValue slice(Type type, const HostTensor &tensor, std::int64_t outer, bool heads = true) const {
    auto shaped = dyn_cast<RankedTensorType>(type);
    StepValue value = StepValue::filled(shaped ? shaped.getShape().vec() : std::vector<std::int64_t>{}, 0);
    std::int64_t size = value.elements.size(), row = heads ? outer * headCount + head : outer;
    std::copy_n(tensor.elements.begin() + row * size, size, value.elements.begin());
    return value;
  }

  StepValue token(unsigned index, Type type, std::int64_t step) const {
    Value operand = scan.getTokens()[index];
    bool heads = cast<RankedTensorType>(operand.getType()).getRank() > 2;
    return slice(type, *operands.lookup(operand), batch * tokenCount + tokenAt(step), heads);
  }

  /// The values of a block's ops, given its arguments.
  llvm::DenseMap<Value, StepValue> evaluate(Block &block, const std::vector<StepValue> &arguments,
                                            std::int64_t step) const {
    llvm::DenseMap<Value, StepValue> values;
    for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
      values[argument] = value;
    for (Operation &op : block.without_terminator()) {
      std::vector<StepValue> inputs;
      for (Value operand : op.getOperands())
        inputs.push_back(values.at(operand));
      StepValue result;
      if (auto lag = dyn_cast<pattern::LagOp>(op)) {
        unsigned index = cast<BlockArgument>(lag.getSource()).getArgNumber() - scan.getParams().size();
        std::int64_t before = step - std::int64_t(lag.getDistance());
        if (before >= 0)
          result = token(index, lag.getType(), before);
        else
          result = inputs.size() > 1 ? inputs[1] : StepValue::filled(inputs[0].shape, 0);
      } else {
        result = cast<pattern::StepOp>(op).evaluate(inputs);
      }
      values[op.getResult(0)] = result;
    }
    return values;
  }
};

/// A state, K x V, with its key axis.
struct State {
  StepValue stored;
  std::int64_t keys, values;
  bool transposed;

  State(pattern::FormOp form, StepValue initial)
      : stored(std::move(initial)), transposed(form.getKeyAxis() == 1) {
    std::int64_t axis = form.getKeyAxis(); // the accessor is unsigned
    keys = axis < 0 ? 1 : stored.shape[axis];
    values = stored.elements.size() / keys;
  }
  double &at(std::int64_t i, std::int64_t j) {
    return stored.elements[transposed ? j * keys + i : i * values + j];
  }

  StepValue read(const StepValue &key, Type type) {
    StepValue result = StepValue::filled({}, 0);
    result.elements.assign(values, 0);
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      result.shape = tensor.getShape().vec();
    for (std::int64_t i = 0; i < keys; ++i)
      for (std::int64_t j = 0; j < values; ++j)
        result.elements[j] += key.elements.at(i) * at(i, j);
    return result;
  }
};
} // namespace

/// What is left of coupled states, from `states` on.
static void mix(pattern::FormOp form, const llvm::DenseMap<Value, StepValue> &values, State *states) {
  std::vector<State> before(states, states + form.getStates());
  for (State &state : llvm::MutableArrayRef(states, form.getStates()))
    std::fill(state.stored.elements.begin(), state.stored.elements.end(), 0);
  for (auto [term, factor] : llvm::enumerate(form.getCoupling())) {
    auto &to = states[form.getCouplingIndex()[2 * term]].stored.elements;
    const auto &from = before[form.getCouplingIndex()[2 * term + 1]].stored.elements;
    for (size_t i = 0; i < to.size(); ++i)
      to[i] += values.at(factor).elements[0] * from[i];
  }
}

std::vector<HostTensor> runNormalForm(func::FuncOp function, const std::vector<HostTensor> &inputs) {
  auto scan = cast<pattern::NormalScanOp>(function.getBody().front().front());
  llvm::DenseMap<Value, const HostTensor *> operands;
  for (auto [argument, input] : llvm::zip_equal(function.getArguments(), inputs))
    operands[argument] = &input;
  std::vector<HostTensor> results;
  for (Value result : scan->getResults()) {
    std::vector<std::int64_t> shape = cast<RankedTensorType>(result.getType()).getShape().vec();
    shape[0] = batchSize;
    if (results.size() < scan.getOutputs().size())
      shape[1] = tokenCount;
    std::int64_t size = 1;
    for (std::int64_t extent : shape)
      size *= extent;
    results.push_back({DType::f32, shape, std::vector<double>(size, NAN)});
  }
  auto store = [&](HostTensor &tensor, std::int64_t row, const StepValue &value) {
    llvm::copy(value.elements, tensor.elements.begin() + row * value.elements.size());
  };
  for (std::int64_t batch = 0; batch < batchSize; ++batch)
    for (std::int64_t head = 0; head < headCount; ++head) {
      Walk walk{scan, operands, batch, head};
      std::vector<State> states;
      for (unsigned index = 0; index < scan.getNumStates(); ++index) {
        Type slice = pattern::sliceType(cast<RankedTensorType>(scan.getFinals()[index].getType()), 2);
        Value init = scan.getInitOf(index);
        states.emplace_back(scan.getForm(scan.getStageOf(index)),
                            walk.slice(slice, *operands.lookup(init), batch));
      }
      for (std::int64_t step = 0; step < tokenCount; ++step) {
        std::vector<StepValue> arguments;
        Block &finish = scan.getFinish();
        for (unsigned index = 0; index < scan.getParams().size(); ++index)
          arguments.push_back(
              walk.slice(finish.getArgument(index).getType(), *operands.lookup(scan.getParams()[index]), 0));
        for (unsigned index = 0; index < scan.getTokens().size(); ++index)
          arguments.push_back(
              walk.token(index, finish.getArgument(scan.getParams().size() + index).getType(), step));
        for (unsigned stage = 0; stage < scan.getNumStages(); ++stage) {
          pattern::FormOp form = scan.getForm(stage);
          unsigned first = scan.getFirstState(stage);
          State *own = &states[first], &state = *own;
          Type valueType = form.getValueType(
              pattern::sliceType(cast<RankedTensorType>(scan.getFinals()[first].getType()), 2));
          auto values = walk.evaluate(scan.getStage(stage), arguments, step);
          std::vector<StepValue> reads, writes;
          for (auto [index, key] : llvm::enumerate(form.getReads()))
            reads.push_back(form.getInclusive()[index]
                                ? StepValue()
                                : own[form.getStateOfRead(index)].read(values.at(key), valueType));
          for (Value value : form.getValues())
            writes.push_back(values.at(value));
          for (size_t term = 0; term < form.getFeedback().size(); ++term) {
            double coefficient = values.at(form.getFeedback()[term]).elements[0];
            StepValue &write = writes[form.getFeedbackIndex()[2 * term]];
            const StepValue &read = reads[form.getFeedbackIndex()[2 * term + 1]];
            for (size_t j = 0; j < write.elements.size(); ++j)
              write.elements[j] += coefficient * read.elements[j];
          }
          if (form.isCoupled())
            mix(form, values, own);
          for (std::int64_t i = 0; i < state.keys; ++i)
            for (std::int64_t j = 0; j < state.values; ++j) {
              if (Value decay = form.getDecay()) {
                const StepValue &g = values.at(decay);
                std::int64_t place = g.elements.size() == 1 ? 0 : i;
                state.at(i, j) *= std::exp(g.elements[place]);
                if (Value sign = form.getSign())
                  state.at(i, j) *= values.at(sign).elements[place];
              }
              if (Value decay = form.getValueDecay())
                state.at(i, j) *= std::exp(values.at(decay).elements[j]);
              if (Value sign = form.getValueSign())
                state.at(i, j) *= values.at(sign).elements[j];
              for (auto [index, key] : llvm::enumerate(form.getWrites()))
                for (std::int64_t to : form.getStatesOfWrite(index))
                  own[to].at(i, j) += values.at(key).elements[i] * writes[index].elements[j];
            }
          for (auto [index, key] : llvm::enumerate(form.getReads()))
            if (form.getInclusive()[index])
              reads[index] = own[form.getStateOfRead(index)].read(values.at(key), valueType);
          llvm::append_range(arguments, reads);
          llvm::append_range(arguments, writes);
        }
        auto values = walk.evaluate(finish, arguments, step);
        for (auto [index, output] : llvm::enumerate(finish.getTerminator()->getOperands()))
          store(results[index], (batch * tokenCount + walk.tokenAt(step)) * headCount + head,
                values.at(output));
      }
      for (auto [index, state] : llvm::enumerate(states))
        store(results[scan.getOutputs().size() + index], batch * headCount + head, state.stored);
    }
  // In the order in which the function returns them.
  std::vector<HostTensor> returned;
  for (Value value : function.getBody().front().getTerminator()->getOperands())
    returned.push_back(results[cast<OpResult>(value).getResultNumber()]);
  return returned;
}

std::string describe(func::FuncOp function) {
  Operation &op = function.getBody().front().front();
  std::string text;
  auto scan = dyn_cast<pattern::NormalScanOp>(op);
  if (!scan) {
    auto at = dyn_cast_or_null<FileLineColLoc>(op.getAttr(opaqueLocation));
    auto reason = op.getAttrOfType<StringAttr>(opaqueReason);
    return "opaque at " + std::to_string(at ? int(at.getLine()) - stepLine : -1) + ": " +
           (reason ? reason.str() : "without a reason");
  }
  for (unsigned stage = 0; stage < scan.getNumStages(); ++stage) {
    pattern::FormOp form = scan.getForm(stage);
    std::int64_t inclusive = llvm::count(form.getInclusive(), true);
    text += stage ? "; " : "";
    if (form.isCoupled())
      text += std::to_string(form.getStates()) + " states coupled by " +
              std::to_string(form.getCoupling().size());
    else
      text += (form.getDecay() || form.getValueDecay() ? form.getDecayKind().str() : "no") + " decay";
    text += ", reads " + std::to_string(form.getReads().size() - inclusive) + "+" +
            std::to_string(inclusive) + ", writes " + std::to_string(form.getWrites().size()) +
            ", feedback " + std::to_string(form.getFeedback().size());
  }
  return text;
}

} // namespace linmu::test
