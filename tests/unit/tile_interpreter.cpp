#include "tests/unit/tile_interpreter.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>
#include <stdexcept>

using namespace mlir;
using linmu::pattern::StepValue;

namespace linmu::test {
namespace {

StepValue shaped(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return StepValue::scalar(0);
  return StepValue::filled({tensor.getShape().begin(), tensor.getShape().end()}, 0);
}

double elementOf(const StepValue &matrix, bool transposed, int64_t i, int64_t j) {
  return transposed ? matrix.at(j, i) : matrix.at(i, j);
}

class Block {
public:
  Block(std::int64_t id, std::int64_t count) : id_(id), count_(count) {}
  void bindMemory(Value value, Memory *memory) { memory_[value] = memory; }
  void run(mlir::Block &block) {
    for (Operation &op : block)
      run(op);
  }

private:
  StepValue &get(Value value) {
    auto found = values_.find(value);
    if (found == values_.end())
      throw std::runtime_error("the interpreter met a value that has not been computed");
    return found->second;
  }
  std::int64_t integer(Value value) { return std::int64_t(get(value).elements[0]); }
  void set(Value value, StepValue result) { values_[value] = std::move(result); }

  void run(Operation &op);
  bool runShape(Operation &op);
  bool runAcross(Operation &op);
  void access(Value memory, OperandRange indices, StepValue &tile, Value mask, bool store);
  void loop(scf::ForOp op);

