// Transfer functions: what each op of a step makes of the forms of its operands.
#include "compiler/normalize/StepForms.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace linmu {

static int64_t rankOf(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor ? tensor.getRank() : 0;
}

bool StepForms::visit(Operation &op) {
  symbols_.setLocation(op.getLoc());
  bool makesMatrix = isa<arith::ConstantOp, pattern::BroadcastOp, pattern::OuterOp>(op);
  bool matrices = (makesMatrix && rankOf(op.getResult(0)) == 2) ||
                  llvm::any_of(op.getOperands(), [&](Value operand) { return isMatrix(operand); });
  if (matrices)
    return visitMatrixOp(op);
  SmallVector<Value> operands;
  for (Value operand : op.getOperands()) {
    auto free = freeOf(operand, &op);
    if (!free)
      return false;
    operands.push_back(*free);
  }
  Value result =
      TypeSwitch<Operation *, Value>(&op)
          .Case([&](arith::AddFOp) { return symbols_.add(operands[0], operands[1]); })
          .Case([&](arith::SubFOp) { return symbols_.subtract(operands[0], operands[1]); })
          .Case([&](arith::MulFOp) { return symbols_.multiply(operands[0], operands[1]); })
          .Case([&](arith::DivFOp) { return symbols_.divide(operands[0], operands[1]); })
          .Case([&](arith::NegFOp) { return symbols_.negate(operands[0]); })
          .Case([&](arith::SelectOp) { return symbols_.select(operands[0], operands[1], operands[2]); })
          .Case([&](math::FmaOp) {
            return symbols_.add(symbols_.multiply(operands[0], operands[1]), operands[2]);
          })
          .Case([&](pattern::DotOp) { return symbols_.dot(operands[0], operands[1]); })
          .Case([&](pattern::BroadcastOp broadcast) {
            return broadcast.getAxis() ? symbols_.remake(&op, operands, op.getResult(0).getType())
                                       : symbols_.spread(operands[0], op.getResult(0).getType());
          })
          .Default([&](Operation *) { return symbols_.remake(&op, operands, op.getResult(0).getType()); });
  free_[op.getResult(0)] = result;
  diagnosis_.addOrigin(result, &op);
  return true;
}

/// Whether a next state is computed from the op's result.
static bool reachesNextState(Operation &op) {
  SetVector<Operation *> later;
  getForwardSlice(&op, &later);
  auto yield = cast<pattern::YieldOp>(op.getBlock()->getTerminator());
  return llvm::any_of(yield.getStates(), [&](Value state) {
    Operation *made = state.getDefiningOp();
    return made == &op || later.contains(made);
  });
}

