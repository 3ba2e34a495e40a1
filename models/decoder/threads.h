// How many threads torch's operations use.
#pragma once

namespace linmu::models {

/// For the whole process; 0 is the number of cores. Call once before the first operation.
void setTorchThreads(int threads);

} // namespace linmu::models
