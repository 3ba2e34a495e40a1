#include "compiler/normalize/Affine.h"
#include "compiler/normalize/Logarithm.h"
#include "compiler/normalize/Ranges.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace linmu {

static std::string nameOf(Operation *op) { return ("'" + op->getName().getStringRef() + "'").str(); }

bool AffineAnalysis::fail(const Twine &reason, Operation *at, int ofOrientation) {
  if (opaque_.reason.empty())
    opaque_ = {reason.str(), at, ofOrientation, suspects_};
  return false;
}

void AffineAnalysis::suspect(ValueRange values, ArrayRef<unsigned> whole) {
  suspects_.assign(whole.begin(), whole.end());
  llvm::BitVector behind(states_.size());
  for (Value value : values)
    if (auto found = behind_.find(value); found != behind_.end())
      behind |= found->second;
  for (unsigned state : behind.set_bits()) {
    auto tensor = dyn_cast<RankedTensorType>(states_[state].slice);
    if (tensor && tensor.getRank() == 1 && !llvm::is_contained(suspects_, state))
      suspects_.push_back(state);
  }
}

Operation *AffineAnalysis::originOf(Value expression, Operation *otherwise) {
  llvm::SetVector<Value> work;
  if (expression)
    work.insert(expression);
  // Breadth first: an expression of the analysis' own is the fault of what it is made of.
  for (size_t next = 0; next < work.size(); ++next) {
    Value value = work[next];
    // Ops that clauses of the scan became stand at the scan.
    if (Operation *origin = origins_.lookup(value);
        origin && !symbols_.constantOf(value) && origin->getLoc() != scan_.getLoc())
      return origin;
    if (Operation *op = value.getDefiningOp())
      work.insert(op->operand_begin(), op->operand_end());
  }
  return otherwise;
}

AffineAnalysis::AffineAnalysis(pattern::ScanOp scan, ArrayRef<int> keyAxes)
    : scan_(scan), symbols_(scan.getContext()) {
  symbols_.setLocation(scan.getLoc());
  for (BlockArgument argument : scan.getBody().getArguments())
    if (!llvm::is_contained(scan.getStateArguments(), argument))
      free_[argument] = symbols_.addArgument(argument.getType(), argument.getLoc());
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
    states_.push_back(form);
  }
  feedback_.resize(states_.size());
}

//===------------------------------------------------------------------------------------------------===//
// Reads
//===------------------------------------------------------------------------------------------------===//

Value AffineAnalysis::readSymbol(unsigned state, Value key, bool inclusive, Location location) {
  StateForm &form = states_[state];
  for (const StateRead &read : form.reads)
    if (read.key == key && read.inclusive == inclusive)
      return read.symbol;
  Value symbol = symbols_.addArgument(form.valueType, location);
  readOf_[symbol] = {state, unsigned(form.reads.size())};
  form.reads.push_back({key, symbol, inclusive});
  return symbol;
}

const llvm::SmallDenseSet<unsigned> &AffineAnalysis::dependencies(Value value) {
  static const llvm::SmallDenseSet<unsigned> none;
  if (!value)
    return none;
  // An expression and the key of a read are made before what uses them: what is known stays so.
  SmallVector<Value> work{value};
  while (!work.empty()) {
    Value next = work.back();
    if (dependencies_.contains(next)) {
      work.pop_back();
      continue;
    }
    SmallVector<Value> sources;
    llvm::SmallDenseSet<unsigned> result;
    if (auto read = readOf_.find(next); read != readOf_.end()) {
      result.insert(read->second.first);
      // What is read depends on the key that it is read with.
      sources.push_back(states_[read->second.first].reads[read->second.second].key);
    } else if (Operation *op = next.getDefiningOp()) {
      sources.append(op->operand_begin(), op->operand_end());
    }
    size_t before = work.size();
    for (Value source : sources)
      if (auto known = dependencies_.find(source); known != dependencies_.end())
        result.insert(known->second.begin(), known->second.end());
      else
        work.push_back(source);
    if (work.size() == before) {
      dependencies_.try_emplace(next, std::move(result));
      work.pop_back();
    }
  }
  return dependencies_.find(value)->second;
}

//===------------------------------------------------------------------------------------------------===//
// Forms of values
//===------------------------------------------------------------------------------------------------===//

bool AffineAnalysis::dependsOnState(Value value) const {
  auto found = matrices_.find(value);
  return found != matrices_.end() && found->second.state >= 0;
}

std::optional<Value> AffineAnalysis::freeOf(Value value, Operation *at) {
  if (auto found = free_.find(value); found != free_.end())
    return found->second;
  bool state = dependsOnState(value);
  bool vector = cast<RankedTensorType>(value.getType()).getRank() == 1;
  fail(nameOf(at) + (state ? " needs the whole state at once" : " needs a whole matrix"), at,
       state ? 1 + vector : 0);
  return std::nullopt;
}

