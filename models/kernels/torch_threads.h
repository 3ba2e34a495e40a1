// Torch's own threads, for work between its operations.
#pragma once
#include <cstdint>
#include <functional>

namespace linmu::models {

/// `part(0)` to `part(count - 1)`, each once, by as many threads of torch as it has for one operation. These
/// wait for the next operation already, so that they begin at once. at::parallel_for is of headers alone and
/// does its work on the calling thread where the compiler knows no OpenMP, as ours does not without a second
/// runtime of it. On the calling thread too within such work, or where torch's OpenMP is not found. Rethrows
/// the first exception once all are done.
void onTorchThreads(std::int64_t count, const std::function<void(std::int64_t)> &part);

} // namespace linmu::models
