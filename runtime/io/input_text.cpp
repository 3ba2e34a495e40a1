#include "runtime/io/input_text.h"
#include "runtime/core/error.h"
#include "runtime/io/file_place.h"
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace linmu {
namespace {

constexpr int silent_milliseconds = 2000;

struct Descriptor {
  int number = -1;
  ~Descriptor() {
    if (number > STDERR_FILENO)
      ::close(number);
  }
};

[[noreturn]] void fail(const std::string &what, const std::string &why) {
  throw Error(ErrorCode::io, "cannot read " + what + ": " + why);
}

/// O_NONBLOCK: a FIFO that nobody writes would not even open.
int openForReading(const std::filesystem::path &path) {
  if (path == "-")
    return STDIN_FILENO;
  FilePlace place = followLinks(path);
  if (place.descriptor)
    return ::fcntl(*place.descriptor, F_DUPFD_CLOEXEC, 3);
  return ::open(place.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

} // namespace

WaitNotice noticeOnErrorStream(const char *program) {
  return [program](const std::string &what) {
    std::fprintf(stderr, "%s: waiting for %s%s\n", program, what.c_str(),
                 ::isatty(STDIN_FILENO) && what == "the standard input" ? " (Ctrl-D ends it)" : "");
  };
}

void waitForData(int descriptor, const std::string &what, const WaitNotice &notice) {
  pollfd waiting{descriptor, POLLIN, 0};
  int patience = ::isatty(descriptor) ? 0 : silent_milliseconds;
  for (;;) {
    int ready = ::poll(&waiting, 1, patience);
    if (ready > 0)
      return;
    if (ready < 0 && errno == EINTR)
      continue;
    if (ready < 0)
      fail(what, std::generic_category().message(errno));
    if (!notice)
      fail(what, "nothing has come for 2 seconds");
    notice(what);
    patience = -1;
  }
}

std::string readInputText(const std::filesystem::path &path, const WaitNotice &notice, std::size_t longest) {
  std::string what = path == "-" ? "the standard input" : path.string();
  Descriptor file{openForReading(path)};
  struct stat status{};
  if (file.number < 0 || ::fstat(file.number, &status) != 0)
    fail(what, std::generic_category().message(errno));
  if (S_ISDIR(status.st_mode))
    fail(what, "it is a folder");
  std::string text;
  std::array<char, 1 << 16> block;
  bool told = false;
  WaitNotice once = [&](const std::string &name) {
    if (!told)
      notice(name);
    told = true;
  };
  for (;;) {
    if (!S_ISREG(status.st_mode))
      waitForData(file.number, what, notice ? once : notice);
    ssize_t got = ::read(file.number, block.data(), block.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (got < 0)
      fail(what, std::generic_category().message(errno));
    if (got == 0)
      return text;
    if (text.size() + std::size_t(got) > longest)
      fail(what, "it has more than " + std::to_string(longest >> 20) + " MiB, which no such text has");
    text.append(block.data(), std::size_t(got));
  }
}

} // namespace linmu
