#include "runtime/io/interruption.h"
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <set>
#include <unistd.h>

namespace linmu {
namespace {

// The number of Uninterrupted that exist, or `ending`. The set of files changes only inside one of them, so
// the thread that has made it `ending` reads a set that nobody changes any more.
constexpr int ending = -1;
std::atomic<int> uninterrupted{0};
std::atomic<int> waiting_signal{0};
std::atomic<const char *> waiting_notice{nullptr};

std::mutex files_mutex;

std::multiset<std::string> &files() {
  // Never destroyed: a signal may come after the destructors.
  static auto *the_files = new std::multiset<std::string>;
  return *the_files;
}

// A handler may not be the first to initialise a static.
std::multiset<std::string> *const created_at_start = &files();

[[noreturn]] void end(int signal) {
  for (const std::string &path : *created_at_start)
    ::unlink(path.c_str());
  if (::isatty(STDERR_FILENO)) // the shell's prompt gets a line of its own
    static_cast<void>(!::write(STDERR_FILENO, "\n", 1));
  ::_exit(128 + signal);
}

bool startEnding() {
  int none = 0;
  return uninterrupted.compare_exchange_strong(none, ending);
}

void receive(int signal) {
  if (startEnding())
    end(signal);
  const int error = errno;
  if (const char *text = waiting_notice.load())
    static_cast<void>(!::write(STDERR_FILENO, text, std::strlen(text)));
  errno = error;
  waiting_signal.store(signal);
  // The last Uninterrupted may have looked for a waiting signal just before there was one.
  if (startEnding())
    end(signal);
}

} // namespace

void endOnSignals() {
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      continue;
    action = {};
    action.sa_handler = receive;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
  }
}

Uninterrupted::Uninterrupted() {
  int count = uninterrupted.load();
  do {
    while (count == ending) { // another thread is ending the process
      ::pause();
      count = uninterrupted.load();
    }
  } while (!uninterrupted.compare_exchange_weak(count, count + 1));
}

Uninterrupted::~Uninterrupted() {
  if (uninterrupted.fetch_sub(1) == 1)
    if (int signal = waiting_signal.load(); signal != 0 && startEnding())
      end(signal);
}

WaitingNotice::WaitingNotice(const char *text) { waiting_notice.store(text); }

WaitingNotice::~WaitingNotice() { waiting_notice.store(nullptr); }

bool interruptionWaits() { return waiting_signal.load() != 0; }

RemovedOnSignal::RemovedOnSignal(std::string path) : path_(std::move(path)) {
  Uninterrupted scope;
  std::lock_guard lock(files_mutex);
  files().insert(path_);
}

RemovedOnSignal::~RemovedOnSignal() {
  Uninterrupted scope;
  std::lock_guard lock(files_mutex);
  files().erase(files().find(path_));
}

} // namespace linmu
