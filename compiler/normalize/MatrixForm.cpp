#include "compiler/normalize/MatrixForm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace linmu {

const RankOne *asFactor(const MatrixForm &form) {
  return form.isFree() && form.terms.size() == 1 ? &form.terms.front() : nullptr;
}

const RankOne *MatrixForm::scaleOf(unsigned state) const {
  auto part = llvm::find_if(parts, [&](const StatePart &part) { return part.state == state; });
  return part == parts.end() ? nullptr : &part->scale;
}

Value multiplyParts(Value a, Value b, Symbols &symbols) {
  if (!a || !b)
    return a ? a : b;
  return symbols.multiply(a, b);
}

RankOne MatrixArithmetic::multiply(const RankOne &a, const RankOne &b) {
  return {multiplyParts(a.column, b.column, symbols_), multiplyParts(a.row, b.row, symbols_),
          multiplyParts(a.scale, b.scale, symbols_)};
}

MatrixForm MatrixArithmetic::multiply(MatrixForm form, const RankOne &factor) {
  for (StatePart &part : form.parts)
    part.scale = multiply(part.scale, factor);
  for (RankOne &term : form.terms)
    term = multiply(term, factor);
  return form;
}

std::optional<MatrixForm> MatrixArithmetic::subtract(MatrixForm a, MatrixForm b) {
  auto negate = [&](RankOne &term) {
    term.scale = term.scale ? symbols_.negate(term.scale) : symbols_.constant(f32_, -1);
  };
  for (RankOne &term : b.terms)
    negate(term);
  for (StatePart &part : b.parts)
    negate(part.scale);
  return add(std::move(a), b);
}

std::optional<MatrixForm> MatrixArithmetic::add(MatrixForm a, const MatrixForm &b) {
  // Like terms are one term: what both sides share would be there twice as often with each sum.
  for (const RankOne &term : b.terms) {
    auto like = llvm::find_if(
        a.terms, [&](const RankOne &other) { return other.column == term.column && other.row == term.row; });
    if (like == a.terms.end()) {
      a.terms.push_back(term);
      continue;
    }
    Value one = symbols_.constant(f32_, 1);
    like->scale = symbols_.add(like->scale ? like->scale : one, term.scale ? term.scale : one);
  }
  for (const StatePart &part : b.parts) {
    auto same = llvm::find_if(a.parts, [&](const StatePart &other) { return other.state == part.state; });
    if (same == a.parts.end()) {
      a.parts.push_back(part);
      continue;
    }
    auto sum = addScales(same->scale, part.scale);
    if (!sum)
      return std::nullopt;
    same->scale = *sum;
  }
  return a;
}

std::optional<RankOne> MatrixArithmetic::addScales(const RankOne &a, const RankOne &b) {
  auto scalar = [&](const RankOne &scale) { return scale.scale ? scale.scale : symbols_.constant(f32_, 1); };
  auto whole = [&](Value part, const RankOne &scale) {
    return symbols_.spread(scalar(scale), part.getType());
  };
  auto scaled = [&](Value RankOne::*part) {
    Value shape = a.*part ? a.*part : b.*part;
    auto one = [&](const RankOne &scale) {
      Value spread = whole(shape, scale);
      return scale.*part ? symbols_.multiply(scale.*part, spread) : spread;
    };
    return symbols_.add(one(a), one(b));
  };
  if (a.column == b.column && a.row == b.row)
    return RankOne{a.column, a.row, symbols_.add(scalar(a), scalar(b))};
  if (a.row == b.row)
    return RankOne{scaled(&RankOne::column), a.row, {}};
  if (a.column == b.column)
    return RankOne{a.column, scaled(&RankOne::row), {}};
  return std::nullopt;
}

std::pair<Value, Value> MatrixArithmetic::factor(Value value) {
  if (auto found = factors_.find(value); found != factors_.end())
    return found->second;
  std::pair<Value, Value> result = computeFactor(value);
  factors_[value] = result;
  return result;
}

std::pair<Value, Value> MatrixArithmetic::computeFactor(Value value) {
  if (!isa<RankedTensorType>(value.getType()))
    return {value, {}};
  if (Value scalar = symbols_.scalarBehind(value))
    return {{}, isConstant(scalar, 1) ? Value() : scalar};
  if (auto negate = value.getDefiningOp<arith::NegFOp>()) {
    auto [vector, scalar] = factor(negate.getOperand());
    return {vector,
            scalar ? symbols_.negate(scalar) : symbols_.constant(getElementTypeOrSelf(value.getType()), -1)};
  }
  if (auto product = value.getDefiningOp<arith::MulFOp>()) {
    auto [left, leftScalar] = factor(product.getLhs());
    auto [right, rightScalar] = factor(product.getRhs());
    if (leftScalar || rightScalar)
      return {multiplyParts(left, right, symbols_), multiplyParts(leftScalar, rightScalar, symbols_)};
  }
  if (auto quotient = value.getDefiningOp<arith::DivFOp>())
    if (Value divisor = symbols_.scalarBehind(quotient.getRhs())) {
      auto [vector, scalar] = factor(quotient.getLhs());
      return {vector, symbols_.divide(scalar ? scalar : symbols_.constant(divisor.getType(), 1), divisor)};
    }
  return {value, {}};
}

RankOne MatrixArithmetic::factored(RankOne term) {
  for (Value *part : {&term.column, &term.row})
    if (*part) {
      auto [vector, scale] = factor(*part);
      *part = vector;
      term.scale = multiplyParts(term.scale, scale, symbols_);
    }
  if (term.scale && isConstant(term.scale, 1))
    term.scale = {};
  return term;
}

void MatrixArithmetic::mergeTerms(MatrixForm &form) {
  if (!form.isFree() || form.terms.size() < 2)
    return;
  bool columns = llvm::none_of(form.terms, [](const RankOne &term) { return bool(term.row); });
  bool rows = llvm::none_of(form.terms, [](const RankOne &term) { return bool(term.column); });
  if (!columns && !rows)
    return;
  auto part = [&](const RankOne &term) { return columns ? term.column : term.row; };
  Type type = f32_;
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

MatrixForm MatrixArithmetic::simplified(MatrixForm form) {
  for (StatePart &part : form.parts)
    part.scale = factored(part.scale);
  for (RankOne &term : form.terms)
    term = factored(term);
  llvm::erase_if(form.terms, [&](const RankOne &term) {
    return llvm::any_of(ArrayRef<Value>{term.column, term.row, term.scale},
                        [](Value part) { return part && isConstant(part, 0); });
  });
  mergeTerms(form);
  return form;
}

} // namespace linmu
