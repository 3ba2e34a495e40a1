// Every combination of clauses of a scan or a map, as text and operands, for walks that are cut into parts.
#pragma once
#include "tests/unit/interpreter_fixture.h"
#include <array>
#include <map>

namespace linmu::test::cuts {

enum class Segments { none, bare, tail };

/// What lags read before the first token.
enum class Before { zero, otherwise, tail };

struct Combination {
  bool map = false, reverse = false, order = false;
  Segments segments = Segments::none;
  bool sourceMask = false, outputMask = false;
  bool sharedHeads = false;     ///< keys and values have fewer heads than the loop, decays none
  int lag = 0;                  ///< the furthest token that a lag reads, 0 to 3
  Before before = Before::zero; ///< of lags
  bool longTail = false;        ///< tails are longer than the lags
  bool ragged = false; ///< the sequences are those of a table, "cu"; of no combination that is made here

  /// A letter or two for each clause.
  std::string name() const;
  /// A number for each clause.
  std::array<int, 8> clauses() const;
  int heads() const { return sharedHeads ? 4 : 2; }
  int groups() const { return 2; }
  int tailOf(const std::string &token) const;
};

/// The 2304 combinations, and some of them among which every three clauses meet in every way.
std::vector<Combination> allCombinations();
const std::vector<Combination> &coveringCombinations();
/// Those with one loop, direction and order, which `bits` name; there are 8 such parts.
std::vector<Combination> partOf(const std::vector<Combination> &combinations, int bits);

/// With v' = v + v[-1] / 2 + ... and k' = k + k[-lag] / 2, a = sigmoid(g + g[-1] / 2):
/// S = a S + k' v'^T, y = S^T q; a map gives a v' + k' q.
std::string textOf(const Combination &with);

/// Names of the inputs, and of the results: "y", then the inputs that final states and tails become.
std::vector<std::string> inputsOf(const Combination &with);
std::vector<std::string> resultsOf(const Combination &with);

using Operands = std::map<std::string, HostTensor>;
Operands operandsOf(const Combination &with, int tokens, unsigned seed);

constexpr int batch = 2, features = 2;
/// Of v[-1], v[-2] and v[-3].
constexpr double weights[] = {0.5, 0.25, -0.125};

} // namespace linmu::test::cuts
