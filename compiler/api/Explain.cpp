#include "compiler/api/Explain.h"
#include "compiler/normalize/Expression.h"
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

static std::string shapeOf(Type slice) {
  auto tensor = dyn_cast<RankedTensorType>(slice);
  if (!tensor)
    return "scalar";
  std::string text;
  for (int64_t extent : tensor.getShape())
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

static llvm::json::Object describeState(FormOp form, Type slice) {
  llvm::json::Object state;
  state["shape"] = shapeOf(slice);
  state["key_axis"] = int64_t(form.getKeyAxis());
  state["decay"] = form.getDecayKind();
  state["decay_may_be_negative"] = form.hasSigns();
  int64_t inclusive = llvm::count(form.getInclusive(), true);
  state["reads_before_write"] = int64_t(form.getReads().size()) - inclusive;
  state["reads_after_write"] = inclusive;
  state["writes"] = int64_t(form.getWrites().size());
  state["feedback_terms"] = int64_t(form.getFeedback().size());
  state["coupled_states"] = int64_t(form.getStates());
  return state;
}

static std::string directionOf(Operation *op) { return op->hasAttr("reverse") ? "reverse" : "forward"; }

static void printState(const llvm::json::Object &state, unsigned index, llvm::raw_ostream &stream) {
  int64_t coupled = *state.getInteger("coupled_states");
  if (coupled > 1)
    stream << "    states #" << index << " to #" << index + coupled - 1 << " (" << *state.getString("shape")
           << " each): coupled, next state";
  else
    stream << "    state #" << index << " (" << *state.getString("shape") << "): decay "
           << *state.getString("decay")
           << (*state.getBoolean("decay_may_be_negative") ? ", of either sign," : "");
  if (auto *factors = state.getArray("coupling"))
    for (auto [index, factor] : llvm::enumerate(*factors))
      stream << (index == 0 ? " " : "; ") << *factor.getAsString();
  if (auto decay = state.getString("log_decay"))
    stream << " exp(" << *decay << ")";
  if (auto decay = state.getString("log_value_decay"))
    stream << (state.getString("log_decay") ? " and exp(" : " exp(") << *decay << ")";
  stream << ", " << *state.getInteger("writes") << " writes, " << *state.getInteger("reads_before_write")
         << " reads before and " << *state.getInteger("reads_after_write") << " after them, "
         << (*state.getInteger("feedback_terms") ? "feedback (a triangular solve)" : "no feedback") << "\n";
}

/// "#0 takes a #0 + b #1" of each state.
static llvm::json::Array describeCoupling(FormOp form, unsigned first,
                                          llvm::function_ref<std::string(BlockArgument)> name) {
  llvm::json::Array rows;
  ArrayRef<int64_t> index = form.getCouplingIndex();
  for (unsigned state = 0; state < form.getStates(); ++state) {
    std::string sum;
    for (auto [term, factor] : llvm::enumerate(form.getCoupling()))
      if (index[2 * term] == state)
        sum += (sum.empty() ? "" : " + ") + expressionOf(factor, name) + " #" +
               std::to_string(first + index[2 * term + 1]);
    rows.push_back("#" + std::to_string(first + state) + " takes " + (sum.empty() ? "nothing" : sum));
  }
  return rows;
}

static llvm::json::Array describeStates(NormalScanOp scan, llvm::raw_ostream &stream) {
  llvm::json::Array states;
  auto name = [&](BlockArgument argument) { return nameOfArgument(scan, argument.getArgNumber()); };
  for (unsigned stage = 0; stage < scan.getNumStages(); ++stage) {
    FormOp form = scan.getForm(stage);
    unsigned index = scan.getFirstState(stage);
    llvm::json::Object state =
        describeState(form, sliceType(cast<RankedTensorType>(scan.getFinals()[index].getType()), 2));
    if (form.getDecay())
      state["log_decay"] = expressionOf(form.getDecay(), name);
    if (form.getValueDecay())
      state["log_value_decay"] = expressionOf(form.getValueDecay(), name);
    if (form.isCoupled())
      state["coupling"] = describeCoupling(form, index, name);
    printState(state, index, stream);
    states.push_back(std::move(state));
  }
  return states;
}

/// The scan whose gradients an op gives.
static llvm::json::Array describeStates(ScanAdjointOp op, llvm::raw_ostream &stream) {
  llvm::json::Object state = describeState(op.getForm(), op.getStateSlice());
  printState(state, 0, stream);
  return llvm::json::Array{std::move(state)};
}

static llvm::json::Object describeOp(const PlannedOp &planned, llvm::raw_ostream &stream) {
  Operation &op = *planned.op;
  llvm::json::Object entry;
  std::string kind = op.getName().stripDialect().str(), algorithm = planned.schedule.name();
  if (kind == "normal_scan")
    kind = "scan";
  entry["op"] = kind;
  entry["location"] = placeOf(op.getLoc());
  entry["algorithm"] = algorithm;
  stream << "  " << kind << " at " << placeOf(op.getLoc());
  if (isa<ScanOp, NormalScanOp, MapOp, ScanAdjointOp>(op)) {
    entry["direction"] = directionOf(&op);
    stream << ", " << directionOf(&op);
  }
  stream << " -> " << algorithm << "\n";
  if (auto maps = op.getAttrOfType<ArrayAttr>(fusedMaps)) {
    llvm::json::Array places;
    for (auto map : maps.getAsRange<LocationAttr>()) {
      stream << "    with the map at " << placeOf(map) << " in it\n";
      places.push_back(placeOf(map));
    }
    entry["maps"] = std::move(places);
  }
  if (auto scan = dyn_cast<NormalScanOp>(op)) {
    entry["normal_form"] = true;
    entry["states"] = describeStates(scan, stream);
  } else if (auto adjoint = dyn_cast<ScanAdjointOp>(op)) {
    entry["states"] = describeStates(adjoint, stream);
  } else if (auto reason = op.getAttrOfType<StringAttr>(opaqueReason)) {
    std::string at = placeOf(op.getAttrOfType<LocationAttr>(opaqueLocation));
    entry["normal_form"] = false;
    entry["opaque"] = llvm::json::Object{{"reason", reason.str()}, {"location", at}};
    stream << "    opaque at " << at << ": " << reason.getValue() << "\n";
  }
  if (!planned.reason.empty()) {
    entry["reason"] = planned.reason;
    if (!op.hasAttr(opaqueReason))
      stream << "    " << planned.reason << "\n";
  }
  return entry;
}

Explanation::Explanation(func::FuncOp function, const Plan &plan) {
  llvm::raw_string_ostream stream(text_);
  stream << "pattern @" << function.getSymName() << "\n";
  llvm::json::Array ops;
  for (const PlannedOp &planned : plan.ops)
    ops.push_back(describeOp(planned, stream));
  json_["pattern"] = function.getSymName().str();
  json_["ops"] = std::move(ops);
}

std::string Explanation::json() const {
  return llvm::formatv("{0:2}\n", llvm::json::Value(llvm::json::Object(json_)));
}
