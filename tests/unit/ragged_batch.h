// A ragged batch: the operands of sequences of unlike lengths, one after the other, and what they give apart.
#pragma once
#include "tests/unit/cut_walk.h"

namespace linmu::test::cuts {

struct RaggedBatch {
  Operands operands; ///< those of inputsOf, "cu" among them
  Operands expected; ///< those of resultsOf, by a loop over each sequence in fp64
};

/// `batch` sequences of each length, with tokens, states, tails and orders of their own. `with` is a
/// combination of a batch of equally long ones.
RaggedBatch raggedBatch(const Combination &with, const std::vector<int> &lengths, unsigned seed);

/// The same with a table of sequences.
Combination ragged(Combination with);

} // namespace linmu::test::cuts