  std::int64_t id_, count_;
  llvm::DenseMap<Value, Memory *> memory_;
  llvm::DenseMap<Value, StepValue> values_;
};

/// Rows by the gathered axis, or one; the axes without index are taken whole and lie together in memory.
void Block::access(Value operand, OperandRange indices, StepValue &tile, Value mask, bool store) {
  Memory &memory = *memory_.at(operand);
  std::int64_t whole = 1, rows = 1;
  for (size_t axis = indices.size(); axis < memory.shape.size(); ++axis)
    whole *= memory.shape[axis];
  for (Value index : indices)
    if (!get(index).shape.empty())
      rows = get(index).shape[0];
  for (std::int64_t row = 0; row < rows; ++row) {
    if (mask && !get(mask).elements[get(mask).shape.empty() ? 0 : row])
      continue;
    std::int64_t offset = 0;
    for (auto [axis, index] : llvm::enumerate(indices)) {
      const StepValue &value = get(index);
      std::int64_t position = std::int64_t(value.elements[value.shape.empty() ? 0 : row]);
      if (position < 0 || position >= memory.shape[axis])
        throw std::runtime_error("index " + std::to_string(position) + " of axis " + std::to_string(axis) +
                                 " is outside an extent of " + std::to_string(memory.shape[axis]));
      offset = offset * memory.shape[axis] + position;
    }
    for (std::int64_t i = 0; i < whole; ++i) {
      double &there = memory.elements[offset * whole + i], &here = tile.elements[row * whole + i];
      store ? there = here : here = there;
    }
  }
}

void Block::loop(scf::ForOp op) {
  std::vector<StepValue> carried;
  for (Value init : op.getInitArgs())
    carried.push_back(get(init));
  std::int64_t to = integer(op.getUpperBound()), step = integer(op.getStep());
  for (std::int64_t i = integer(op.getLowerBound()); i < to; i += step) {
    set(op.getInductionVar(), StepValue::scalar(double(i)));
    for (auto [argument, value] : llvm::zip(op.getRegionIterArgs(), carried))
      set(argument, value);
    run(*op.getBody());
    for (auto [value, yielded] : llvm::zip(carried, op.getBody()->getTerminator()->getOperands()))
      value = get(yielded);
  }
  for (auto [result, value] : llvm::zip(op.getResults(), carried))
    set(result, value);
}

bool Block::runShape(Operation &op) {
  if (auto load = dyn_cast<tile::LoadOp>(op)) {
    StepValue result = shaped(load.getType());
    access(load.getSource(), load.getIndices(), result, {}, false);
    set(load, result);
  } else if (isa<tile::PrefetchOp>(op)) {
    // A hint: it changes no value.
  } else if (auto store = dyn_cast<tile::StoreOp>(op)) {
    access(store.getDestination(), store.getIndices(), get(store.getValue()), store.getMask(), true);
  } else if (auto coordinate = dyn_cast<tile::CoordinateOp>(op)) {
    StepValue result = shaped(coordinate.getType());
    std::int64_t columns = result.shape.back();
    for (size_t i = 0; i < result.elements.size(); ++i)
      result.elements[i] =
          double(coordinate.getAxis() + 1 == std::uint64_t(result.shape.size()) ? i % columns : i / columns);
    set(coordinate, result);
  } else if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    StepValue result = shaped(broadcast.getType());
    const StepValue &source = get(broadcast.getSource());
    std::int64_t columns = result.shape.empty() ? 1 : result.shape.back();
    for (size_t i = 0; i < result.elements.size(); ++i)
      result.elements[i] = source.elements[source.shape.empty()        ? 0
                                           : *broadcast.getAxis() == 0 ? i / columns
                                                                       : i % columns];
    set(broadcast, result);
  } else if (auto extract = dyn_cast<tile::ExtractOp>(op)) {
    StepValue result = shaped(extract.getType());
    const StepValue &source = get(extract.getSource());
    std::int64_t size = result.elements.size(), index = integer(extract.getIndex());
    if (index < 0 || index >= source.shape[0])
      throw std::runtime_error("tile.extract is out of bounds");
    for (std::int64_t i = 0; i < size; ++i)
      result.elements[i] = source.elements[index * size + i];
    set(extract, result);
  } else if (auto transpose = dyn_cast<tile::TransposeOp>(op)) {
    StepValue result = shaped(transpose.getType());
    for (std::int64_t i = 0; i < result.shape[0]; ++i)
      for (std::int64_t j = 0; j < result.shape[1]; ++j)
        result.at(i, j) = get(transpose.getSource()).at(j, i);
    set(transpose, result);
  } else {
    return false;
  }
  return true;
}

/// The product of the column's decays of rows after `from`, up to `to`.
static double decayBetween(const StepValue &decays, std::int64_t from, std::int64_t to, std::int64_t column) {
  double product = 1;
  for (std::int64_t row = from + 1; row <= to; ++row)
    product *= decays.at(row, column);
  return product;
}

bool Block::runAcross(Operation &op) {
  if (auto dot = dyn_cast<tile::DotOp>(op)) {
    const StepValue &lhs = get(dot.getLhs()), &rhs = get(dot.getRhs());
    StepValue result = dot.getInit() ? get(dot.getInit()) : shaped(dot.getType());
    std::int64_t contracted = lhs.shape[dot.getTransposeLhs() ? 0 : 1];
    for (std::int64_t i = 0; i < result.shape[0]; ++i)
      for (std::int64_t j = 0; j < result.shape[1]; ++j) {
        // What a triangle leaves unspecified is poison, so that a use of it shows.
        if (dot.getTriangle() == tile::Triangle::result_lower && j > i)
          result.at(i, j) = NAN;
        for (std::int64_t k = 0; k < contracted; ++k)
          if (dot.getTriangle() != tile::Triangle::lhs_lower || k <= i)
            result.at(i, j) +=
                elementOf(lhs, dot.getTransposeLhs(), i, k) * elementOf(rhs, dot.getTransposeRhs(), k, j);
      }
    set(dot, result);
  } else if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
    StepValue source = get(reduce.getSource()), result = shaped(reduce.getType());
    std::vector<bool> started(result.elements.size());
    std::int64_t columns = source.shape.back();
    for (size_t i = 0; i < source.elements.size(); ++i) {
      size_t to = source.shape.size() == 1 ? 0 : reduce.getAxis() == 0 ? i % columns : i / columns;
      double element = source.elements[i], &total = result.elements[to];
      total = !started[to]                                ? element
              : reduce.getKind() == tile::ReduceKind::add ? total + element
              : reduce.getKind() == tile::ReduceKind::max ? std::max(total, element)
                                                          : std::min(total, element);
      started[to] = true;
    }
    set(reduce, result);
  } else if (auto cumsum = dyn_cast<tile::CumsumOp>(op)) {
    const StepValue source = get(cumsum.getSource());
    StepValue result = source;
    std::int64_t width = source.elements.size() / source.shape[0];
    for (size_t i = 0; i < source.elements.size(); ++i) {
      double before = std::int64_t(i) < width ? 0 : result.elements[i - width];
      double added = !cumsum.getExclusive()    ? source.elements[i]
                     : std::int64_t(i) < width ? 0
                                               : source.elements[i - width];
      result.elements[i] = before + added;
    }
    set(cumsum.getSum(), result);
    set(cumsum.getError(), StepValue::filled(result.shape, 0));
  } else if (auto cumprod = dyn_cast<tile::CumprodOp>(op)) {
    const StepValue source = get(cumprod.getSource());
    StepValue result = source;
    std::int64_t width = source.elements.size() / source.shape[0], rows = source.shape[0];
    for (std::int64_t column = 0; column < width; ++column) {
      double product = 1;
      for (std::int64_t step = 0; step < rows; ++step) {
        size_t at = (cumprod.getReversed() ? rows - 1 - step : step) * width + column;
        double before = product;
        product *= source.elements[at];
        result.elements[at] = cumprod.getExclusive() ? before : product;
      }
    }
    set(cumprod, result);
  } else if (auto solve = dyn_cast<tile::SolveOp>(op)) {
    size_t count = solve.getValues().size();
    std::vector<StepValue> solutions;
    for (Value value : solve.getValues())
      solutions.push_back(get(value));
    for (std::int64_t t = 0; t < solutions[0].shape[0]; ++t)
      for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < count; ++j)
          for (std::int64_t s = 0; s < t; ++s)
            for (std::int64_t v = 0; v < solutions[0].shape[1]; ++v)
              solutions[i].at(t, v) +=
                  get(solve.getSystems()[i * count + j]).at(t, s) * solutions[j].at(s, v);
    for (auto [result, solution] : llvm::zip(solve.getSolutions(), solutions))
      set(result, solution);
  } else if (auto scores = dyn_cast<tile::DecayScoresOp>(op)) {
    const StepValue &reads = get(scores.getReads()), &keys = get(scores.getKeys()),
                    &decays = get(scores.getDecays());
    StepValue result = shaped(scores.getType());
    std::int64_t late = scores.getExclusive() ? 1 : 0;
    for (std::int64_t t = 0; t < reads.shape[0]; ++t)
      for (std::int64_t s = 0; s <= t - late; ++s)
        for (std::int64_t k = 0; k < reads.shape[1]; ++k)
          result.at(t, s) += reads.at(t, k) * keys.at(s, k) * decayBetween(decays, s, t - late, k);
    set(scores, result);
  } else if (auto product = dyn_cast<tile::DecayValuesOp>(op)) {
    const StepValue &scores = get(product.getScores()), &values = get(product.getValues()),
                    &decays = get(product.getDecays());
    StepValue result = shaped(product.getType());
    std::int64_t late = product.getExclusive() ? 1 : 0;
    for (std::int64_t t = 0; t < values.shape[0]; ++t)
      for (std::int64_t s = 0; s <= t - late; ++s)
        for (std::int64_t v = 0; v < values.shape[1]; ++v)
          result.at(t, v) += scores.at(t, s) * values.at(s, v) * decayBetween(decays, s, t - late, v);
    set(product, result);
  } else {
    return false;
  }
  return true;
}

