// Programs and kernels: the frame around the ops.
#include "compiler/target/cuda/dialect/Cuda.h"
#include "compiler/target/cuda/print/KernelPrinter.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

static const OpTable &opTable() {
  static const OpTable table = [] {
    OpTable all;
    addArithmetic(all);
    addVectors(all);
    addMemory(all);
    addThreads(all);
    addControl(all);
    return all;
  }();
  return table;
}

std::vector<StringRef> cuda::printedOps() {
  auto names = opTable().names();
  std::vector<StringRef> sorted(names.begin(), names.end());
  llvm::sort(sorted);
  return sorted;
}

LogicalResult KernelPrinter::print(Operation *op) {
  const OpTable::Function *function = opTable().find(op);
  if (!function)
    return op->emitOpError("has no form in CUDA C++; lower it before print-cuda");
  place = op->getLoc();
  return (*function)(*this, op);
}

LogicalResult KernelPrinter::print(Block &block) {
  for (Operation &op : block) {
    // What follows, a terminator's assignments, are of its place.
    if (op.hasTrait<OpTrait::IsTerminator>())
      place = op.getLoc();
    else if (failed(print(&op)))
      return failure();
  }
  return success();
}

/// As a C++ name; it is printed as it stands, because launches look for it.
static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

static bool isWritten(Value operand) {
  return llvm::any_of(operand.getUsers(), [](Operation *user) { return isa<StoreOp>(user); });
}

/// Words of runtime/core's launches: prelude/operands.cuh.
static int64_t wordsOf(Type argument) {
  auto tensor = dyn_cast<RankedTensorType>(argument);
  return tensor ? 1 + 2 * tensor.getRank() : 1;
}
static int64_t wordsOf(tile::KernelOp kernel) {
  int64_t words = 3;
  for (Type argument : kernel.getBody().getArgumentTypes())
    words += wordsOf(argument);
  return words;
}

LogicalResult KernelPrinter::printArguments() {
  int64_t word = 0;
  for (BlockArgument argument : kernel.getBody().getArguments()) {
    std::string name = "a" + std::to_string(argument.getArgNumber());
    setName(argument, name);
    auto tensor = dyn_cast<RankedTensorType>(argument.getType());
    if (!tensor) {
      line("const i32 " + name + " = index_argument(arguments, " + Twine(word) + ");");
    } else {
      StringRef element = elementName(tensor.getElementType());
      if (element.empty() || tensor.getRank() == 0)
        return kernel.emitOpError(
                   "requires operands of one axis or more with elements of f32, bf16, f16, i32 or i1, got ")
               << tensor;
      std::string type =
          (Twine(isWritten(argument) ? "" : "const ") + element + ", " + Twine(tensor.getRank())).str();
      line("const Operand<" + type + "> " + name + " = operand<" + type + ">(arguments, " + Twine(word) +
           ");");
    }
    word += wordsOf(argument.getType());
  }
  return success();
}

FailureOr<std::string> KernelPrinter::print() {
  if (!kernel.getThreads())
    return kernel.emitOpError(
        "requires `threads`: only a kernel that says what a thread does can be printed");
  if (!isIdentifier(kernel.getSymName()))
    return kernel.emitOpError("requires a name of letters, digits and underscores, got '")
           << kernel.getSymName() << "'";
  place = kernel.getLoc();
  auto blocks = kernel->getAttrOfType<IntegerAttr>("blocks");
  open("extern \"C\" __global__ void __launch_bounds__(" + Twine(*kernel.getThreads()) +
       (blocks ? ", " + std::to_string(blocks.getInt()) : std::string()) + ") " + kernel.getSymName() +
       "(const __grid_constant__ Arguments<" + Twine(wordsOf(kernel)) + "> arguments) {");
  place = UnknownLoc::get(kernel->getContext());
  if (failed(printArguments()) || failed(print(kernel.getBody().front())))
    return failure();
  close();
  return std::move(text);
}

FailureOr<std::vector<KernelSource>> cuda::printProgram(tile::ProgramOp program,
                                                        const PrintOptions &options) {
  std::vector<KernelSource> kernels;
  for (auto kernel : program.getBody().getOps<tile::KernelOp>()) {
    FailureOr<std::string> printed = KernelPrinter(kernel, options).print();
    if (failed(printed))
      return failure();
    // Inside the prelude's namespace its functions hide those of the same names that the device compiler
    // declares.
    kernels.push_back(
        {kernel.getSymName().str(), "namespace prelude {\n\n" + *printed + "\n} // namespace prelude\n"});
  }
  return kernels;
}
