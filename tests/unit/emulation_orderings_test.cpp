// None of the waits, barriers and fences of a printed kernel may go: the emulation fails without any one of
// them.
#include "compiler/api/compiler_api.h"
#include "compiler/target/cuda/emulation/EmulatedExecutor.h"
#include "compiler/target/cuda/emulation/Orderings.h"
#include "runtime/core/error.h"
#include "runtime/core/kernel.h"
#include "runtime/core/package_file.h"
#include "tests/unit/emulated_call.h"
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <regex>
#include <sstream>

namespace linmu {
namespace {

/// Three chunks of 16, the last one cut: what one pass of a loop leaves must be ordered with the next.
constexpr std::int64_t tokens = 40;
/// Four: the loop ends with the other slot of its rings in flight.
constexpr std::int64_t more_tokens = 56;

using Schedule = std::map<std::string, std::string>;

struct Case {
  std::string name; ///< of a file of tests/recurrences, or "windows"
  Schedule schedule;
  std::string type = "f32"; ///< of token operands
  /// How many of the orderings are removed by day; all of them at night.
  std::size_t sample = std::numeric_limits<std::size_t>::max();
  /// Those that no call needs. One of windows: what says whether their values are finite is read behind the
  /// loop over queries, whose barriers order it; the compiler does not know that every window has a query. Of
  /// most one more, before a block of queries: what it orders the reductions of the block before have
  /// ordered.
  std::size_t spare = 0;
};
void PrintTo(const Case &test, std::ostream *out) { *out << test.name; }

std::vector<std::string> recurrences() {
  std::vector<std::string> names;
  for (const auto &file : std::filesystem::directory_iterator(LINMU_TEST_RECURRENCES))
    names.push_back(file.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Case> f32Cases() {
  std::vector<Case> cases;
  for (const std::string &name : recurrences())
    cases.push_back({name, {{"chunk", "16"}}});
  cases.push_back({"linear_attention", {{"algorithm", "two_kernels"}, {"chunk", "16"}}});
  cases.push_back({"gla", {{"algorithm", "segmented"}, {"chunk", "16"}, {"segments", "2"}}});
  cases.push_back({"gated_deltanet", {{"chunk", "16"}, {"columns", "16"}}});
  return cases;
}

std::vector<Case> sampledCases() {
  constexpr std::size_t sample = 5;
  const Schedule queries = {{"query_block", "32"}}, blocks = {{"query_block", "16"}, {"key_block", "16"}};
  std::vector<Case> cases = {
      {"windows", queries, "f32", sample, 2},
      {"windows", blocks, "f32", sample, 2},
      {"windows", queries, "bf16", sample, 2},
      {"windows", blocks, "bf16", sample, 1},
      {"windows", blocks, "f16", sample, 1},
      {"gla", {{"algorithm", "segmented"}, {"chunk", "16"}, {"segments", "2"}}, "bf16", sample},
      {"linear_attention", {{"algorithm", "two_kernels"}, {"chunk", "16"}}, "f16", sample},
      {"gated_deltanet", {{"chunk", "32"}, {"columns", "16"}}, "bf16", sample},
  };
  // By day those whose kernels differ most.
  for (const std::string &name : recurrences())
    if (std::getenv("TEST_NIGHTLY") != nullptr || name == "mamba2" || name == "gated_deltanet" ||
        name == "rwkv7")
      cases.push_back({name, {{"chunk", "16"}}, "bf16", sample});
  return cases;
}

/// What calls of a case are: their tokens, and the item of their media table.
struct CallSize {
  std::int64_t tokens;
  std::array<std::int32_t, 4> item = {0, 1, 1, 1};
  bool finite = true; ///< else an element of each operand is NaN
  bool wide = false;  ///< decays leave too little to divide by
};
/// Windows of 50 tokens, more than one block of queries and of keys, that the grid does not divide; small
/// ones, of which a block has several; and some whose values are not all finite, whose queries run once more
/// one by one.
const std::vector<CallSize> windowCalls = {
    {120, {1, 3, 6, 6}}, {40, {0, 40, 1, 1}}, {120, {1, 3, 6, 6}, false}};
const std::vector<CallSize> recurrenceCalls = {
    {tokens}, {more_tokens}, {.tokens = tokens, .wide = true}, {.tokens = tokens, .finite = false}};

std::string windowsOf(const std::string &type) {
  std::string token = "tensor<?x?x2x16x" + type + ">";
  return "func.func @windows(%q: " + token + ", %k: " + token + ", %v: " + token +
         ", %m: tensor<?x4xi32>) -> " + token +
         " {\n  %o = pattern.window_attention %q, %k, %v media(%m : tensor<?x4xi32>) window [2, 5, 5] " +
         "shift [1, 2, 2] scale 0.25 wrap masked : (" + token + ", " + token + ", " + token + ") -> " +
         token + "\n  return %o : " + token + "\n}\n";
}

std::string textOf(const Case &test) {
  if (test.name == "windows")
    return windowsOf(test.type);
  std::ifstream stream(std::string(LINMU_TEST_RECURRENCES "/") + test.name + ".mlir");
  std::stringstream text;
  text << stream.rdbuf();
  static const std::regex ofTokens(R"((tensor<\?x\?|tail = tensor<\?x3)x([0-9x]*)xf32>)");
  return std::regex_replace(text.str(), ofTokens, "$1x$2x" + test.type + ">");
}

/// A package whose lines are those of its text; schedules that have no effect on a pattern are left out.
Package packageOf(const Case &test) {
  std::string text = textOf(test);
  compiler::Options options;
  options.filename = test.name;
  options.schedule = test.schedule;
  options.target = "cuda";
  compiler::Bytes compiled = compiler::compile(text, options);
  if (!compiled.ok && compiled.diagnostics.find("chunk has no effect") != std::string::npos) {
    options.schedule.clear();
    compiled = compiler::compile(text, options);
  }
  if (!compiled.ok)
    throw Error(ErrorCode::invalidPattern, compiled.diagnostics);
  Package package = deserialize(compiled.bytes, test.name);
  for (KernelSource &source : package.sources)
    source.text = emulation::withoutLineDirectives(source.text);
  return package;
}

struct KernelOrdering {
  const KernelSource *kernel;
  emulation::Ordering ordering;
};

/// Those of the kernels that a call of `tokens` tokens launches.
std::vector<KernelOrdering> orderingsOf(const Kernel &kernel) {
  Symbols symbols{.batch = 1, .tokens = tokens};
  const Package &package = kernel.package();
  auto variant = std::find_if(package.variants.begin(), package.variants.end(), [&](const Variant &each) {
    return each.condition == Variant::always || package.expressions[each.condition].evaluate(symbols) != 0;
  });
  std::vector<KernelOrdering> found;
  for (const KernelSource &source : package.sources)
    if (std::any_of(variant->launches.begin(), variant->launches.end(),
                    [&](const Launch &launch) { return launch.kernel == source.kernel; }))
      for (const emulation::Ordering &ordering : emulation::orderingsIn(source.text))
        found.push_back({&source, ordering});
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
  emulation::ExecutorOptions options;
  // One executor for all runs, so that each kernel is compiled for the host once.
  auto kernel = Kernel::open(package, [&](const Package &opened) { return openEmulated(opened, &options); });
  std::vector<test::EmulatedCall> calls;
  for (const CallSize &size : GetParam().name == "windows" ? windowCalls : recurrenceCalls)
    calls.emplace_back(kernel, size.tokens, size.item, size.finite, size.wide);
  for (test::EmulatedCall &call : calls)
    ASSERT_NO_THROW(call.run());
  std::vector<KernelOrdering> orderings = orderingsOf(kernel);
  if (kernel.algorithm(tokens) != "recurrent") {
    EXPECT_FALSE(orderings.empty());
  }
  RecordProperty("orderings", static_cast<int>(orderings.size()));
  if (std::size_t most = GetParam().sample;
      orderings.size() > most && std::getenv("TEST_NIGHTLY") == nullptr) {
    auto day =
        std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()).time_since_epoch().count();
    std::shuffle(orderings.begin(), orderings.end(), std::mt19937(static_cast<unsigned>(day)));
    orderings.resize(most);
  }
  std::vector<std::string> spare;
  for (const auto &[source, ordering] : orderings) {
    options.without_ordering_in = source->kernel;
    options.without_ordering_at = ordering.line;
    try {
      for (test::EmulatedCall &call : calls)
        call.run();
      spare.push_back(ordering.call + " at line " + std::to_string(ordering.line) + " of '" + source->kernel +
                      "' may go:\n" + linesAround(source->text, ordering.line));
    } catch (const Error &error) {
      EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(ErrorCode::internal)) << error.what();
    }
  }
  if (spare.size() > GetParam().spare)
    for (const std::string &each : spare)
      ADD_FAILURE() << each;
}

std::string nameOf(const testing::TestParamInfo<Case> &info) {
  auto algorithm = info.param.schedule.find("algorithm");
  std::string more = algorithm != info.param.schedule.end()        ? "_" + algorithm->second
                     : info.param.schedule.contains("columns")     ? "_columns"
                     : info.param.schedule.contains("key_block")   ? "_blocks"
                     : info.param.schedule.contains("query_block") ? "_queries"
                                                                   : "";
  return info.param.name + more + (info.param.type == "f32" ? "" : "_" + info.param.type);
}
INSTANTIATE_TEST_SUITE_P(All, PrintedOrderings, testing::ValuesIn(f32Cases()), nameOf);
INSTANTIATE_TEST_SUITE_P(Sampled, PrintedOrderings, testing::ValuesIn(sampledCases()), nameOf);

} // namespace
} // namespace linmu
