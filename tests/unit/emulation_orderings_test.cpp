// None of the waits, barriers and fences of a printed kernel may go: the emulation fails without any one of
// them.
#include "compiler/api/compiler_api.h"
#include "compiler/target/cuda/emulation/EmulatedExecutor.h"
#include "compiler/target/cuda/emulation/Orderings.h"
#include "compiler/target/cuda/prelude/Prelude.h"
#include "runtime/core/error.h"
#include "runtime/core/kernel.h"
#include "runtime/core/package_file.h"
#include "tests/unit/emulated_call.h"
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace linmu {
namespace {

/// Three chunks of 16, the last one cut: what one pass of a loop leaves must be ordered with the next.
constexpr std::int64_t tokens = 40;
/// Four: the loop ends with the other slot of its rings in flight.
constexpr std::int64_t more_tokens = 56;

struct Case {
  std::string name; ///< of a file of tests/recurrences
  std::map<std::string, std::string> schedule;
};
void PrintTo(const Case &test, std::ostream *out) { *out << test.name; }

std::vector<Case> allCases() {
  std::vector<Case> cases;
  for (const auto &file : std::filesystem::directory_iterator(LINMU_TEST_RECURRENCES)) {
    std::string name = file.path().stem();
    cases.push_back({name, {{"chunk", "16"}}});
  }
  std::sort(cases.begin(), cases.end(), [](const Case &a, const Case &b) { return a.name < b.name; });
  cases.push_back({"linear_attention", {{"algorithm", "two_kernels"}, {"chunk", "16"}}});
  cases.push_back({"gla", {{"algorithm", "segmented"}, {"chunk", "16"}, {"segments", "2"}}});
  cases.push_back({"gated_deltanet", {{"chunk", "16"}, {"columns", "16"}}});
  return cases;
}

/// A package whose lines are those of its text; schedules that have no effect on a pattern are left out.
Package packageOf(const Case &test) {
  std::ifstream stream(std::string(LINMU_TEST_RECURRENCES "/") + test.name + ".mlir");
  std::stringstream text;
  text << stream.rdbuf();
  compiler::Options options;
  options.filename = test.name;
  options.schedule = test.schedule;
  options.target = "cuda";
  compiler::Bytes compiled = compiler::compile(text.str(), options);
  if (!compiled.ok && compiled.diagnostics.find("chunk has no effect") != std::string::npos) {
    options.schedule.clear();
    compiled = compiler::compile(text.str(), options);
  }
  if (!compiled.ok)
    throw Error(ErrorCode::invalidPattern, compiled.diagnostics);
  Package package = deserialize(compiled.bytes, test.name);
  std::size_t prelude = cuda::devicePrelude().size();
  package.source = package.source.substr(0, prelude) +
                   emulation::withoutLineDirectives(std::string_view(package.source).substr(prelude));
  return package;
}

/// Those of the kernels that a call of `tokens` tokens launches.
std::vector<emulation::Ordering> orderingsOf(const Kernel &kernel, const std::string &text) {
  Symbols symbols{.batch = 1, .tokens = tokens};
  const Package &package = kernel.package();
  auto variant = std::find_if(package.variants.begin(), package.variants.end(), [&](const Variant &each) {
    return each.condition == Variant::always || package.expressions[each.condition].evaluate(symbols) != 0;
  });
  std::vector<emulation::Ordering> found;
  for (const Launch &launch : variant->launches) {
    // From its name to the next kernel.
    std::size_t begin = text.find(" " + launch.kernel + "(const __grid_constant__");
    std::size_t end = std::min(text.find("__global__", begin), text.size());
    int line = static_cast<int>(std::count(text.begin(), text.begin() + std::ptrdiff_t(begin), '\n'));
    for (emulation::Ordering ordering : emulation::orderingsIn(text.substr(begin, end - begin))) {
      ordering.line += line;
      found.push_back(ordering);
    }
  }
  return found;
}

/// Six lines before one of a text, which are counted from 1, and six behind it.
std::string linesAround(const std::string &text, int line) {
  std::istringstream stream(text);
  std::string each, result;
  for (int number = 1; std::getline(stream, each) && number <= line + 6; ++number)
    if (number >= line - 6)
      result += each + "\n";
  return result;
}

class PrintedOrderings : public testing::TestWithParam<Case> {};

TEST_P(PrintedOrderings, NoneMayGo) {
  Package package = packageOf(GetParam());
  std::string text = package.source.substr(cuda::devicePrelude().size());
  emulation::ExecutorOptions options;
  // One executor for all runs, so that each kernel is compiled for the host once.
  auto kernel = Kernel::open(package, [&](const Package &opened) { return openEmulated(opened, &options); });
  test::EmulatedCall call(kernel, tokens), longer(kernel, more_tokens);
  ASSERT_NO_THROW(call.run());
  ASSERT_NO_THROW(longer.run());
  std::vector<emulation::Ordering> orderings = orderingsOf(kernel, text);
  if (kernel.algorithm(tokens) != "recurrent") {
    EXPECT_FALSE(orderings.empty());
  }
  RecordProperty("orderings", static_cast<int>(orderings.size()));
  for (const emulation::Ordering &ordering : orderings) {
    options.without_ordering_at = ordering.line;
    try {
      call.run();
      longer.run();
      ADD_FAILURE() << ordering.call << " at line " << ordering.line << " of the text may go:\n"
                    << linesAround(text, ordering.line);
    } catch (const Error &error) {
      EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(ErrorCode::internal)) << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, PrintedOrderings, testing::ValuesIn(allCases()), [](const auto &info) {
  auto algorithm = info.param.schedule.find("algorithm");
  std::string more = algorithm != info.param.schedule.end()    ? "_" + algorithm->second
                     : info.param.schedule.contains("columns") ? "_columns"
                                                               : "";
  return info.param.name + more;
});

} // namespace
} // namespace linmu
