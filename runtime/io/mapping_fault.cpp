#include "runtime/io/mapping_fault.h"
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <unistd.h>

namespace linmu {
namespace {

struct Mapping {
  const std::byte *end;
  std::string path;
};

// A spin lock: the handler takes it too, and no holder reads mapped memory.
std::atomic_flag lock = ATOMIC_FLAG_INIT;
auto &mappings = *new std::map<const std::byte *, Mapping>; // never destroyed: threads may outlive main
const char *the_program = "";

struct Locked {
  Locked() {
    while (lock.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~Locked() { lock.clear(std::memory_order_release); }
};

void put(const char *text) { static_cast<void>(!::write(STDERR_FILENO, text, std::strlen(text))); }

void receive(int signal, siginfo_t *information, void *) {
  const auto *address = static_cast<const std::byte *>(information->si_addr);
  Locked scope;
  auto after = mappings.upper_bound(address);
  if (after == mappings.begin() || address >= std::prev(after)->second.end) {
    std::signal(signal, SIG_DFL); // not ours: it comes again as soon as this returns
    return;
  }
  put(the_program);
  put(": error: ");
  put(std::prev(after)->second.path.c_str());
  put(" was shortened by another program while it was read\n");
  ::_exit(1);
}

} // namespace

void reportMappingFaults(const char *program) {
  the_program = program;
  struct sigaction action{};
  action.sa_sigaction = receive;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

void rememberMapping(std::span<const std::byte> bytes, const std::filesystem::path &path) {
  Mapping mapping{bytes.data() + bytes.size(), path.string()};
  Locked scope;
  mappings.insert_or_assign(bytes.data(), std::move(mapping));
}

void forgetMapping(std::span<const std::byte> bytes) {
  Locked scope;
  mappings.erase(bytes.data());
}

} // namespace linmu
