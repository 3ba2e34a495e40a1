// What a profiler is to NVTX: a library that takes over the functions for ranges. It keeps a list of them.
#include <mutex>
#include <nvtx3/nvToolsExt.h>
#include <string>
#include <vector>

static std::mutex mutex;
static std::vector<std::string> ranges;

static int push(const char *name) {
  std::lock_guard lock(mutex);
  ranges.push_back(std::string("push ") + name);
  return 0;
}

static int pop() {
  std::lock_guard lock(mutex);
  ranges.push_back("pop");
  return 0;
}

extern "C" __attribute__((visibility("default"))) std::vector<std::string> *linmu_fake_profiler_ranges() {
  return &ranges;
}

extern "C" __attribute__((visibility("default"))) int
InitializeInjectionNvtx2(NvtxGetExportTableFunc_t exported) {
  auto *callbacks = static_cast<const NvtxExportTableCallbacks *>(exported(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable table = nullptr;
  unsigned size = 0;
  if (!callbacks || !callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE, &table, &size) ||
      size <= NVTX_CBID_CORE_RangePop)
    return 0;
  *table[NVTX_CBID_CORE_RangePushA] = reinterpret_cast<NvtxFunctionPointer>(&push);
  *table[NVTX_CBID_CORE_RangePop] = reinterpret_cast<NvtxFunctionPointer>(&pop);
  return 1;
}
