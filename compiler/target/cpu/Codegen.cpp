// LLVM: translation, the lean pass list, machine code.
#include "compiler/target/cpu/MaskedAccesses.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Triple.h"

using namespace linmu::cpu;

std::unique_ptr<llvm::TargetMachine> linmu::cpu::createTargetMachine(const Machine &machine) {
  std::string error, features;
  llvm::Triple triple(machine.triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  for (const std::string &feature : machine.features)
    features += (features.empty() ? "+" : ",+") + feature;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Fast;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, machine.cpu, features, options, llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Less));
}

std::unique_ptr<llvm::Module> linmu::cpu::translate(mlir::ModuleOp module, llvm::LLVMContext &context,
                                                    llvm::TargetMachine &target) {
  std::unique_ptr<llvm::Module> result = mlir::translateModuleToLLVMIR(module, context);
  if (!result)
    return nullptr;
  result->setDataLayout(target.createDataLayout());
  result->setTargetTriple(target.getTargetTriple());
  return result;
}

void linmu::cpu::optimise(llvm::Module &module, llvm::TargetMachine &target) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&target);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  llvm::ModulePassManager passes;
  // What is left to clean up is address arithmetic; a full -O3 takes thirty times as long for nothing.
  llvm::cantFail(builder.parsePassPipeline(passes, "function(early-cse,loop-mssa(licm),early-cse)"));
  passes.run(module, modules);
  narrowMaskedAccesses(module);
}

std::string linmu::cpu::generate(llvm::Module &module, llvm::TargetMachine &target, bool assembly) {
  llvm::SmallString<0> buffer;
  llvm::raw_svector_ostream stream(buffer);
  llvm::legacy::PassManager passes;
  target.addPassesToEmitFile(passes, stream, nullptr,
                             assembly ? llvm::CodeGenFileType::AssemblyFile
                                      : llvm::CodeGenFileType::ObjectFile);
  passes.run(module);
  return std::string(buffer);
}
