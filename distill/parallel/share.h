// A rank's rows of a batch.
#pragma once
#include "distill/data/sample.h"

namespace linmu::distill {

/// Of B rows those from rank * B / ranks to (rank + 1) * B / ranks: together all of them, each once. No rows
/// where there are fewer rows than ranks.
Batch shareOf(const Batch &batch, std::int64_t rank, std::int64_t ranks);

} // namespace linmu::distill
