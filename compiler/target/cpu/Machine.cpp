#include "compiler/target/cpu/Machine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace linmu::cpu;

/// LLVM's table of targets is a plain list: two threads must not fill it at once.
static void initializeTargets() {
  [[maybe_unused]] static const bool once = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
}

static const llvm::Target &nativeTarget(const llvm::Triple &triple) {
  initializeTargets();
  std::string error;
  return *llvm::TargetRegistry::lookupTarget(triple, error);
}

bool Machine::has(llvm::StringRef feature) const { return llvm::is_contained(features, feature.str()); }

bool Machine::isKnown(llvm::StringRef cpu) {
  llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  std::unique_ptr<llvm::MCSubtargetInfo> info(nativeTarget(triple).createMCSubtargetInfo(triple, "", ""));
  return info->isCPUStringValid(cpu);
}

Machine Machine::named(llvm::StringRef cpu) {
  initializeTargets();
  Machine machine;
  machine.triple = llvm::sys::getDefaultTargetTriple();
  machine.cpu = cpu.empty() ? llvm::sys::getHostCPUName().str() : cpu.str();
  if (cpu.empty()) {
    for (const auto &feature : llvm::sys::getHostCPUFeatures())
      if (feature.second)
        machine.features.push_back(feature.first().str());
  } else {
    llvm::Triple triple(machine.triple);
    std::unique_ptr<llvm::MCSubtargetInfo> info(
        nativeTarget(triple).createMCSubtargetInfo(triple, machine.cpu, ""));
    for (const llvm::SubtargetFeatureKV &feature : info->getEnabledProcessorFeatures())
      machine.features.push_back(feature.Key);
  }
  llvm::sort(machine.features);
  // Eight rows of one 512-bit register each hide the latency of FMA, and two or three read fewer elements for
  // each: 10 loads for 16, 11 for 24. With 256-bit registers four rows of two do, and eight would spill.
  machine.rows = machine.has("avx512f") ? 8 : 4;
  machine.panels = machine.has("avx512f") ? 3 : 1;
  return machine;
}
