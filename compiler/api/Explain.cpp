#include "compiler/api/Explain.h"
#include "compiler/derive/derive.h"
#include "compiler/normalize/Normalize.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::pattern;

static std::string placeOf(Location location) {
  std::string result = "<unknown>";
  location->walk([&](Location part) {
    auto file = dyn_cast<FileLineColLoc>(Attribute(part));
    if (!file)
      return WalkResult::advance();
    result = llvm::formatv("{0}:{1}:{2}", file.getFilename().getValue(), file.getLine(), file.getColumn());
    return WalkResult::interrupt();
  });
  return result;
}

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

/// A state-free value written out in the names of the pattern's operands.
static std::string expression(NormalScanOp scan, Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    unsigned index = argument.getArgNumber(), params = scan.getParams().size(),
             tokens = scan.getTokens().size();
    if (index < params)
      return nameOf(scan.getParams()[index]);
    if (index < params + tokens)
      return nameOf(scan.getTokens()[index - params]);
    return "read" + std::to_string(index - params - tokens);
  }
  Operation *op = value.getDefiningOp();
  auto operand = [&](unsigned index) { return expression(scan, op->getOperand(index)); };
  auto infix = [&](StringRef symbol) {
    return "(" + operand(0) + " " + symbol.str() + " " + operand(1) + ")";
  };
  return llvm::TypeSwitch<Operation *, std::string>(op)
      .Case([&](arith::ConstantOp constant) -> std::string {
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
      })
      .Case([&](arith::AddFOp) { return infix("+"); })
      .Case([&](arith::SubFOp) { return infix("-"); })
      .Case([&](arith::MulFOp) { return infix("*"); })
      .Case([&](arith::DivFOp) { return infix("/"); })
      .Case([&](arith::NegFOp) { return "-" + operand(0); })
      .Case<pattern::BroadcastOp, AssumeOp>([&](Operation *) { return operand(0); })
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

static std::string shapeOf(Type slice) {
  auto tensor = dyn_cast<RankedTensorType>(slice);
  if (!tensor)
    return "scalar";
  std::string text;
  for (int64_t extent : tensor.getShape())
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

static llvm::json::Object describeState(NormalScanOp scan, unsigned index) {
  FormOp form = scan.getForm(index);
  Type slice = sliceType(cast<RankedTensorType>(scan.getFinals()[index].getType()), 2);
  llvm::json::Object state;
  state["shape"] = shapeOf(slice);
  state["key_axis"] = int64_t(form.getKeyAxis());
  state["decay"] = !form.getDecay()                                   ? "none"
                   : isa<RankedTensorType>(form.getDecay().getType()) ? "row-wise"
                                                                      : "scalar";
  if (form.getDecay())
    state["log_decay"] = expression(scan, form.getDecay());
  int64_t inclusive = llvm::count(form.getInclusive(), true);
  state["reads_before_write"] = int64_t(form.getReads().size()) - inclusive;
  state["reads_after_write"] = inclusive;
  state["writes"] = int64_t(form.getWrites().size());
  state["feedback_terms"] = int64_t(form.getFeedback().size());
  return state;
}

static std::string directionOf(Operation *op) { return op->hasAttr("reverse") ? "reverse" : "forward"; }

std::string linmu::explain(func::FuncOp function, const Schedule &schedule, bool asJson) {
  llvm::json::Array ops;
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "pattern @" << function.getSymName() << "\n";
  for (Operation &op : function.getBody().front().without_terminator()) {
    AlgorithmChoice choice = chooseAlgorithm(&op, schedule);
    llvm::json::Object entry;
    std::string kind = op.getName().stripDialect().str();
    if (kind == "normal_scan")
      kind = "scan";
    entry["op"] = kind;
    entry["location"] = placeOf(op.getLoc());
    entry["algorithm"] = choice.algorithm;
    stream << "  " << kind << " at " << placeOf(op.getLoc());
    if (isa<ScanOp, NormalScanOp, MapOp>(op)) {
      entry["direction"] = directionOf(&op);
      stream << ", " << directionOf(&op);
    }
    stream << " -> " << choice.algorithm << "\n";
    if (auto scan = dyn_cast<NormalScanOp>(op)) {
      entry["normal_form"] = true;
      llvm::json::Array states;
      for (unsigned index = 0; index < scan.getNumStates(); ++index) {
        llvm::json::Object state = describeState(scan, index);
        stream << "    state #" << index << " (" << *state.getString("shape") << "): decay "
               << *state.getString("decay");
        if (auto decay = state.getString("log_decay"))
          stream << " exp(" << *decay << ")";
        stream << ", " << *state.getInteger("writes") << " writes, "
               << *state.getInteger("reads_before_write") << " reads before and "
               << *state.getInteger("reads_after_write") << " after them, "
               << (*state.getInteger("feedback_terms") ? "feedback (a triangular solve)" : "no feedback")
               << "\n";
        states.push_back(std::move(state));
      }
      entry["states"] = std::move(states);
    } else if (auto reason = op.getAttrOfType<StringAttr>(opaqueReason)) {
      std::string at = placeOf(op.getAttrOfType<LocationAttr>(opaqueLocation));
      entry["normal_form"] = false;
      entry["opaque"] = llvm::json::Object{{"reason", reason.str()}, {"location", at}};
      stream << "    opaque at " << at << ": " << reason.getValue() << "\n";
    }
    if (!choice.reason.empty()) {
      entry["reason"] = choice.reason;
      if (!op.hasAttr(opaqueReason))
        stream << "    " << choice.reason << "\n";
    }
    ops.push_back(std::move(entry));
  }
  if (!asJson)
    return text;
  llvm::json::Object root{{"pattern", function.getSymName().str()}, {"ops", std::move(ops)}};
  return llvm::formatv("{0:2}\n", llvm::json::Value(std::move(root)));
}
