// The kernels of tests/gpu without a GPU: the portable prelude runs all of them, and the device prelude
// compiles with them for every architecture. That both give the same is tests/gpu/prelude_test.cu, on a GPU.
#include "compiler/target/cuda/prelude/Prelude.h"
#include "nvrtc.h"
#include "tests/gpu/prelude_cases.h"
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <sstream>

namespace linmu::prelude_test {
namespace {

std::string textOf(const std::string &file) {
  std::ifstream stream(LINMU_TEST_SOURCES "/" + file);
  std::stringstream text;
  text << stream.rdbuf();
  EXPECT_GT(text.str().size(), 500U) << file;
  return text.str();
}

std::string kernels() { return textOf("gpu/prelude_functions.cuh") + textOf("gpu/prelude_kernels.cuh"); }

TEST(PortablePrelude, RunsEveryFunctionWithoutFault) {
  for (unsigned architecture : {80, 90})
    for (const Case &test : allCases(architecture)) {
      Words result;
      EXPECT_EQ(toString(runPortable(test, result)), "clean") << test.name << test.title;
      EXPECT_EQ(result.size(), test.outWords);
      // As runPortable() fills what nothing writes: outWords are as many as the kernel's.
      EXPECT_FALSE(result.back() == 0xffffffff && result[result.size() - 2] == 0xffffffff)
          << test.name << " writes less than " << test.outWords << " words";
    }
}

/// Names that stand behind LINMU_FUNCTION, or as the first argument of the prelude's macros that define
/// functions.
std::set<std::string> functionsOf(const std::string &text) {
  std::set<std::string> names;
  auto collect = [&](const std::regex &pattern) {
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
      names.insert((*at)[1]);
  };
  collect(std::regex(R"(LINMU_FUNCTION[^;{}()]*?[ &*]([a-z]\w*)\()"));
  collect(std::regex(
      R"(\nLINMU_(?:HALF_1|HALF_2|COMPARE|EXTREMUM|ELEMENTWISE_\w+|SHUFFLE|SHUFFLED)\((\w+)[,)])"));
  return names;
}

TEST(DevicePrelude, HasNoFunctionThatTheKernelsLeaveOut) {
  std::string text(cuda::devicePrelude());
  std::set<std::string> functions = functionsOf(text);
  EXPECT_GT(functions.size(), 150U);
  std::string all = kernels() + textOf("unit/kernels/handover.cu") + textOf("unit/kernels/matmul.cu") +
                    textOf("unit/kernels/row_sums.cu");
  // What only stands behind another function: parts of accesses and of macros.
  static const std::regex parts(
      R"(\w+_raw|(from|to)_register|access_of|of|low|high|name|load_name|store_name|)"
      R"(store_one_matrix\w*|(load|store)_global_where|signed_of|step(_anywhere)?|to_f32|global_at|same_bits)");
  for (const std::string &name : functions)
    if (!std::regex_match(name, parts)) {
      EXPECT_TRUE(std::regex_search(all, std::regex("\\b" + name + "\\b"))) << name;
    }
}

TEST(DevicePrelude, CompilesEveryFunctionForEveryArchitecture) {
  std::string text = std::string(cuda::devicePrelude()) +
                     "template <class To, class From> LINMU_FUNCTION To *same_place(Global<From> from) {\n"
                     "  return reinterpret_cast<To *>(from.pointer);\n}\n"
                     "template <class T> LINMU_FUNCTION i64 word_of_place(Global<T> first) {\n"
                     "  return reinterpret_cast<i64>(first.pointer);\n}\n"
                     "#define LINMU_TEST_KERNEL extern \"C\" __global__ void\n" +
                     kernels();
  for (const char *architecture : {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120"}) {
    NvrtcResult result = compileWithNvrtc(text, architecture);
    EXPECT_TRUE(result.compiled) << architecture << ": " << result.log;
    EXPECT_EQ(result.log, "") << architecture;
    EXPECT_GT(result.cubin.size(), 10000U) << architecture;
  }
}

} // namespace
} // namespace linmu::prelude_test
