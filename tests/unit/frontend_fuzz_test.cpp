// Mutated pattern texts: whatever comes in, the frontend answers with a module or with one message at a place
// inside the text, and never crashes.
#include "compiler/frontend/Frontend.h"
#include "tests/unit/text_mutation.h"
#include <gtest/gtest.h>

namespace linmu::test {
namespace {

void expectOneMessageInside(const std::string &text, const std::string &diagnostics) {
  static const std::regex form(
      R"(fuzz\.mlir:(\d+):(\d+): error: [^\n]+\n(fuzz\.mlir:\d+:\d+: note: [^\n]*\n)*)");
  std::smatch match;
  ASSERT_TRUE(std::regex_match(diagnostics, match, form)) << diagnostics << "---\n" << text;
  auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  EXPECT_GE(std::stol(match[1]), 1) << diagnostics;
  EXPECT_LE(std::stol(match[1]), lines) << diagnostics << "---\n" << text;
}

class FrontendFuzz : public testing::TestWithParam<const char *> {};

TEST_P(FrontendFuzz, answersMutatedTextsWithAModuleOrOneMessageAtAPlaceInsideTheText) {
  reportCrashes();
  int mutants = mutantCount(1500);
  std::vector<std::string> tokens = tokensOf(readSample(GetParam()));
  ASSERT_GT(tokens.size(), 100u);
  mlir::DialectRegistry registry;
  frontend::registerDialects(registry);
  int accepted = 0;
  for (int seed = 0; seed < mutants; ++seed) {
    std::mt19937 random(seed);
    current = mutate(tokens, random);
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    frontend::DiagnosticCollector diagnostics(context);
    bool ok = false;
    if (auto module = frontend::parse({current, "fuzz.mlir", {}}, context)) {
      ok = true;
      for (auto function : module->getOps<mlir::func::FuncOp>()) {
        ok &= mlir::succeeded(frontend::signatureOf(function));
        EXPECT_EQ(frontend::hashOf(function, "").size(), 32u);
        if (!ok)
          break;
      }
    }
    std::string text = diagnostics.take();
    if (ok) {
      ++accepted;
      EXPECT_EQ(text, "");
    } else {
      expectOneMessageInside(current, text);
    }
    if (HasFatalFailure())
      return;
  }
  // Mutations of comments and names leave the text valid; if all were refused, the samples would be broken.
  EXPECT_GT(accepted, mutants / 50);
  EXPECT_LT(accepted, mutants);
}
INSTANTIATE_TEST_SUITE_P(Samples, FrontendFuzz, testing::Values("scan.mlir", "clauses.mlir"));

} // namespace
} // namespace linmu::test
