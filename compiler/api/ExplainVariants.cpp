// The part of `linmuc --explain` that says what runs for which calls, read off the program that runs.
#include "compiler/api/Explain.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace linmu;

static StringRef symbolOf(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return " = ";
  case arith::CmpIPredicate::ne:
    return " != ";
  case arith::CmpIPredicate::ult:
  case arith::CmpIPredicate::slt:
    return " < ";
  case arith::CmpIPredicate::ule:
  case arith::CmpIPredicate::sle:
    return " <= ";
  case arith::CmpIPredicate::ugt:
  case arith::CmpIPredicate::sgt:
    return " > ";
  case arith::CmpIPredicate::uge:
  case arith::CmpIPredicate::sge:
    return " >= ";
  }
  return {};
}

/// An expression of a program in words, such as "ceil(tokens / 16)". `inside` another one, sums and products
/// stand in parentheses.
static std::string textOf(Value value, bool inside = false) {
  Operation *op = value.getDefiningOp();
  auto operand = [&](unsigned index) { return textOf(op->getOperand(index), true); };
  auto infix = [&](StringRef symbol) {
    std::string text = operand(0) + symbol.str() + operand(1);
    return inside ? "(" + text + ")" : text;
  };
  auto call = [&](StringRef function) { return function.str() + "(" + operand(0) + ", " + operand(1) + ")"; };
  return llvm::TypeSwitch<Operation *, std::string>(op)
      .Case([&](tile::ExtentOp extent) { return stringifyExtentKind(extent.getKind()).str(); })
      .Case([&](arith::ConstantOp constant) {
        auto number = dyn_cast<IntegerAttr>(constant.getValue());
        return number ? std::to_string(number.getInt()) : "?";
      })
      .Case([&](arith::CmpIOp compare) {
        return operand(0) + symbolOf(compare.getPredicate()).str() + operand(1);
      })
      .Case<arith::AndIOp>(
          [&](auto) { return textOf(op->getOperand(0)) + " and " + textOf(op->getOperand(1)); })
      .Case<arith::OrIOp>([&](auto) { return "(" + operand(0) + " or " + operand(1) + ")"; })
      .Case<arith::AddIOp>([&](auto) { return infix(" + "); })
      .Case<arith::SubIOp>([&](auto) { return infix(" - "); })
      .Case<arith::MulIOp>([&](auto) { return infix(" * "); })
      .Case<arith::DivUIOp>([&](auto) { return "floor(" + operand(0) + " / " + operand(1) + ")"; })
      .Case<arith::CeilDivUIOp>([&](auto) { return "ceil(" + operand(0) + " / " + operand(1) + ")"; })
      .Case<arith::RemUIOp>([&](auto) { return infix(" mod "); })
      .Case<arith::MinUIOp>([&](auto) { return call("min"); })
      .Case<arith::MaxUIOp>([&](auto) { return call("max"); })
      .Default([](Operation *other) { return other->getName().getStringRef().str(); });
}

static llvm::json::Array schedulesOf(tile::VariantOp variant) {
  llvm::json::Array schedules;
  for (auto schedule : variant.getSchedule().value_or(ArrayAttr()).getAsRange<DictionaryAttr>()) {
    llvm::json::Object entry;
    for (NamedAttribute attribute : schedule) {
      if (auto number = dyn_cast<IntegerAttr>(attribute.getValue()))
        entry[attribute.getName().getValue()] = number.getInt();
      else if (auto text = dyn_cast<StringAttr>(attribute.getValue()))
        entry[attribute.getName().getValue()] = text.str();
    }
    schedules.push_back(std::move(entry));
  }
  return schedules;
}

void Explanation::addVariants(tile::ProgramOp program) {
  llvm::raw_string_ostream stream(text_);
  llvm::json::Array variants;
  stream << "  runs\n";
  for (auto variant : program.getBody().getOps<tile::VariantOp>()) {
    llvm::json::Object entry{{"algorithm", variant.getAlgorithm().str()}};
    std::string condition = variant.getCondition() ? textOf(variant.getCondition()) : "";
    if (!condition.empty())
      entry["when"] = condition;
    if (variant.getSchedule())
      entry["schedule"] = schedulesOf(variant);
    llvm::json::Array launches;
    SmallVector<std::string> grids;
    for (auto launch : variant.getBody().getOps<tile::LaunchOp>()) {
      llvm::json::Array grid;
      SmallVector<std::string> extents;
      for (Value extent : launch.getGrid()) {
        extents.push_back(textOf(extent));
        grid.push_back(extents.back());
      }
      grids.push_back(launch.getKernel().str() + "[" + llvm::join(extents, ", ") + "]");
      launches.push_back(llvm::json::Object{{"kernel", launch.getKernel().str()}, {"grid", std::move(grid)}});
    }
    stream << "    " << (condition.empty() ? variants.empty() ? "always" : "otherwise" : condition) << " -> "
           << variant.getAlgorithm() << " by " << llvm::join(grids, ", ") << "\n";
    entry["launches"] = std::move(launches);
    variants.push_back(std::move(entry));
  }
  json_["variants"] = std::move(variants);
}
