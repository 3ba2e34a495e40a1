// The target's driver: from a program to a package, or to what it looks like on the way.
#include "compiler/target/cpu/Passes.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "compiler/target/package/WriteProgram.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "runtime/core/for_each_on_threads.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

LogicalResult linmu::cpu::lowerKernels(ModuleOp module, const Machine &machine) {
  PassManager passes = PassManager::on<ModuleOp>(module.getContext());
  buildTileToCPU(passes, createLowerTileToCPU(machine));
  return passes.run(module);
}

/// `cpu-to-llvm` with the verifier after each pass of the target, and once after MLIR's seven conversions:
/// after each of them it would be a tenth of the time of a compilation.
static LogicalResult lowerToLLVM(ModuleOp module) {
  auto run = [&](function_ref<void(PassManager &)> add, bool verifyEach) {
    PassManager passes = PassManager::on<ModuleOp>(module.getContext());
    passes.enableVerifier(verifyEach);
    add(passes);
    return passes.run(module);
  };
  if (failed(
          run([](PassManager &passes) { passes.addNestedPass<func::FuncOp>(createExpandMath()); }, true)) ||
      failed(run([](PassManager &passes) { buildConversionToLLVM(passes); }, false)))
    return failure();
  return run([](PassManager &passes) { passes.addPass(createAddEntries()); }, true);
}

/// For each kernel a module with its function, its entry and what is of no kernel.
static SmallVector<OwningOpRef<ModuleOp>> modulesOfKernels(ModuleOp module) {
  llvm::StringMap<unsigned> kernels;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (function->hasAttr(ranksAttribute))
      kernels.try_emplace(function.getSymName(), kernels.size());
  SmallVector<OwningOpRef<ModuleOp>> parts;
  OpBuilder builder(module.getContext());
  for (unsigned i = 0; i < kernels.size(); ++i)
    parts.push_back(cast<ModuleOp>(builder.cloneWithoutRegions(*module)));
  for (OwningOpRef<ModuleOp> &part : parts)
    part->getBodyRegion().emplaceBlock();
  for (Operation &op : *module.getBody()) {
    StringRef name = isa<SymbolOpInterface>(op) ? cast<SymbolOpInterface>(op).getName() : "";
    name.consume_back(".entry");
    auto kernel = kernels.find(name);
    for (unsigned i = 0; i < parts.size(); ++i)
      if (kernel == kernels.end() || kernel->second == i)
        parts[i]->push_back(op.clone());
  }
  return parts;
}

namespace {
/// A kernel on its way through LLVM, in a context of its own.
struct Part {
  std::unique_ptr<llvm::TargetMachine> target;
  std::unique_ptr<llvm::LLVMContext> context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> module;
  size_t instructions = 0;
  std::string object{};
};
} // namespace

/// The machine code of the kernels. MLIR's context is for one thread; behind the translation kernels go
/// beside each other, the longest first.
static FailureOr<Image> imageOf(ModuleOp module, const Machine &machine) {
  std::vector<Part> parts;
  for (OwningOpRef<ModuleOp> &kernel : modulesOfKernels(module)) {
    Part part;
    part.target = createTargetMachine(machine);
    part.module = translate(*kernel, *part.context, *part.target);
    if (!part.module)
      return failure();
    part.instructions = part.module->getInstructionCount();
    parts.push_back(std::move(part));
  }
  SmallVector<Part *> longest_first(llvm::make_pointer_range(parts));
  llvm::sort(longest_first,
             [](Part *a, Part *b) { return std::pair(b->instructions, a) < std::pair(a->instructions, b); });
  forEachOnThreads(parts.size(), [&](size_t i) {
    Part &part = *longest_first[i];
    optimise(*part.module, *part.target);
    part.object = generate(*part.module, *part.target, /*assembly=*/false);
  });
  Image image;
  std::string error;
  for (const Part &part : parts)
    if (failed(link(part.object, image, error)))
      return module.emitError() << error;
  return image;
}

FailureOr<Package> linmu::cpu::compile(ModuleOp module, const Machine &machine, const Signature &signature,
                                       StringRef key, Stage stage, std::string *text) {
  auto programs = module.getOps<tile::ProgramOp>();
  if (programs.empty())
    return module.emitError("requires a tile.program");
  OwningOpRef<tile::ProgramOp> program = (*programs.begin()).clone();
  if (failed(lowerKernels(module, machine)))
    return failure();

  Package package;
  package.key = key.str();
  package.target = "cpu:" + machine.triple + ":" + machine.cpu;
  package.cpu_features = machine.features;
  package.signature = signature;
  // The program is a copy: it and a kernel may have one name.
  auto details = [&](Launch &launch) {
    Operation *function = SymbolTable::lookupSymbolIn(module, launch.kernel);
    launch.workspace_bytes = function->getAttrOfType<IntegerAttr>(workspaceAttribute).getInt();
    launch.blocks_together = function->getAttrOfType<IntegerAttr>(blocksTogetherAttribute).getInt();
  };
  if (failed(writeProgram(*program, details, package)))
    return failure();

  if (failed(lowerToLLVM(module)))
    return failure();
  if (stage != Stage::package) {
    std::unique_ptr<llvm::TargetMachine> target = createTargetMachine(machine);
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> llvmModule = translate(module, context, *target);
    if (!llvmModule)
      return failure();
    optimise(*llvmModule, *target);
    llvm::raw_string_ostream stream(*text);
    if (stage == Stage::llvm)
      llvmModule->print(stream, nullptr);
    else
      stream << generate(*llvmModule, *target, /*assembly=*/true);
    return package;
  }
  FailureOr<Image> image = imageOf(module, machine);
  if (failed(image))
    return failure();
  package.images = {{"", "", std::move(image->bytes)}};
  for (Variant &variant : package.variants)
    for (Launch &launch : variant.launches)
      launch.entry = image->entries.at(launch.kernel + ".entry");
  return package;
}
