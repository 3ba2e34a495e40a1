// The target's driver: from a program to a package, or to what it looks like on the way.
#include "compiler/target/cpu/Passes.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "compiler/target/package/WriteProgram.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
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
  std::unique_ptr<llvm::TargetMachine> target = createTargetMachine(machine);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = translate(module, context, *target);
  if (!llvmModule)
    return failure();
  if (stage == Stage::llvm) {
    llvm::raw_string_ostream stream(*text);
    llvmModule->print(stream, nullptr);
    return package;
  }
  std::string object = generate(*llvmModule, *target, stage == Stage::assembly);
  if (stage == Stage::assembly) {
    *text = std::move(object);
    return package;
  }
  std::string error;
  auto image = link(object, error);
  if (failed(image))
    return module.emitError() << error;
  package.images = {{"", std::move(image->bytes)}};
  for (Variant &variant : package.variants)
    for (Launch &launch : variant.launches)
      launch.entry = image->entries.at(launch.kernel + ".entry");
  return package;
}
