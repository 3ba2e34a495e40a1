#include "runtime/core/cuda/profiler_range.h"
#if LINMU_HAVE_NVTX
#include <nvtx3/nvToolsExt.h>
#endif

namespace linmu::cuda {

#if LINMU_HAVE_NVTX
ProfilerRange::ProfilerRange(const std::string &name) { nvtxRangePushA(name.c_str()); }
ProfilerRange::~ProfilerRange() { nvtxRangePop(); }
#else
ProfilerRange::ProfilerRange(const std::string &) {}
ProfilerRange::~ProfilerRange() {}
#endif

} // namespace linmu::cuda