void Block::run(Operation &op) {
  if (runShape(op) || runAcross(op) || isa<scf::YieldOp>(op))
    return;
  auto scalar = [&](double value) { set(op.getResult(0), StepValue::scalar(value)); };
  if (auto loopOp = dyn_cast<scf::ForOp>(op))
    return loop(loopOp);
  if (auto choice = dyn_cast<scf::IfOp>(op)) {
    Region &region = integer(choice.getCondition()) ? choice.getThenRegion() : choice.getElseRegion();
    if (region.empty())
      return;
    run(region.front());
    for (auto [result, yielded] : llvm::zip(op.getResults(), region.front().getTerminator()->getOperands()))
      set(result, get(yielded));
    return;
  }
  if (isa<tile::BlockIdOp>(op))
    return scalar(double(id_));
  if (isa<tile::BlockCountOp>(op))
    return scalar(double(count_));
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return scalar(double(memory_.at(dim.getSource())->shape[integer(dim.getIndex())]));
  if (isa<arith::DivUIOp>(op)) {
    std::int64_t quotient = integer(op.getOperand(0)) / integer(op.getOperand(1));
    return scalar(double(quotient));
  }
  if (isa<arith::RemUIOp>(op))
    return scalar(double(integer(op.getOperand(0)) % integer(op.getOperand(1))));
  if (isa<arith::IndexCastOp, arith::ExtFOp, arith::TruncFOp>(op))
    return set(op.getResult(0), get(op.getOperand(0)));
  auto step = dyn_cast<pattern::StepOp>(op);
  if (!step)
    throw std::runtime_error("the interpreter does not know " + op.getName().getStringRef().str());
  std::vector<StepValue> operands;
  for (Value operand : op.getOperands())
    operands.push_back(get(operand));
  set(op.getResult(0), step.evaluate(operands));
}

