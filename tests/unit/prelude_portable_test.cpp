// The kernels of tests/gpu without a GPU: the portable prelude runs all of them, and the device prelude
// compiles with them for every architecture. That both give the same is tests/gpu/prelude_test.cu, on a GPU.
#include "compiler/target/cuda/prelude/Prelude.h"
#include "nvrtc.h"
#include "tests/gpu/prelude_cases.h"
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace linmu::prelude_test {
namespace {

TEST(PortablePrelude, RunsEveryFunctionWithoutFault) {
  for (unsigned architecture : {80, 90})
    for (const Case &test : allCases(architecture)) {
      Words result;
      EXPECT_EQ(toString(runPortable(test, result)), "clean") << test.name << test.title;
      EXPECT_EQ(result.size(), test.outWords);
    }
}

TEST(DevicePrelude, CompilesEveryFunctionForEveryArchitecture) {
  std::ifstream stream(LINMU_TEST_GPU_KERNELS);
  std::stringstream kernels;
  kernels << stream.rdbuf();
  ASSERT_GT(kernels.str().size(), 1000U);
  std::string text = std::string(cuda::devicePrelude()) +
                     "template <class To, class From> LINMU_FUNCTION To *same_place(Global<From> from) {\n"
                     "  return reinterpret_cast<To *>(from.pointer);\n}\n"
                     "#define LINMU_TEST_KERNEL extern \"C\" __global__ void\n" +
                     kernels.str();
  for (const char *architecture : {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120"}) {
    NvrtcResult result = compileWithNvrtc(text, architecture);
    EXPECT_TRUE(result.compiled) << architecture << ": " << result.log;
    EXPECT_EQ(result.log, "") << architecture;
    EXPECT_GT(result.cubin.size(), 10000U) << architecture;
  }
}

} // namespace
} // namespace linmu::prelude_test
