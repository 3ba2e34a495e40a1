#include "models/decoder/threads.h"
#include <ATen/Parallel.h>
#include <algorithm>
#include <thread>
#include <unistd.h>

namespace linmu::models {

void setTorchThreads(int threads) {
  int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  at::set_num_threads(threads > 0 ? threads : cores);
}

void withoutThreadsAfterFork() {
  static const pid_t first = ::getpid();
  if (::getpid() != first)
    at::set_num_threads(1);
}

} // namespace linmu::models
