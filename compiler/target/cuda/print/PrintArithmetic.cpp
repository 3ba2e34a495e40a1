// arith and math: which function of the prelude each op is; scalars and vectors alike.
#include "compiler/target/cuda/print/KernelPrinter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace linmu::cuda;

namespace {
struct Entry {
  StringLiteral op, function;
};

/// f(operands...)
constexpr Entry functions[] = {
    {"arith.addf", "add"},
    {"arith.andi", "bit_and"},
    {"arith.ceildivsi", "ceil_divide"},
    {"arith.ceildivui", "ceil_divide_unsigned"},
    {"arith.divf", "divide"},
    {"arith.divsi", "divide"},
    {"arith.divui", "divide_unsigned"},
    {"arith.floordivsi", "floor_divide"},
    {"arith.maximumf", "maximum"},
    {"arith.maxnumf", "larger_number"},
    {"arith.maxsi", "maximum"},
    {"arith.maxui", "maximum_unsigned"},
    {"arith.minimumf", "minimum"},
    {"arith.minnumf", "smaller_number"},
    {"arith.minsi", "minimum"},
    {"arith.minui", "minimum_unsigned"},
    {"arith.mulf", "multiply"},
    {"arith.negf", "negate"},
    {"arith.ori", "bit_or"},
    {"arith.remsi", "remainder"},
    {"arith.remui", "remainder_unsigned"},
    {"arith.select", "select"},
    {"arith.shli", "shift_left"},
    {"arith.shrsi", "shift_right"},
    {"arith.shrui", "shift_right_unsigned"},
    {"arith.subf", "subtract"},
    {"arith.xori", "bit_xor"},
    {"math.absf", "abs"},
    {"math.absi", "abs"},
};

/// f(operands...), which are f32
constexpr Entry functionsOfF32[] = {
    {"arith.remf", "remainder"},
    {"math.ceil", "ceil"},
    {"math.copysign", "copysign"},
    {"math.cos", "cos"},
    {"math.erf", "erf"},
    {"math.exp", "exp"},
    {"math.exp2", "exp2"},
    {"math.expm1", "expm1"},
    {"math.floor", "floor"},
    {"math.fma", "fma"},
    {"math.log", "log"},
    {"math.log10", "log10"},
    {"math.log1p", "log1p"},
    {"math.log2", "log2"},
    {"math.powf", "pow"},
    {"math.round", "round"},
    {"math.roundeven", "roundeven"},
    {"math.rsqrt", "rsqrt"},
    {"math.sin", "sin"},
    {"math.sqrt", "sqrt"},
    {"math.tanh", "tanh"},
    {"math.trunc", "trunc"},
};

/// f<element of the result>(operand)
constexpr Entry conversions[] = {
    {"arith.extf", "round_to"},
    {"arith.extsi", "convert_signed"},
    {"arith.extui", "convert_unsigned"},
    {"arith.fptosi", "to_signed"},
    {"arith.fptoui", "to_unsigned"},
    {"arith.index_cast", "convert_signed"},
    {"arith.index_castui", "convert_unsigned"},
    {"arith.sitofp", "from_signed"},
    {"arith.truncf", "round_to"},
    {"arith.trunci", "convert_signed"},
    {"arith.uitofp", "from_unsigned"},
};
} // namespace

static LogicalResult printCompareIntegers(KernelPrinter &printer, arith::CmpIOp op) {
  return printer.define(op, "compare_" + arith::stringifyCmpIPredicate(op.getPredicate()) + "(" +
                                printer.names(op->getOperands()) + ")");
}

static LogicalResult printCompareFloats(KernelPrinter &printer, arith::CmpFOp op) {
  using Predicate = arith::CmpFPredicate;
  Predicate predicate = op.getPredicate();
  if (predicate == Predicate::AlwaysFalse || predicate == Predicate::AlwaysTrue)
    return op.emitOpError("is a constant; canonicalize it before print-cuda");
  // What is unsigned of integers is unordered here.
  bool hasIntegerTwin = predicate == Predicate::UGT || predicate == Predicate::UGE ||
                        predicate == Predicate::ULT || predicate == Predicate::ULE;
  return printer.define(op, "compare_" + arith::stringifyCmpFPredicate(predicate) +
                                (hasIntegerTwin ? "_or_nan(" : "(") + printer.names(op->getOperands()) + ")");
}

static LogicalResult printBitcast(KernelPrinter &printer, arith::BitcastOp op) {
  FailureOr<std::string> type = printer.type(op, op.getType());
  if (failed(type))
    return failure();
  return printer.define(op, "same_bits<" + *type + ">(" + printer.name(op.getIn()) + ")");
}

/// A scalar stands wherever it is used; a vector is a variable.
static LogicalResult printConstant(KernelPrinter &printer, arith::ConstantOp op) {
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!dense) {
    if (failed(printer.type(op, op.getType())))
      return failure();
    printer.setName(op, literal(op.getValue()));
    return success();
  }
  if (failed(printer.type(op, op.getType())))
    return failure();
  if (dense.isSplat())
    return printer.define(op, "splat<" + Twine(dense.getNumElements()) + ">(" +
                                  literal(dense.getSplatValue<Attribute>()) + ")");
  std::string elements;
  for (Attribute element : dense.getValues<Attribute>())
    elements += (elements.empty() ? "" : ", ") + literal(element);
  return printer.define(op, "{{" + elements + "}}");
}

void linmu::cuda::addArithmetic(OpTable &table) {
  for (const Entry &entry : functions)
    table.add(entry.op, [function = entry.function](KernelPrinter &printer, Operation *op) {
      return printer.define(op, function + "(" + printer.names(op->getOperands()) + ")");
    });
  // Indices never overflow, which lets the compiler take steps of them out of loops; integers wrap.
  for (const Entry &entry :
       {Entry{"arith.addi", "add"}, Entry{"arith.subi", "subtract"}, Entry{"arith.muli", "multiply"}})
    table.add(entry.op, [function = entry.function](KernelPrinter &printer, Operation *op) {
      StringRef suffix = op->getResult(0).getType().isIndex() ? "_index(" : "(";
      return printer.define(op, function + suffix + printer.names(op->getOperands()) + ")");
    });
  for (const Entry &entry : functionsOfF32)
    table.add(entry.op, [function = entry.function](KernelPrinter &printer, Operation *op) -> LogicalResult {
      if (Type type = op->getResult(0).getType(); !getElementTypeOrSelf(type).isF32())
        return op->emitOpError("requires elements of f32, got ") << type << "; extend them before";
      return printer.define(op, function + "(" + printer.names(op->getOperands()) + ")");
    });
  for (const Entry &entry : conversions)
    table.add(entry.op, [function = entry.function](KernelPrinter &printer, Operation *op) {
      StringRef element = elementName(getElementTypeOrSelf(op->getResult(0).getType()));
      return printer.define(op, function + "<" + element + ">(" + printer.names(op->getOperands()) + ")");
    });
  table.add<arith::BitcastOp>(printBitcast);
  table.add<arith::CmpFOp>(printCompareFloats);
  table.add<arith::CmpIOp>(printCompareIntegers);
  table.add<arith::ConstantOp>(printConstant);
}