bool StepForms::visitMatrixOp(Operation &op) {
  Value result = op.getResult(0);
  auto set = [&](std::optional<MatrixForm> form) {
    if (!form)
      return diagnosis_.fail(quotedName(&op) + " is not in the normal form", &op);
    matrices_[result] = arithmetic_.simplified(std::move(*form));
    return true;
  };
  auto operand = [&](unsigned index) { return matrixOf(op.getOperand(index)); };
  auto nonlinear = [&] {
    bool state = llvm::any_of(op.getOperands(), [&](Value value) { return dependsOnState(value); });
    for (Value value : op.getOperands())
      if (state && rankOf(value) == 2 && free_.contains(value) && op.hasTrait<OpTrait::Elementwise>())
        return diagnosis_.fail(quotedName(&op) + " combines the state with a full matrix", &op);
    if (state && !reachesNextState(op))
      return diagnosis_.fail(quotedName(&op) + " is not linear in the state and comes before it is read", &op,
                             3);
    // A state of rank 1 may have no key axis; then it is a vector like others.
    return diagnosis_.fail(state ? quotedName(&op) +
                                       " is on the path from the state to itself and is not linear in it"
                                 : quotedName(&op) + " makes a full matrix for each token",
                           &op, state && rankOf(result) < 2 ? 2 : 0);
  };
  auto read = [&](const MatrixForm &matrix, int axis, Value key, Value source) {
    auto value = contract(matrix, axis, key, source, result.getType(), &op);
    if (value)
      free_[result] = *value;
    return value.has_value();
  };

  // A function of a matrix that varies along one axis only is a function of that vector.
  auto ofOneAxis = [&]() -> std::optional<MatrixForm> {
    auto a = operand(0);
    const RankOne *term = a ? asFactor(*a) : nullptr;
    if (!term || (term->column && term->row))
      return std::nullopt;
    Value part = term->column ? term->column : term->row;
    Value whole = part && term->scale ? symbols_.multiply(part, term->scale)
                  : part              ? part
                  : term->scale       ? term->scale
                                      : symbols_.constant(Float32Type::get(op.getContext()), 1);
    Value value = symbols_.remake(&op, whole, whole.getType());
    MatrixForm form;
    form.terms.push_back(term->column ? RankOne{value, {}, {}}
                         : term->row  ? RankOne{{}, value, {}}
                                      : RankOne{{}, {}, value});
    return form;
  };

  // An exponential of a sum of what varies along one axis each is a product of exponentials.
  auto ofEachAxis = [&]() -> std::optional<MatrixForm> {
    auto a = operand(0);
    if (!a || !a->isFree() || a->terms.empty())
      return std::nullopt;
    MatrixForm form{{}, {RankOne()}};
    RankOne &product = form.terms.front();
    for (const RankOne &term : a->terms) {
      if (term.column && term.row)
        return std::nullopt;
      Value RankOne::*axis = term.column ? &RankOne::column : term.row ? &RankOne::row : &RankOne::scale;
      Value part = term.*axis;
      if (part && term.scale && axis != &RankOne::scale)
        part = symbols_.multiply(part, term.scale);
      if (!part)
        part = symbols_.constant(Float32Type::get(op.getContext()), 1);
      product.*axis = multiplyParts(product.*axis, symbols_.remake(&op, part, part.getType()), symbols_);
    }
    return form;
  };

  return TypeSwitch<Operation *, bool>(&op)
      .Case([&](arith::ConstantOp) {
        MatrixForm form;
        auto type = cast<RankedTensorType>(result.getType());
        auto dense = dyn_cast<DenseElementsAttr>(Attribute(cast<arith::ConstantOp>(op).getValue()));
        if (!dense || !dense.isSplat() || !isa<FloatType>(type.getElementType()))
          return nonlinear();
        form.terms.push_back(
            {{},
             {},
             symbols_.constant(type.getElementType(), dense.getSplatValue<APFloat>().convertToDouble())});
        return set(form);
      })
      .Case([&](pattern::BroadcastOp broadcast) {
        auto source = freeOf(broadcast.getSource(), &op);
        if (!source)
          return false;
        if (!getElementTypeOrSelf(result.getType()).isF32() && !broadcast.getAxis()) {
          // A condition for all elements: select looks through it.
          matrices_[result] = MatrixForm{{}, {RankOne{{}, {}, *source}}};
          return true;
        }
        MatrixForm form;
        RankOne term;
        if (!broadcast.getAxis())
          term.scale = *source;
        else if (Value scalar = symbols_.scalarBehind(*source))
          term.scale = scalar;
        else
          (*broadcast.getAxis() == 0 ? term.column : term.row) = *source;
        diagnosis_.addOrigin(term.scale ? term.scale : *source, &op);
        form.terms.push_back(term);
        return set(form);
      })
      .Case([&](pattern::OuterOp outer) {
        auto column = freeOf(outer.getColumn(), &op), row = freeOf(outer.getRow(), &op);
        if (!column || !row)
          return false;
        MatrixForm form;
        form.terms.push_back({*column, *row, {}});
        return set(form);
      })
      .Case<arith::AddFOp, arith::SubFOp>([&](Operation *) {
        auto a = operand(0), b = operand(1);
        if (!a || !b)
          return nonlinear();
        return set(add(*a, *b, &op));
      })
      .Case([&](arith::NegFOp) {
        auto a = operand(0);
        if (!a)
          return nonlinear();
        return set(arithmetic_.multiply(
            *a, RankOne{{}, {}, symbols_.constant(Float32Type::get(op.getContext()), -1)}));
      })
      .Case([&](arith::MulFOp) {
        auto a = operand(0), b = operand(1);
        if (!a || !b)
          return nonlinear();
        // A matrix without terms is zero.
        for (const MatrixForm *side : {&*a, &*b})
          if (side->isFree() && side->terms.empty())
            return set(MatrixForm());
        if (const RankOne *factor = asFactor(*b))
          return set(arithmetic_.multiply(*a, *factor));
        if (const RankOne *factor = asFactor(*a))
          return set(arithmetic_.multiply(*b, *factor));
        if (!a->isFree() || !b->isFree())
          return !a->isFree() && !b->isFree()
                     ? nonlinear()
                     : diagnosis_.fail(quotedName(&op) +
                                           " scales the state by a matrix that is not an outer product",
                                       &op);
        // A power of a sum has more terms with each factor; with so many it is a full matrix.
        constexpr size_t most = 64;
        if (a->terms.size() * b->terms.size() > most)
          return nonlinear();
        MatrixForm product;
        for (const RankOne &x : a->terms)
          for (const RankOne &y : b->terms)
            product.terms.push_back(arithmetic_.multiply(x, y));
        return set(product);
      })
      .Case([&](arith::DivFOp) {
        auto a = operand(0), b = operand(1);
        const RankOne *divisor = b ? asFactor(*b) : nullptr;
        if (!a || !divisor)
          return nonlinear();
        auto inverse = [&](Value part) -> Value {
          return part ? symbols_.divide(symbols_.constant(part.getType(), 1), part) : Value();
        };
        return set(arithmetic_.multiply(
            *a, RankOne{inverse(divisor->column), inverse(divisor->row), inverse(divisor->scale)}));
      })
      .Case([&](math::FmaOp) {
        auto a = operand(0), b = operand(1), c = operand(2);
        if (!a || !b || !c)
          return nonlinear();
        const RankOne *factor = asFactor(*b);
        if (!factor) {
          std::swap(a, b);
          factor = asFactor(*b);
        }
        return factor ? set(add(arithmetic_.multiply(*a, *factor), *c, &op)) : nonlinear();
      })
      .Case<math::ExpOp, math::Exp2Op>([&](Operation *) {
        auto form = ofEachAxis();
        return form ? set(*form) : nonlinear();
      })
      .Case([&](pattern::AssumeOp) {
        auto form = ofOneAxis();
        return set(form ? form : operand(0));
      })
      .Case([&](arith::SelectOp select) {
        Value condition;
        if (rankOf(select.getCondition()) == 0) {
          condition = free_.lookup(select.getCondition());
        } else if (auto form = matrices_.find(select.getCondition()); form != matrices_.end()) {
          condition = form->second.terms.front().scale;
        } else if (Value vector = free_.lookup(select.getCondition())) {
          condition = symbols_.scalarBehind(vector);
        }
        auto a = operand(1), b = operand(2);
        if (!condition || !a || !b)
          return nonlinear();
        return set(choose(condition, *a, *b, &op));
      })
      .Case([&](pattern::ReadOp readOp) {
        auto matrix = operand(0);
        auto key = freeOf(readOp.getKey(), &op);
        if (!matrix || !key)
          return key ? nonlinear() : false;
        return read(*matrix, 0, *key, readOp.getState());
      })
      .Case([&](pattern::ReadTransposedOp readOp) {
        auto matrix = operand(0);
        auto key = freeOf(readOp.getValue(), &op);
        if (!matrix || !key)
          return key ? nonlinear() : false;
        return read(*matrix, 1, *key, readOp.getState());
      })
      .Case([&](pattern::SumOp sum) {
        // A matrix times what varies along the summed axis only is read with that as the key.
        Value source = sum.getSource(), key;
        int64_t axis = sum.getAxis();
        for (bool peeled = true; peeled;) {
          peeled = false;
          if (auto mul = source.getDefiningOp<arith::MulFOp>())
            for (unsigned side : {0, 1}) {
              auto form = matrixOf(mul->getOperand(side));
              const RankOne *factor = form ? asFactor(*form) : nullptr;
              if (peeled || !factor || (axis == 0 ? factor->row : factor->column))
                continue;
              auto type = cast<RankedTensorType>(source.getType());
              Type vector = RankedTensorType::get({type.getDimSize(axis)}, type.getElementType());
              for (Value part : {axis == 0 ? factor->column : factor->row, factor->scale})
                key = part ? multiplyParts(key, symbols_.spread(part, vector), symbols_) : key;
              source = mul->getOperand(1 - side);
              peeled = true;
            }
        }
        auto matrix = matrixOf(source);
        if (!matrix)
          return nonlinear();
        return read(*matrix, axis, key, source);
      })
      .Case([&](pattern::DotOp dot) {
        // One side is a key vector with state in it.
        bool first = dependsOnState(dot.getLhs());
        auto matrix = operand(first ? 0 : 1);
        auto key = freeOf(dot->getOperand(first ? 1 : 0), &op);
        if (!matrix || !key)
          return key ? nonlinear() : false;
        return read(*matrix, 0, *key, dot->getOperand(first ? 0 : 1));
      })
      .Default([&](Operation *) {
        if (op.getNumOperands() == 1 && isa<math::MathDialect, pattern::PatternDialect>(op.getDialect()))
          if (auto form = ofOneAxis())
            return set(*form);
        return nonlinear();
      });
}

} // namespace linmu
