#include "distill/parallel/rank_group.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <array>
#include <cstdio>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <unistd.h>

namespace linmu::distill {

namespace {

constexpr double seconds_to_come = 60;
/// After which a process that cannot end by itself is ended.
constexpr int seconds_to_end = 30;

constexpr const char *resume_hint =
    "go on from the newest checkpoint with --resume, with any number of ranks";

template <typename T> std::span<std::byte> bytesOf(T &value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

std::string thisProcess() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return fmt::format("process {} on {}", ::getpid(), host);
}

template <std::size_t size> void copyText(std::array<char, size> &to, const std::string &text) {
  to.fill(0);
  std::copy_n(text.data(), std::min(text.size(), size - 1), to.data());
}

/// What a connection begins with.
struct Hello {
  enum Kind : std::int32_t { ring, line } kind;
  std::int32_t rank;
  std::array<char, 120> who;
};

} // namespace

/// What goes over the lines.
struct RankGroup::Word {
  enum Kind : std::int32_t { left, failed, lost } kind;
  std::int32_t rank;
  std::array<char, 120> who; ///< of lost
};

RankGroup::RankGroup(const LaunchedRank &launched) : launched_(launched), wake_(::eventfd(0, EFD_CLOEXEC)) {
  try {
    connect();
  } catch (const c10::Error &error) { // of the store
    throw Error(ErrorCode::io,
                fmt::format("rank {} of {}: the store at {}:{}: {}", rank(), ranks(), launched_.address,
                            launched_.port, error.what_without_backtrace()));
  } catch (const Disconnected &) {
    throw Error(ErrorCode::io,
                fmt::format("rank {} of {}: another rank has ended before all had come", rank(), ranks()));
  }
  watcher_ = std::thread([this] { watch(); });
}

void RankGroup::connect() {
  const auto timeout = std::chrono::milliseconds(std::int64_t(1000 * seconds_to_come));
  c10d::TCPStoreOptions options;
  options.port = launched_.port;
  options.isServer = rank() == 0 && !launched_.launcher_has_store;
  options.waitWorkers = false;
  options.timeout = timeout;
  store_ = c10::make_intrusive<c10d::TCPStore>(launched_.address, options);
  const std::string mine = addressTowards(launched_.address, launched_.port);
  const Listener listener(mine);
  auto key = [&](std::int64_t of) { return fmt::format("linmu/{}/rank/{}", launched_.attempt, of); };
  const std::string entry = fmt::format("{} {}", listener.port(), mine);
  store_->set(key(rank()), std::vector<std::uint8_t>(entry.begin(), entry.end()));
  auto connectToRank = [&](std::int64_t of, Hello::Kind kind) {
    try {
      store_->wait({key(of)}, timeout);
    } catch (const c10::Error &) {
      throw Error(ErrorCode::io,
                  fmt::format("rank {} of {} has not come within {:.0f} s", of, ranks(), seconds_to_come));
    }
    const std::vector<std::uint8_t> found = store_->get(key(of));
    const std::string text(found.begin(), found.end());
    Socket socket = connectTo(text.substr(text.find(' ') + 1), std::uint16_t(std::stoi(text)));
    Hello hello{kind, std::int32_t(rank()), {}};
    copyText(hello.who, thisProcess());
    socket.send(bytesOf(hello));
    return socket;
  };
  next_ = connectToRank((rank() + 1) % ranks(), Hello::ring);
  if (rank() != 0) {
    Line line{0, "", connectToRank(0, Hello::line)};
    Hello answer{};
    line.socket.receive(bytesOf(answer));
    line.who = answer.who.data();
    lines_.push_back(std::move(line));
  }
  acceptAll(listener);
  for (const Line &line : lines_)
    line.socket.keepAlive();
}

void RankGroup::acceptAll(const Listener &listener) {
  const std::size_t lines = rank() == 0 ? std::size_t(ranks() - 1) : lines_.size();
  while (previous_.descriptor() < 0 || lines_.size() < lines) {
    Socket socket = listener.accept(seconds_to_come);
    if (socket.descriptor() < 0) {
      std::int64_t missing = (rank() + ranks() - 1) % ranks();
      for (std::int64_t other = 1; rank() == 0 && other < ranks(); ++other)
        if (std::ranges::none_of(lines_, [&](const Line &line) { return line.rank == other; }))
          missing = other;
      throw Error(ErrorCode::io, fmt::format("rank {} of {} has not come within {:.0f} s", missing, ranks(),
                                             seconds_to_come));
    }
    Hello hello{};
    socket.receive(bytesOf(hello));
    if (hello.kind == Hello::ring) {
      previous_ = std::move(socket);
      continue;
    }
    Hello answer{Hello::line, 0, {}};
    copyText(answer.who, thisProcess());
    socket.send(bytesOf(answer));
    lines_.push_back({hello.rank, hello.who.data(), std::move(socket)});
  }
}

RankGroup::~RankGroup() {
  if (!left_)
    tell({Word::failed, std::int32_t(rank()), {}});
  const std::uint64_t one = 1;
  (void)!::write(wake_.descriptor(), &one, sizeof one);
  watcher_.join();
  onLost({});
}

void RankGroup::tell(const Word &word) const {
  std::lock_guard lock(lines_mutex_);
  for (const Line &line : lines_)
    if (line.open && line.rank != word.rank)
      try {
        Word copy = word;
        line.socket.send(bytesOf(copy));
      } catch (const Disconnected &) { // its end is heard by itself
      }
}

void RankGroup::leave() {
  left_ = true;
  tell({Word::left, std::int32_t(rank()), {}});
}

void RankGroup::abandon() const {
  next_.shutdown();
  previous_.shutdown();
}

void RankGroup::onLost(std::function<void()> action) {
  std::thread running;
  {
    std::lock_guard lock(mutex_);
    on_lost_ = std::move(action);
    running = std::move(action_);
  }
  if (running.joinable())
    running.join();
}

void RankGroup::lose(std::int64_t which, const std::string &how) {
  {
    std::lock_guard lock(mutex_);
    lost_ = fmt::format("rank {} of {} {}", which, ranks(), how);
    // By itself: it may hang, and then the watch ends the process.
    if (on_lost_)
      action_ = std::thread(on_lost_);
  }
  abandon();
  changed_.notify_all();
}

void RankGroup::hear(Line &line) {
  constexpr const char *died = "is gone: {} has been killed, or its machine cannot be reached";
  constexpr const char *failed = "has ended with an error, which it has said";
  Word word{};
  auto close = [&] {
    std::lock_guard lock(lines_mutex_);
    line.open = false;
  };
  try {
    line.socket.receive(bytesOf(word));
  } catch (const Disconnected &) {
    close();
    word = {Word::lost, std::int32_t(line.rank), {}};
    copyText(word.who, line.who);
  }
  if (word.kind == Word::left)
    return close();
  if (rank() == 0) // the only one who has a line to each
    tell(word);
  lose(word.rank, word.kind == Word::failed ? failed : fmt::format(fmt::runtime(died), word.who.data()));
}

void RankGroup::watch() {
  bool lost = false;
  for (;;) {
    std::vector<pollfd> waiting{{wake_.descriptor(), POLLIN, 0}};
    for (const Line &line : lines_)
      // A line is not listened to any more once one rank is lost: the others end because of it.
      waiting.push_back({line.open && !lost ? line.socket.descriptor() : -1, POLLIN, 0});
    const int ready = ::poll(waiting.data(), waiting.size(), lost ? 1000 * seconds_to_end : -1);
    if (ready < 0)
      continue;
    if (waiting[0].revents)
      return;
    if (ready == 0) {
      // Whatever it waits for, and whoever would have cleaned up.
      std::fputs(fmt::format("linmu: error: {}\nlinmu: hint: {}\n", lost_, resume_hint).c_str(), stderr);
      ::_exit(1);
    }
    for (std::size_t i = 0; i < lines_.size() && !lost; ++i)
      if (waiting[i + 1].revents) {
        hear(lines_[i]);
        std::lock_guard lock(mutex_);
        lost = !lost_.empty();
      }
  }
}

void RankGroup::check() const {
  std::lock_guard lock(mutex_);
  if (!lost_.empty())
    throw Error(ErrorCode::io, lost_, resume_hint);
}

void RankGroup::throwLost() const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(seconds_to_end), [&] { return !lost_.empty(); });
  throw Error(ErrorCode::io,
              lost_.empty()
                  ? fmt::format("rank {} of {}: the connection to another rank has broken", rank(), ranks())
                  : lost_,
              resume_hint);
}

} // namespace linmu::distill
