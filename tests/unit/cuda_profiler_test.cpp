// Ranges for a profiler that is attached from the process's start.
#include "tests/unit/cuda_fixture.h"
#include <array>
#include <cstdlib>
#include <dlfcn.h>

using namespace linmu;
using namespace linmu::test;

namespace {

[[maybe_unused]] const int attached = setenv("NVTX_INJECTION64_PATH", LINMU_FAKE_PROFILER, 1);

using CudaProfiler = CudaTest;

TEST_F(CudaProfiler, EveryLaunchIsARangeNamedForItsPatternAndKernel) {
  Kernel kernel = Kernel::open(cudaTotalPackage());
  std::vector<float> x(8, 1), o(1);
  kernel(std::array{deviceView(x.data(), {1, 8, 1, 1})}, std::array{deviceView(o.data(), {1, 1, 1, 1})});
  void *library = dlopen(LINMU_FAKE_PROFILER, RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(library, nullptr) << "nobody loaded the profiler";
  auto ranges =
      reinterpret_cast<std::vector<std::string> *(*)()>(dlsym(library, "linmu_fake_profiler_ranges"));
  EXPECT_EQ(*ranges(),
            (std::vector<std::string>{"push total.sum_part", "pop", "push total.sum_whole", "pop"}));
}

} // namespace
