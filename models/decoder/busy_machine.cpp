#include "models/decoder/busy_machine.h"
#include <ATen/Parallel.h>
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <sched.h>
#include <string>
#include <thread>
#include <unistd.h>

namespace linmu::models {
namespace {

using namespace std::chrono_literals;

constexpr auto interval = 100ms; ///< between two looks
constexpr auto longest_calm = 32s;
// Of the time that threads have: a quiet machine keeps them waiting for less than a thousandth, one more
// program on two processors for a third. Programs that run for a moment lie between.
constexpr double busy_share = 0.15;
constexpr int looks_needed = 2; ///< one after the other that agree

/// What GCC's compiled code calls for `#pragma omp parallel`.
using StartParallel = void (*)(void (*function)(void *), void *data, unsigned threads, unsigned flags);

StartParallel startParallel() {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT"))
    return nullptr;
  return reinterpret_cast<StartParallel>(::dlsym(RTLD_DEFAULT, "GOMP_parallel"));
}

int processors() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

/// Times in ns of all threads of this process, the first numbers of schedstat; 0 where the kernel keeps none.
struct ProcessorTimes {
  std::int64_t ran = 0;
  std::int64_t waited = 0; ///< ready to run, without a processor
};

ProcessorTimes processorTimes() {
  ProcessorTimes sum;
  std::error_code error;
  std::filesystem::directory_iterator threads("/proc/self/task", error), end;
  while (!error && threads != end) {
    std::int64_t ran = 0, waited = 0;
    if (std::ifstream(threads->path() / "schedstat") >> ran >> waited)
      sum.ran += ran, sum.waited += waited;
    threads.increment(error);
  }
  return sum;
}

/// How many threads of the machine run or want to, this one among them: the fourth field of loadavg.
int runnable() {
  std::ifstream file("/proc/loadavg");
  std::string load;
  int threads = 0;
  file >> load >> load >> load >> threads;
  return threads;
}

/// More threads want to run than there are processors, both of the whole machine.
bool crowded() { return runnable() > ::sysconf(_SC_NPROCESSORS_ONLN); }

} // namespace

/// Threads of an OpenMP team that sleep.
class BusyMachine::IdleThreads {
public:
  IdleThreads(StartParallel start, unsigned count) {
    std::promise<void> started;
    std::future<void> running = started.get_future();
    owner_ = std::thread([start, count, started = std::move(started), end = end_.get_future()]() mutable {
      start([](void *) {}, nullptr, count, 0);
      started.set_value();
      end.wait(); // the team belongs to this thread and goes with it
    });
    running.wait();
  }
  ~IdleThreads() {
    end_.set_value();
    owner_.join();
  }

private:
  std::promise<void> end_;
  std::thread owner_;
};

BusyMachine::BusyMachine() : observed_at_(Clock::now()), busy_at_(observed_at_), waited_(0) {
  if (!startParallel())
    return;
  const ProcessorTimes so_far = processorTimes(); // of reading the model, or of turns before
  waited_ = so_far.waited;
  setSleepy(double(so_far.waited) > busy_share * double(so_far.ran + so_far.waited) && crowded());
}

BusyMachine::~BusyMachine() = default;

void BusyMachine::setSleepy(bool sleepy) {
  if (sleepy == this->sleepy())
    return;
  busy_looks_ = 0;
  // With torch's own they are two more than the processors.
  const int more = std::max(processors() - at::get_num_threads(), 0) + 2;
  idle_threads_ = sleepy ? std::make_unique<IdleThreads>(startParallel(), unsigned(more) + 1) : nullptr;
}

void BusyMachine::observe() {
  Clock::time_point now = Clock::now();
  if (now - observed_at_ < interval || !startParallel())
    return;
  std::int64_t waited = processorTimes().waited;
  const double possible =
      double(std::chrono::nanoseconds(now - observed_at_).count()) * at::get_num_threads();
  const double share = double(waited - waited_) / possible;
  observed_at_ = now;
  waited_ = waited;
  // Threads that sleep wait a little at each waking, on a quiet machine too: while they do, the others count.
  const bool busy = sleepy() ? crowded() : share > busy_share;
  busy_looks_ = busy ? busy_looks_ + 1 : 0;
  if (sleepy()) {
    if (busy_looks_ >= looks_needed)
      busy_at_ = now;
    else if (now - busy_at_ > calm_) {
      setSleepy(false);
      busy_at_ = now;
    }
  } else if (busy_looks_ >= looks_needed) {
    // That it was left too early is where the programs beside this one are few, on its processors.
    if (now - busy_at_ < calm_)
      calm_ = std::min<Clock::duration>(2 * calm_, longest_calm);
    setSleepy(true);
    busy_at_ = now;
  }
}

} // namespace linmu::models
