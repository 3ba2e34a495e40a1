#include "compiler/normalize/Expression.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu::pattern;

namespace linmu {

static std::string nameOf(Value operand) {
  auto argument = dyn_cast<BlockArgument>(operand);
  if (!argument)
    return "computed";
  auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  auto name = function ? function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "pattern.name")
                       : StringAttr();
  return name ? name.str() : "#" + std::to_string(argument.getArgNumber());
}

static std::string shortNumber(double value) {
  char text[32];
  snprintf(text, sizeof text, "%g", value);
  return text;
}

namespace {

/// Writes values out, each within a number of ops and leaves.
struct Printer {
  llvm::function_ref<std::string(BlockArgument)> nameOfLeaf;
  llvm::DenseMap<Value, int> sizes = llvm::DenseMap<Value, int>();

  static bool isTransparent(Operation *op) { return isa_and_nonnull<BroadcastOp, AssumeOp>(op); }

  /// Ops and leaves of the text, counted as often as they would be written; `most` + 1 for any above `most`.
  int sizeOf(Value value, int most) {
    auto [entry, inserted] = sizes.try_emplace(value, 1);
    if (!inserted)
      return entry->second;
    int size = isTransparent(value.getDefiningOp()) ? 0 : 1;
    if (Operation *op = value.getDefiningOp())
      for (Value operand : op->getOperands())
        size = std::min(most + 1, size + sizeOf(operand, most));
    return sizes[value] = size;
  }

  std::string print(Value value, int most);
};

std::string numberText(arith::ConstantOp constant) {
  Attribute attribute = constant.getValue();
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute)) {
    if (!dense.isSplat())
      return "constant";
    attribute = dense.getSplatValue<Attribute>();
  }
  if (auto real = dyn_cast<FloatAttr>(attribute))
    return shortNumber(real.getValueAsDouble());
  return isa<BoolAttr>(attribute) ? (cast<BoolAttr>(attribute).getValue() ? "true" : "false")
                                  : std::to_string(cast<IntegerAttr>(attribute).getInt());
}

std::string Printer::print(Value value, int most) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return nameOfLeaf(argument);
  Operation *op = value.getDefiningOp();
  if (isTransparent(op))
    return print(op->getOperand(0), most);
  if (op->getNumOperands() > 0 && most <= 1)
    return "...";
  // Each operand may be as long as it is, where all fit; else the short ones leave their room to the others.
  SmallVector<int> room(op->getNumOperands(), 0);
  int left = most - 1, waiting = room.size();
  for (bool shared = true; shared && waiting > 0;) {
    shared = false;
    for (auto [index, operand] : llvm::enumerate(op->getOperands()))
      if (int size = sizeOf(operand, expressionSize); room[index] == 0 && size <= left / waiting) {
        room[index] = size;
        left -= size;
        --waiting;
        shared = true;
        break;
      }
  }
  for (int &each : room)
    if (each == 0)
      each = std::max(1, left / waiting);
  auto operand = [&](unsigned index) { return print(op->getOperand(index), room[index]); };
  auto infix = [&](StringRef symbol) {
    return "(" + operand(0) + " " + symbol.str() + " " + operand(1) + ")";
  };
  return llvm::TypeSwitch<Operation *, std::string>(op)
      .Case([&](arith::ConstantOp constant) { return numberText(constant); })
      .Case([&](arith::AddFOp) { return infix("+"); })
      .Case([&](arith::SubFOp) { return infix("-"); })
      .Case([&](arith::MulFOp) { return infix("*"); })
      .Case([&](arith::DivFOp) { return infix("/"); })
      .Case([&](arith::NegFOp) { return "-" + operand(0); })
      .Case([&](arith::SelectOp) { return "(" + operand(0) + " ? " + operand(1) + " : " + operand(2) + ")"; })
      .Case<arith::CmpIOp, arith::CmpFOp>([&](Operation *) { return infix("~"); })
      .Case([&](LagOp lag) { return operand(0) + "[-" + std::to_string(lag.getDistance()) + "]"; })
      .Default([&](Operation *) {
        std::string text = op->getName().stripDialect().str();
        if (text == "maximumf")
          text = "max";
        text += "(";
        for (unsigned i = 0; i < op->getNumOperands(); ++i)
          text += (i ? ", " : "") + operand(i);
        return text + ")";
      });
}

} // namespace

std::string expressionOf(Value value, llvm::function_ref<std::string(BlockArgument)> nameOfLeaf) {
  return Printer{nameOfLeaf}.print(value, expressionSize);
}

template <typename Scan> static std::string argumentName(Scan scan, unsigned argument) {
  unsigned params = scan.getParams().size(), tokens = scan.getTokens().size();
  if (argument < params)
    return nameOf(scan.getParams()[argument]);
  if (argument < params + tokens)
    return nameOf(scan.getTokens()[argument - params]);
  return "read" + std::to_string(argument - params - tokens);
}
std::string nameOfArgument(ScanOp scan, unsigned argument) { return argumentName(scan, argument); }
std::string nameOfArgument(NormalScanOp scan, unsigned argument) { return argumentName(scan, argument); }

std::string nameOfState(ScanOp scan, unsigned state) {
  Value init = scan.getInitOf(state);
  return init && isa<BlockArgument>(init) ? nameOf(init) : "#" + std::to_string(state);
}

} // namespace linmu