tile::VariantOp variantFor(tile::ProgramOp program, std::int64_t tokens) {
  for (auto variant : program.getBody().getOps<tile::VariantOp>())
    if (std::int64_t(variant.getMinTokens()) <= tokens && tokens <= std::int64_t(variant.getMaxTokens()))
      return variant;
  throw std::runtime_error("no variant covers " + std::to_string(tokens) + " tokens");
}

} // namespace

std::string algorithmFor(tile::ProgramOp program, std::int64_t tokens) {
  return variantFor(program, tokens).getAlgorithm().str();
}

void interpret(tile::ProgramOp program, llvm::ArrayRef<Memory *> operands, std::int64_t batch,
               std::int64_t tokens) {
  llvm::DenseMap<Value, Memory *> memory;
  for (auto [argument, operand] : llvm::zip_equal(program.getBody().getArguments(), operands))
    memory[argument] = operand;
  std::vector<std::unique_ptr<Memory>> temporaries;
  for (auto temporary : program.getBody().getOps<tile::TemporaryOp>()) {
    ArrayRef<int64_t> type = cast<RankedTensorType>(temporary.getType()).getShape();
    std::vector<std::int64_t> shape(type.begin(), type.end());
    shape[0] = ShapedType::isDynamic(shape[0]) ? batch : shape[0];
    if (shape.size() > 1 && ShapedType::isDynamic(shape[1]))
      shape[1] = tokens;
    temporaries.push_back(std::make_unique<Memory>(StepValue::filled(shape, NAN)));
    memory[temporary] = temporaries.back().get();
  }
  for (auto launch : variantFor(program, tokens).getBody().getOps<tile::LaunchOp>()) {
    auto kernel = cast<tile::KernelOp>(SymbolTable::lookupSymbolIn(program, launch.getKernelAttr()));
    std::int64_t blocks = launch.getScale() * (launch.getTimesBatch() ? batch : 1);
    if (std::int64_t size = launch.getTokensPerBlock())
      blocks *= (tokens + size - 1) / size;
    for (std::int64_t id = 0; id < blocks; ++id) {
      Block block(id, blocks);
      for (auto [argument, operand] : llvm::zip_equal(kernel.getBody().getArguments(), launch.getOperands()))
        block.bindMemory(argument, memory.at(operand));
      block.run(kernel.getBody().front());
    }
  }
}

} // namespace linmu::test
