#include "models/decoder/threads.h"
#include <ATen/Parallel.h>
#include <algorithm>
#include <thread>

namespace linmu::models {

void setTorchThreads(int threads) {
  int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  at::set_num_threads(threads > 0 ? threads : cores);
}

} // namespace linmu::models
