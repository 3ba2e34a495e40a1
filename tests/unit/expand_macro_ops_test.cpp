// expand-macro-ops against the ops that it writes out, in fp64.
#include "tests/unit/macro_op_program.h"
#include <cmath>
#include <limits>

using namespace linmu;
using namespace linmu::test;

namespace {

constexpr std::int64_t chunks[] = {8, 16, 24, 40, 64}, widths[] = {1, 5, 16, 48};
constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = INFINITY;
const std::string byRows, byInverse = "solve-by-inverse=true";

enum class Decays { uniform, zeros, ones, tiny, mixed };
constexpr Decays everyDecay[] = {Decays::uniform, Decays::zeros, Decays::ones, Decays::tiny, Decays::mixed};

Memory decaysOf(Decays kind, std::vector<std::int64_t> shape, std::mt19937 &random) {
  Memory decays = randomMemory(std::move(shape), 0, 1, random);
  const double special[] = {0, 1, 1e-30};
  for (double &element : decays.elements)
    if (kind == Decays::mixed) {
      unsigned choice = random() % 6;
      element = choice < 3 ? special[choice] : element;
    } else if (kind != Decays::uniform) {
      element = kind == Decays::zeros ? 0 : kind == Decays::ones ? 1 : 1e-30;
    }
  return decays;
}

Memory matrix(MacroOpProgram::Shape shape, double bound, std::mt19937 &random) {
  return randomMemory({1, shape.first, shape.second}, -bound, bound, random);
}

/// Operands of decay_scores, decay_values and decay_paths: two matrices and decays, then another matrix.
std::vector<Memory> decayed(const MacroOpProgram &program, Decays kind, std::mt19937 &random) {
  auto [rows, columns] = program.operands[2];
  std::vector<Memory> operands{matrix(program.operands[0], 1, random), matrix(program.operands[1], 1, random),
                               decaysOf(kind, {1, rows, columns}, random)};
  if (program.operands.size() > 3)
    operands.push_back(matrix(program.operands[3], 1, random));
  return operands;
}

/// Operands of solve and inverse: systems with rows of at most 2 in sum, so that solutions stay of size one.
std::vector<Memory> triangular(const MacroOpProgram &program, std::int64_t m, std::mt19937 &random) {
  std::vector<Memory> operands;
  for (auto shape : program.operands) {
    bool isSystem = std::int64_t(operands.size()) < m * m;
    operands.push_back(matrix(shape, isSystem ? 2.0 / double(shape.first * m) : 1, random));
  }
  return operands;
}

std::vector<Memory> magnitudes(std::vector<Memory> operands) {
  for (Memory &operand : operands)
    for (double &element : operand.elements)
      element = std::abs(element);
  return operands;
}

/// Each element to 1e-12 of the sum of its terms' magnitudes, the rounding of sums and products in another
/// order, and to 1e-300, for products of decays underflow at different places.
void expectEqualToOp(const MacroOpProgram &program, const std::vector<Memory> &operands,
                     const std::vector<std::string> &everyOptions = {""}) {
  std::vector<Memory> expected = program.run(operands, "none");
  std::vector<Memory> scale = program.run(magnitudes(operands), "none");
  for (const std::string &options : everyOptions) {
    std::vector<Memory> actual = program.run(operands, options);
    for (size_t r = 0; r < expected.size(); ++r)
      for (size_t i = 0; i < expected[r].elements.size(); ++i)
        ASSERT_LE(std::abs(actual[r].elements[i] - expected[r].elements[i]),
                  1e-12 * scale[r].elements[i] + 1e-300)
            << program.op << " with '" << options << "': result " << r << ", element " << i << ", "
            << actual[r].elements[i] << " for " << expected[r].elements[i];
  }
}

/// A NaN or an infinity anywhere in a token's rows leaves the rows of earlier tokens as they are, to the bit.
void expectCausal(const MacroOpProgram &program, const std::vector<Memory> &operands,
                  const std::string &options) {
  std::vector<Memory> clean = program.run(operands, options);
  std::int64_t tokens = program.operands[0].first;
  for (std::int64_t token :
       {std::int64_t(0), std::int64_t(5), std::int64_t(15), std::int64_t(16), tokens - 1})
    for (double poison : {nan, infinity, -infinity})
      for (size_t o = 0; o < operands.size(); ++o) {
        std::vector<Memory> poisoned = operands;
        std::int64_t width = program.operands[o].second;
        for (std::int64_t column = 0; column < width; ++column)
          poisoned[o].elements[token * width + column] = poison;
        std::vector<Memory> actual = program.run(poisoned, options);
        for (size_t r = 0; r < clean.size(); ++r)
          for (std::int64_t i = 0; i < token * program.results[r].second; ++i)
            ASSERT_EQ(actual[r].elements[i], clean[r].elements[i])
                << program.op << " with '" << options << "': operand " << o << " is " << poison
                << " at token " << token << ", result " << r << ", element " << i;
      }
}

/// Elements of the first `squares` operands above the diagonal, or on it as well, are not used.
void expectDead(const MacroOpProgram &program, std::vector<Memory> operands, size_t squares, bool diagonal,
                const std::string &options) {
  std::vector<Memory> clean = program.run(operands, options);
  for (size_t o = 0; o < squares; ++o)
    for (std::int64_t t = 0, size = program.operands[o].first; t < size; ++t)
      for (std::int64_t s = diagonal ? t : t + 1; s < size; ++s)
        operands[o].elements[t * size + s] = (t + s) % 2 ? nan : infinity;
  std::vector<Memory> actual = program.run(operands, options);
  for (size_t r = 0; r < clean.size(); ++r)
    EXPECT_EQ(actual[r].elements, clean[r].elements) << program.op << " with '" << options << "'";
}

template <typename Make>
void expectDecayedOpsEqual(Make make, const std::vector<std::string> &everyOptions = {""}) {
  std::mt19937 random(1);
  for (std::int64_t tokens : chunks)
    for (std::int64_t width : widths)
      for (bool exclusive : {false, true})
        for (Decays kind : everyDecay) {
          MacroOpProgram program = make(tokens, width, exclusive);
          expectEqualToOp(program, decayed(program, kind, random), everyOptions);
        }
}

TEST(ExpandMacroOps, DecayScoresAreThoseOfTheOp) {
  expectDecayedOpsEqual(&MacroOpProgram::decayScores, {"", "halves=true", "halves=true products=true"});
}

TEST(ExpandMacroOps, DecayValuesAreThoseOfTheOp) {
  expectDecayedOpsEqual(&MacroOpProgram::decayValues, {"", "halves=true"});
  expectDecayedOpsEqual(&MacroOpProgram::decayValuesTransposed, {"", "halves=true"});
}

TEST(ExpandMacroOps, DecayPathsAreThoseOfTheOp) {
  expectDecayedOpsEqual(&MacroOpProgram::decayPaths, {"", "halves=true"});
}

TEST(ExpandMacroOps, DecayPathsAreWhatTheyAreSaidToBe) {
  // The op's own meaning: of three tokens and one column, by hand.
  for (bool exclusive : {false, true}) {
    MacroOpProgram program = MacroOpProgram::decayPaths(3, 1, exclusive);
    auto tile = [](std::vector<double> elements, std::int64_t columns) {
      Memory memory = Memory::filled({1, 3, columns}, 0);
      memory.elements = std::move(elements);
      return memory;
    };
    Memory result = program.run({tile({9, 9, 9, 2, 9, 9, 3, 5, 9}, 3), tile({7, 11, 9}, 1),
                                 tile({9, 0.5, 0.25}, 1), tile({9, 13, 17}, 1)},
                                "none")[0];
    double near = 7 * 2 * 13, far = 7 * 3 * 17, last = 11 * 5 * 17;
    std::vector<double> expected =
        exclusive ? std::vector<double>{0, far * 0.5, 0}
                  : std::vector<double>{0, near * 0.5 + far * 0.125, far * 0.125 + last * 0.25};
    EXPECT_EQ(result.elements, expected) << exclusive;
  }
}

TEST(ExpandMacroOps, SolutionsAreThoseOfTheOpByRowsAndByAnInverse) {
  std::mt19937 random(2);
  for (std::int64_t tokens : chunks)
    for (std::int64_t width : widths)
      for (std::int64_t m : {1, 2, 3}) {
        MacroOpProgram program = MacroOpProgram::solve(tokens, width, m);
        std::vector<Memory> operands = triangular(program, m, random);
        expectEqualToOp(program, operands, {byRows, byInverse});
      }
}

TEST(ExpandMacroOps, InversesAreThoseOfTheOp) {
  std::mt19937 random(3);
  for (std::int64_t tokens : chunks)
    for (std::int64_t m : {1, 2, 3}) {
      MacroOpProgram program = MacroOpProgram::inverse(tokens, m);
      expectEqualToOp(program, triangular(program, m, random));
    }
}

TEST(ExpandMacroOps, SubChunksOfEverySizeGiveTheSame) {
  std::mt19937 random(4);
  auto scores = MacroOpProgram::decayScores(24, 5, true), values = MacroOpProgram::decayValues(24, 5, false);
  auto paths = MacroOpProgram::decayPaths(24, 5, true), solve = MacroOpProgram::solve(24, 5, 2);
  for (const char *size : {"1", "3", "7", "8", "23", "24", "100"}) {
    std::string option = std::string("sub-chunk=") + size;
    expectEqualToOp(scores, decayed(scores, Decays::mixed, random), {option});
    expectEqualToOp(values, decayed(values, Decays::mixed, random), {option});
    expectEqualToOp(paths, decayed(paths, Decays::mixed, random), {option});
    expectEqualToOp(solve, triangular(solve, 2, random), {option, option + " " + byInverse});
  }
}

TEST(ExpandMacroOps, AnInverseTimesItsMatrixIsOne) {
  // The op's own meaning, apart from any expansion.
  std::mt19937 random(5);
  constexpr std::int64_t size = 24, m = 2;
  MacroOpProgram program = MacroOpProgram::inverse(size, m);
  std::vector<Memory> systems = triangular(program, m, random), inverses = program.run(systems, "none");
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < m; ++j)
      for (std::int64_t t = 0; t < size; ++t)
        for (std::int64_t c = 0; c < size; ++c) {
          double product = inverses[i * m + j].elements[t * size + c];
          for (std::int64_t k = 0; k < m; ++k)
            for (std::int64_t s = 0; s < t; ++s)
              product -=
                  systems[i * m + k].elements[t * size + s] * inverses[k * m + j].elements[s * size + c];
          EXPECT_NEAR(product, i == j && t == c, 1e-14) << i << " " << j << " " << t << " " << c;
        }
}

