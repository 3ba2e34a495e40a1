// A walk in parts: the loop that says what its results are, and what a caller hands from part to part.
#pragma once
#include "tests/unit/cut_combinations.h"
#include <functional>

namespace linmu::test::cuts {

/// Steps of the walk at which a part ends and the next begins; ascending, 0 and N allowed.
using Cuts = std::vector<int>;

/// Each single cut at 0, 1, 2, 3, in the middle and at N - 1 and N, and some into three parts, empty ones
/// too.
std::vector<Cuts> cutsOf(int tokens);

/// The results by a loop over the whole walk in fp64. Cuts matter to that alone which carries nothing across:
/// lags without a tail, and segments without one, of which the first token of a part never begins a new one.
Operands expected(const Combination &with, const Operands &operands, const Cuts &cuts);

/// Runs one part: inputs and results in the order of inputsOf and resultsOf.
using Run = std::function<std::vector<HostTensor>(const std::vector<HostTensor> &)>;

/// The results of running part after part: outputs put together, the states and tails of the last part.
Operands inParts(const Combination &with, const Operands &operands, const Cuts &cuts, const Run &run);

} // namespace linmu::test::cuts
