// A module of patterns as text that parses again, with the names of operands and results.
#include "compiler/frontend/Frontend.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace linmu;

static constexpr StringLiteral nameAttribute = "pattern.name";

/// The printer takes SSA names from locations. The results of an op of several have one name there; those
/// that the function returns keep their attributes.
static void nameValues(func::FuncOp function) {
  for (BlockArgument argument : function.getArguments()) {
    unsigned index = argument.getArgNumber();
    if (auto name = function.getArgAttrOfType<StringAttr>(index, nameAttribute))
      argument.setLoc(NameLoc::get(name, argument.getLoc()));
    function.removeArgAttr(index, nameAttribute);
  }
  for (auto [index, value] : llvm::enumerate(function.getBody().front().getTerminator()->getOperands())) {
    auto name = function.getResultAttrOfType<StringAttr>(index, nameAttribute);
    Operation *op = value.getDefiningOp();
    if (op && op->getNumResults() > 1)
      continue;
    if (name && op)
      op->setLoc(NameLoc::get(name, op->getLoc()));
    function.removeResultAttr(index, nameAttribute);
  }
}

std::string frontend::textOf(ModuleOp module) {
  OwningOpRef<ModuleOp> copy = module.clone();
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (auto function : copy->getOps<func::FuncOp>()) {
    nameValues(function);
    function.print(stream, OpPrintingFlags().useLocalScope().printNameLocAsPrefix());
    stream << "\n";
  }
  return text;
}