TEST(ExpandMacroOps, AboveItsDiagonalAnInverseIsZeroWhateverTheSystemsHold) {
  std::mt19937 random(8);
  constexpr std::int64_t size = 40, m = 2;
  MacroOpProgram program = MacroOpProgram::inverse(size, m);
  std::vector<Memory> systems = triangular(program, m, random);
  for (Memory &system : systems)
    for (std::int64_t token : {5, 20, 39})
      for (std::int64_t column = 0; column < size; ++column)
        system.elements[token * size + column] = column % 2 ? nan : infinity;
  for (const char *options : {"none", "", "sub-chunk=64"})
    for (const Memory &inverse : program.run(systems, options))
      for (std::int64_t t = 0; t < size; ++t)
        for (std::int64_t c = t + 1; c < size; ++c)
          ASSERT_EQ(inverse.elements[t * size + c], 0) << "'" << options << "' " << t << " " << c;
}

TEST(ExpandMacroOps, EarlierTokensDoNotSeeNaNOrInfinityOfALaterOne) {
  std::mt19937 random(6);
  for (bool exclusive : {false, true}) {
    auto scores = MacroOpProgram::decayScores(40, 5, exclusive);
    expectCausal(scores, decayed(scores, Decays::mixed, random), "");
    auto values = MacroOpProgram::decayValues(40, 5, exclusive);
    expectCausal(values, decayed(values, Decays::mixed, random), "");
  }
  for (std::int64_t m : {1, 2}) {
    auto solve = MacroOpProgram::solve(40, 5, m), inverse = MacroOpProgram::inverse(40, m);
    expectCausal(solve, triangular(solve, m, random), byRows);
    expectCausal(solve, triangular(solve, m, random), byInverse);
    expectCausal(inverse, triangular(inverse, m, random), "");
  }
}

TEST(ExpandMacroOps, WhatTheOpsDoNotUseIsNotUsed) {
  std::mt19937 random(7);
  for (bool exclusive : {false, true}) {
    auto paths = MacroOpProgram::decayPaths(40, 5, exclusive);
    expectDead(paths, decayed(paths, Decays::uniform, random), 1, true, "halves=true");
    auto values = MacroOpProgram::decayValues(40, 5, exclusive);
    expectDead(values, decayed(values, Decays::uniform, random), 1, exclusive, "");
    expectDead(values, decayed(values, Decays::uniform, random), 1, exclusive, "halves=true");
  }
  for (std::int64_t m : {1, 2}) {
    auto solve = MacroOpProgram::solve(40, 5, m), inverse = MacroOpProgram::inverse(40, m);
    expectDead(solve, triangular(solve, m, random), m * m, true, byRows);
    expectDead(solve, triangular(solve, m, random), m * m, true, byInverse);
    expectDead(inverse, triangular(inverse, m, random), m * m, true, "");
  }
}

} // namespace
