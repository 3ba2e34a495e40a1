// A rank's rows of a batch.
#pragma once
#include "distill/data/batch.h"

namespace linmu::distill {

/// The rows that rowsOfRank() says.
Batch shareOf(const Batch &batch, std::int64_t rank, std::int64_t ranks);

} // namespace linmu::distill
