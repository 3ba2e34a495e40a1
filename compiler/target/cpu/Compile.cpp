// The target's driver: from a program to a package, or to what it looks like on the way.
#include "compiler/target/cpu/TargetCPU.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

FailureOr<Package> linmu::cpu::compile(ModuleOp module, const Machine &machine, const Signature &signature,
                                       StringRef key, Stage stage, std::string *text) {
  auto programs = module.getOps<tile::ProgramOp>();
  if (programs.empty())
    return module.emitError("requires a tile.program");
  tile::ProgramOp program = *programs.begin();
  if (failed(lowerKernels(program, machine)))
    return failure();

  Package package;
  package.key = key.str();
  package.target = "cpu:" + machine.triple + ":" + machine.cpu;
  package.cpu_features = machine.features;
  package.signature = signature;
  if (failed(writeProgram(program, module, package)))
    return failure();
  program.erase();

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
  package.image = std::move(image->bytes);
  for (Variant &variant : package.variants)
    for (Launch &launch : variant.launches)
      launch.entry = image->entries.at(launch.kernel + ".entry");
  return package;
}