std::optional<MatrixForm> AffineAnalysis::matrixOf(Value value) {
  if (auto found = matrices_.find(value); found != matrices_.end())
    return found->second;
  auto found = free_.find(value);
  auto vector = dyn_cast<RankedTensorType>(value.getType());
  if (found == free_.end() || !vector || vector.getRank() != 1)
    return std::nullopt;
  // A vector along the key axis, as a matrix of one column.
  MatrixForm form;
  for (auto [column, scale] : columnsOf(found->second))
    form.terms.push_back(factored({column, {}, scale}));
  return form;
}

/// Sums of what has the key already; null is one.
static void addColumn(Symbols &symbols, AffineAnalysis::Columns &columns, Value vector, Value scale) {
  auto [entry, inserted] = columns.try_emplace(vector, scale);
  if (inserted)
    return;
  Value one = symbols.constant(getElementTypeOrSelf(vector.getType()), 1);
  entry->second = symbols.add(entry->second ? entry->second : one, scale ? scale : one);
}

const AffineAnalysis::Columns &AffineAnalysis::columnsOf(Value vector) {
  if (auto found = columns_.find(vector); found != columns_.end())
    return *found->second;
  auto columns = std::make_unique<Columns>();
  auto append = [&](Value part, llvm::function_ref<Value(Value)> scaled) {
    for (auto [column, scale] : columnsOf(part))
      addColumn(symbols_, *columns, column, scaled(scale));
  };
  auto same = [](Value scale) { return scale; };
  auto negated = [&](Value scale) {
    return scale ? symbols_.negate(scale) : symbols_.constant(getElementTypeOrSelf(vector.getType()), -1);
  };
  auto appendScaled = [&](Value part, Value scalar) {
    append(part, [&](Value scale) { return multiplyPart(scale, scalar); });
    return true;
  };
  // Whether the op is taken apart. What is free of states is a key as it is.
  auto takeApart = [&](Operation *op) {
    if (!op || dependencies(vector).empty())
      return false;
    if (isa<arith::AddFOp, arith::SubFOp>(op)) {
      append(op->getOperand(0), same);
      append(op->getOperand(1), isa<arith::SubFOp>(op) ? llvm::function_ref<Value(Value)>(negated) : same);
      return true;
    }
    if (isa<arith::NegFOp>(op)) {
      append(op->getOperand(0), negated);
      return true;
    }
    if (auto div = dyn_cast<arith::DivFOp>(op))
      if (Value scalar = symbols_.scalarBehind(div.getRhs()))
        return appendScaled(div.getLhs(), symbols_.divide(symbols_.constant(scalar.getType(), 1), scalar));
    if (auto mul = dyn_cast<arith::MulFOp>(op))
      for (unsigned side : {0, 1})
        if (Value scalar = symbols_.scalarBehind(mul->getOperand(side)))
          return appendScaled(mul->getOperand(1 - side), scalar);
    return false;
  };
  if (!takeApart(vector.getDefiningOp()))
    addColumn(symbols_, *columns, vector, {});
  return *(columns_[vector] = std::move(columns));
}

Value AffineAnalysis::multiplyPart(Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return symbols_.multiply(a, b);
}

RankOne AffineAnalysis::multiply(const RankOne &a, const RankOne &b) {
  return {multiplyPart(a.column, b.column), multiplyPart(a.row, b.row), multiplyPart(a.scale, b.scale)};
}

RankOne AffineAnalysis::factored(RankOne term) {
  for (Value *part : {&term.column, &term.row})
    if (*part) {
      auto [vector, scale] = symbols_.factor(*part);
      *part = vector;
      term.scale = multiplyPart(term.scale, scale);
    }
  if (term.scale && symbols_.isConstant(term.scale, 1))
    term.scale = {};
  return term;
}

void AffineAnalysis::mergeTerms(MatrixForm &form) {
  if (form.state >= 0 || form.terms.size() < 2)
    return;
  bool columns = llvm::none_of(form.terms, [](const RankOne &term) { return bool(term.row); });
  bool rows = llvm::none_of(form.terms, [](const RankOne &term) { return bool(term.column); });
  if (!columns && !rows)
    return;
  auto part = [&](const RankOne &term) { return columns ? term.column : term.row; };
  Type type = Float32Type::get(scan_.getContext());
  for (const RankOne &term : form.terms)
    if (Value vector = part(term))
      type = vector.getType();
  Value sum = symbols_.constant(type, 0);
  for (const RankOne &term : form.terms) {
    Value one = symbols_.constant(type, 1);
    Value scale = term.scale ? symbols_.spread(term.scale, type) : one;
    sum = symbols_.add(sum, part(term) ? symbols_.multiply(part(term), scale) : scale);
  }
  RankOne merged;
  (!isa<RankedTensorType>(type) ? merged.scale : columns ? merged.column : merged.row) = sum;
  form.terms = {factored(merged)};
}

