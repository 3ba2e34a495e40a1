// Mutated pattern texts, and a report of the one on which a test crashed.
#pragma once
#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace linmu::test {

inline std::string readSample(const std::string &name) {
  std::ifstream stream(std::string(LINMU_SOURCE_DIR) + "/tests/lit/pattern/" + name);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// Names, numbers, white space, and any other character by itself.
inline std::vector<std::string> tokensOf(const std::string &text) {
  static const std::regex token(R"([A-Za-z_][A-Za-z0-9_.]*|[0-9]+(\.[0-9]+)?|\s+|.)");
  std::vector<std::string> tokens;
  for (std::sregex_iterator it(text.begin(), text.end(), token), end; it != end; ++it)
    tokens.push_back(it->str());
  return tokens;
}

inline const char *const strangers[] = {"?",
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

inline std::string textOf(const std::vector<std::string> &tokens) {
  std::string text;
  for (const std::string &token : tokens)
    text += token;
  return text;
}

/// Ops that may stand for each other without upsetting types.
inline const std::vector<std::string> siblings = {"addf", "subf", "mulf", "divf", "maximumf", "minimumf"};
inline const std::vector<std::string> unarySiblings = {"exp", "tanh", "log1p", "sqrt", "erf"};

/// One change that often leaves a valid pattern: another value, or another op of the same shape.
inline void rewire(std::vector<std::string> &tokens, std::mt19937 &random) {
  auto pick = [&](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  };
  std::vector<std::size_t> values, ops;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    if (tokens[i - 1] == "%" && std::isalpha(tokens[i][0]))
      values.push_back(i);
    for (const auto *family : {&siblings, &unarySiblings})
      for (const std::string &name : *family)
        if (tokens[i].ends_with("." + name))
          ops.push_back(i);
  }
  if (pick(2) || ops.empty()) {
    // Values of one neighbourhood often have one type.
    std::size_t at = pick(values.size()), from = std::min(values.size() - 1, at + pick(12));
    tokens[values[at]] = tokens[values[from]];
    return;
  }
  std::string &op = tokens[ops[pick(ops.size())]];
  std::size_t dot = op.find('.') + 1;
  bool unary = std::find(siblings.begin(), siblings.end(), op.substr(dot)) == siblings.end();
  op = op.substr(0, dot) +
       (unary ? unarySiblings[pick(unarySiblings.size())] : siblings[pick(siblings.size())]);
}

inline std::string mutate(std::vector<std::string> tokens, std::mt19937 &random) {
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
  return textOf(tokens);
}

inline std::string current; ///< for the report of a crash

inline void reportCrash(int signal) {
  [[maybe_unused]] ssize_t written = ::write(2, "\ncrashed on this text:\n", 23);
  written = ::write(2, current.data(), current.size());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

inline void reportCrashes() {
  for (int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE})
    std::signal(signal, reportCrash);
}

/// LINMU_FUZZ_MUTANTS, for a longer run than that of the tests.
inline int mutantCount(int otherwise) {
  const char *count = std::getenv("LINMU_FUZZ_MUTANTS");
  return count ? std::atoi(count) : otherwise;
}

} // namespace linmu::test
