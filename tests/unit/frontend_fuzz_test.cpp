// Mutated pattern texts: whatever comes in, the frontend answers with a module or with one message at a place
// inside the text, and never crashes.
#include "compiler/frontend/Frontend.h"
#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <regex>
#include <sstream>
#include <unistd.h>

namespace linmu::test {
namespace {

std::string readSample(const std::string &name) {
  std::ifstream stream(std::string(LINMU_SOURCE_DIR) + "/tests/lit/pattern/" + name);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// Names, numbers, white space, and any other character by itself.
std::vector<std::string> tokensOf(const std::string &text) {
  static const std::regex token(R"([A-Za-z_][A-Za-z0-9_.]*|[0-9]+(\.[0-9]+)?|\s+|.)");
  std::vector<std::string> tokens;
  for (std::sregex_iterator it(text.begin(), text.end(), token), end; it != end; ++it)
    tokens.push_back(it->str());
  return tokens;
}

const char *const strangers[] = {"?",
                                 "0",
                                 "-1",
                                 "99999999999999999999",
                                 "x",
                                 "%q",
                                 "f64",
                                 "index",
                                 "tensor",
                                 "vector<4xf32>",
                                 "memref<?xf32>",
                                 "()",
                                 "{",
                                 "}",
                                 "(",
                                 ")",
                                 "loc(unknown)",
                                 "\"",
                                 "^bb1:",
                                 "#",
                                 "!",
                                 "func",
                                 "pattern.",
                                 "pattern.yield",
                                 "unit",
                                 "true",
                                 "1e9",
                                 "nan",
                                 "0x7FC0",
                                 "->",
                                 "scf.for",
                                 "\n",
                                 "\0x",
                                 "bf16",
                                 "i1"};

std::string mutate(std::vector<std::string> tokens, std::mt19937 &random) {
  auto pick = [&](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  };
  for (std::size_t changes = 1 + pick(3); changes > 0; --changes) {
    std::size_t at = pick(tokens.size());
    switch (pick(6)) {
    case 0:
      tokens.erase(tokens.begin() + at);
      break;
    case 1:
      tokens.insert(tokens.begin() + at, tokens[at]);
      break;
    case 2:
      tokens[at] = tokens[pick(tokens.size())];
      break;
    case 3:
      std::swap(tokens[at], tokens[pick(tokens.size())]);
      break;
    case 4:
      tokens[at] = strangers[pick(std::size(strangers))];
      break;
    case 5: // a whole stretch is lost
      tokens.erase(tokens.begin() + at, tokens.begin() + std::min(at + pick(40), tokens.size()));
      break;
    }
    if (tokens.empty())
      break;
  }
  std::string text;
  for (const std::string &token : tokens)
    text += token;
  return text;
}

std::string current; // for the report of a crash

void reportCrash(int signal) {
  [[maybe_unused]] ssize_t written = ::write(2, "\ncrashed on this text:\n", 23);
  written = ::write(2, current.data(), current.size());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

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
  for (int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE})
    std::signal(signal, reportCrash);
  const char *count = std::getenv("LINMU_FUZZ_MUTANTS");
  int mutants = count ? std::atoi(count) : 1500;
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
