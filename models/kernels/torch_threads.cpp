#include "models/kernels/torch_threads.h"
#include <ATen/Parallel.h>
#include <algorithm>
#include <dlfcn.h>
#include <exception>
#include <mutex>

namespace linmu::models {
namespace {

/// Of the OpenMP runtime that torch runs on: libgomp's entry, which LLVM's and Intel's runtimes have as well.
struct OpenMp {
  using Body = void (*)(void *);
  void (*parallel)(Body body, void *data, unsigned threads, unsigned flags) = nullptr;
  int (*threadNumber)() = nullptr;
  int (*threadCount)() = nullptr;

  static const OpenMp &get() {
    static const OpenMp found = [] {
      OpenMp functions;
      auto find = [](auto &function, const char *name) {
        function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(RTLD_DEFAULT, name));
      };
      find(functions.parallel, "GOMP_parallel");
      find(functions.threadNumber, "omp_get_thread_num");
      find(functions.threadCount, "omp_get_num_threads");
      return functions;
    }();
    return found;
  }
  bool there() const { return parallel && threadNumber && threadCount; }
};

struct Work {
  const std::function<void(std::int64_t)> &part;
  const std::int64_t count;
  std::mutex mutex;
  std::exception_ptr failure = nullptr;

  void run(std::int64_t first, std::int64_t step) {
    try {
      for (std::int64_t i = first; i < count; i += step)
        part(i);
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!failure)
        failure = std::current_exception();
    }
  }
};

} // namespace

void onTorchThreads(std::int64_t count, const std::function<void(std::int64_t)> &part) {
  const auto threads = std::min<std::int64_t>(count, at::get_num_threads());
  const OpenMp &runtime = OpenMp::get();
  Work work{part, count, {}};
  if (threads > 1 && runtime.there() && !at::in_parallel_region())
    runtime.parallel(
        [](void *data) {
          const OpenMp &own = OpenMp::get();
          static_cast<Work *>(data)->run(own.threadNumber(), own.threadCount());
        },
        &work, static_cast<unsigned>(threads), 0);
  else
    work.run(0, 1);
  if (work.failure)
    std::rethrow_exception(work.failure);
}

} // namespace linmu::models
