// scf: loops and branches; what they carry and yield are variables that they assign.
#include "compiler/target/cuda/print/KernelPrinter.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu::cuda;

/// `TYPE NAME = first;`, or without a first value, for `value`.
static FailureOr<std::string> declare(KernelPrinter &printer, Operation *op, Type type, StringRef first) {
  FailureOr<std::string> typeName = printer.type(op, type);
  if (failed(typeName))
    return failure();
  std::string name = printer.newName();
  printer.line(*typeName + " " + name + (first.empty() ? "" : " = ") + first + ";");
  return name;
}

/// All at once: what another variable held before is kept until it has been taken.
static void assign(KernelPrinter &printer, ArrayRef<std::string> variables, ValueRange values) {
  SmallVector<std::string> sources;
  for (auto [variable, value] : llvm::zip_equal(variables, values)) {
    std::string source = printer.name(value).str();
    if (source != variable && llvm::is_contained(variables, source)) {
      std::string kept = printer.newName();
      printer.line("const auto " + kept + " = " + source + ";");
      source = kept;
    }
    sources.push_back(source);
  }
  for (auto [variable, source] : llvm::zip_equal(variables, sources))
    if (source != variable)
      printer.line(variable + " = " + source + ";");
}

static LogicalResult printFor(KernelPrinter &printer, scf::ForOp loop) {
  SmallVector<std::string> carried;
  for (auto [init, argument, result] :
       llvm::zip_equal(loop.getInitArgs(), loop.getRegionIterArgs(), loop.getResults())) {
    FailureOr<std::string> name = declare(printer, loop, init.getType(), printer.name(init));
    if (failed(name))
      return failure();
    printer.setName(argument, *name);
    printer.setName(result, *name);
    carried.push_back(*name);
  }
  FailureOr<std::string> type = printer.type(loop, loop.getInductionVar().getType());
  if (failed(type))
    return failure();
  std::string i = printer.newName();
  printer.setName(loop.getInductionVar(), i);
  if (auto unroll = loop->getAttrOfType<IntegerAttr>("cuda.unroll"))
    printer.line("#pragma unroll " + Twine(unroll.getInt()));
  StringRef bound = printer.name(loop.getUpperBound());
  std::string condition =
      loop.getUnsignedCmp() ? ("compare_ult(" + i + ", " + bound + ")").str() : (i + " < " + bound).str();
  printer.open("for (" + *type + " " + i + " = " + printer.name(loop.getLowerBound()) + "; " + condition +
               "; " + i + " += " + printer.name(loop.getStep()) + ") {");
  if (failed(printer.print(*loop.getBody())))
    return failure();
  assign(printer, carried, loop.getYieldedValues());
  printer.close();
  return success();
}

static LogicalResult printBranch(KernelPrinter &printer, Block &block, ArrayRef<std::string> variables) {
  if (failed(printer.print(block)))
    return failure();
  assign(printer, variables, block.getTerminator()->getOperands());
  return success();
}

static LogicalResult printIf(KernelPrinter &printer, scf::IfOp op) {
  SmallVector<std::string> results;
  for (Value result : op.getResults()) {
    FailureOr<std::string> name = declare(printer, op, result.getType(), "");
    if (failed(name))
      return failure();
    results.push_back(*name);
  }
  printer.open("if (" + printer.name(op.getCondition()) + ") {");
  if (failed(printBranch(printer, *op.thenBlock(), results)))
    return failure();
  if (Block *otherwise = op.elseBlock()) {
    printer.close("} else {");
    if (failed(printBranch(printer, *otherwise, results)))
      return failure();
  }
  printer.close();
  for (auto [result, name] : llvm::zip_equal(op.getResults(), results))
    printer.setName(result, name);
  return success();
}

void linmu::cuda::addControl(OpTable &table) {
  table.add<scf::ForOp>(printFor);
  table.add<scf::IfOp>(printIf);
}