std::optional<MatrixForm> AffineAnalysis::add(MatrixForm a, MatrixForm b, bool subtract, Operation *at) {
  if (a.state >= 0 && b.state >= 0 && a.state != b.state) {
    fail(nameOf(at) + " mixes two states element by element: chunks would need running products of the "
                      "matrices that mix them",
         at);
    return std::nullopt;
  }
  if (subtract) {
    auto negate = [&](RankOne &term) {
      Type f32 = Float32Type::get(at->getContext());
      term.scale = term.scale ? symbols_.negate(term.scale) : symbols_.constant(f32, -1);
    };
    for (RankOne &term : b.terms)
      negate(term);
    if (b.state >= 0)
      negate(b.scale);
  }
  // Like terms are one term: what both sides share would be there twice as often with each sum.
  Type scalarType = Float32Type::get(at->getContext());
  for (const RankOne &term : b.terms) {
    auto like = llvm::find_if(
        a.terms, [&](const RankOne &other) { return other.column == term.column && other.row == term.row; });
    if (like == a.terms.end()) {
      a.terms.push_back(term);
      continue;
    }
    Value one = symbols_.constant(scalarType, 1);
    like->scale = symbols_.add(like->scale ? like->scale : one, term.scale ? term.scale : one);
  }
  if (b.state < 0)
    return a;
  if (a.state < 0) {
    a.state = b.state;
    a.scale = b.scale;
    return a;
  }
  // Both scale the same state: their sum must be a product of parts again.
  Type f32 = Float32Type::get(at->getContext());
  auto scalar = [&](const RankOne &scale) { return scale.scale ? scale.scale : symbols_.constant(f32, 1); };
  auto whole = [&](Value part, const RankOne &scale) {
    Value spread = symbols_.spread(scalar(scale), part.getType());
    return spread;
  };
  if (a.scale.column == b.scale.column && a.scale.row == b.scale.row) {
    a.scale.scale = symbols_.add(scalar(a.scale), scalar(b.scale));
  } else if (a.scale.row == b.scale.row) {
    Value shape = a.scale.column ? a.scale.column : b.scale.column;
    auto column = [&](const RankOne &scale) {
      Value spread = whole(shape, scale);
      return scale.column ? symbols_.multiply(scale.column, spread) : spread;
    };
    a.scale = {symbols_.add(column(a.scale), column(b.scale)), a.scale.row, {}};
  } else if (a.scale.column == b.scale.column) {
    Value shape = a.scale.row ? a.scale.row : b.scale.row;
    auto row = [&](const RankOne &scale) {
      Value spread = whole(shape, scale);
      return scale.row ? symbols_.multiply(scale.row, spread) : spread;
    };
    a.scale = {a.scale.column, symbols_.add(row(a.scale), row(b.scale)), {}};
  } else {
    fail(nameOf(at) + " scales the state by a full matrix", at);
    return std::nullopt;
  }
  return a;
}

std::optional<Value> AffineAnalysis::contract(const MatrixForm &matrix, int axis, Value vector, Value source,
                                              Type result, Operation *at) {
  auto part = [&](const RankOne &term, int which) { return which == 0 ? term.column : term.row; };
  auto scaled = [&](Value value, const RankOne &term) {
    Value rest = part(term, 1 - axis);
    if (rest)
      value = symbols_.multiplySpread(rest, value);
    return term.scale ? symbols_.multiply(symbols_.spread(value, result), symbols_.spread(term.scale, result))
                      : symbols_.spread(value, result);
  };
  Type vectorType = vector ? vector.getType() : Type();
  if (!vector) {
    auto type = cast<RankedTensorType>(source.getType());
    vectorType = RankedTensorType::get({type.getDimSize(axis)}, type.getElementType());
    vector = symbols_.constant(vectorType, 1);
  }
  // A scalar factor of the key scales what was read, so that reads with equal keys meet.
  auto [plain, factor] = symbols_.factor(vector);
  if (factor) {
    if (!plain)
      plain = symbols_.constant(vectorType, 1);
    auto value = contract(matrix, axis, plain, source, result, at);
    return value ? std::optional(symbols_.multiplySpread(*value, factor)) : value;
  }
  // The state that the step yields is read as it is, this token's writes included.
  if (matrix.state >= 0 && source == scan_.getYield().getStates()[matrix.state] &&
      states_[matrix.state].keyAxis == axis)
    return readSymbol(matrix.state, vector, true, at->getLoc());
  Value sum;
  auto accumulate = [&](Value value) { sum = sum ? symbols_.add(sum, value) : value; };
  if (matrix.state >= 0) {
    StateForm &form = states_[matrix.state];
    if (form.keyAxis != axis) {
      fail(nameOf(at) + " reads the state along an axis other than its key's", at, 2);
      return std::nullopt;
    }
    Value key = multiplyPart(part(matrix.scale, axis), vector);
    Value read = readSymbol(matrix.state, key, false, at->getLoc());
    origins_.try_emplace(read, at);
    if (Value across = part(matrix.scale, 1 - axis))
      read = symbols_.multiply(read, across);
    if (matrix.scale.scale)
      read = symbols_.multiplySpread(read, matrix.scale.scale);
    accumulate(read);
  }
  for (const RankOne &term : matrix.terms) {
    Value own = part(term, axis);
    accumulate(scaled(symbols_.dot(own ? own : symbols_.constant(vectorType, 1), vector), term));
  }
  if (!sum)
    sum = symbols_.constant(result, 0);
  if (matrix.state >= 0)
    matrixReads_.push_back({matrix, vector, sum});
  return sum;
}

} // namespace linmu
