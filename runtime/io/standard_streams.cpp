#include "runtime/io/standard_streams.h"
#include "runtime/core/error.h"
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <iostream>
#include <system_error>
#include <unistd.h>

namespace linmu {
namespace {

[[noreturn]] void fail(int error) {
  std::string why = error ? ": " + std::generic_category().message(error) : "";
  throw Error(ErrorCode::io, "the standard output cannot be written" + why);
}

} // namespace

void prepareStandardStreams() {
  // Opened the wrong way round, a stream refuses what is asked of it, as if it were closed.
  constexpr int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int stream = 0; stream < 3; ++stream)
    if (::fcntl(stream, F_GETFD) < 0)
      static_cast<void>(::open("/dev/null", modes[stream])); // takes the lowest free number: this one
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void writeStandardOutput(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    fail(errno);
}

void flushStandardOutput() {
  errno = 0;
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) || !std::cout)
    fail(errno);
}

} // namespace linmu
