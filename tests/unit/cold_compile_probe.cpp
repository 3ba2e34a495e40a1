// What runtime_fork_test starts again and again: threads that compile at once, in a process that has compiled
// nothing yet.
//   cold_compile_probe THREADS
// Exit status 0 where every thread's kernel is there; 1 with a message otherwise.
#include "runtime/jit/compile.h"
#include "tests/unit/growing_pattern.h"
#include <atomic>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

int main(int count, char **arguments) {
  using namespace linmu;
  const int threads = count > 1 ? std::atoi(arguments[1]) : 4;
  const test::GrowingPattern pattern{"Scan", [](int) { return test::written("%x0"); }};
  std::barrier together(threads);
  std::atomic<int> compiled{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i)
    workers.emplace_back([&, i] {
      const std::string text = test::textOf(pattern, 1, i);
      CompileOptions options;
      options.use_disk_cache = false;
      // Another schedule is another kernel: each thread runs the whole compiler.
      options.schedule = {{"chunk", std::to_string(16 << i % 3)}};
      together.arrive_and_wait();
      try {
        if (i == threads - 1)
          explain(text, options);
        compile(text, options);
        ++compiled;
      } catch (const Error &error) {
        std::fprintf(stderr, "%s\n", error.what());
      }
    });
  for (std::thread &worker : workers)
    worker.join();
  return compiled == threads ? 0 : 1;
}
