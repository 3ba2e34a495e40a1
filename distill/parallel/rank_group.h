// The connections of the ranks of a training, and who of them is still there.
#pragma once
#include "distill/parallel/launch.h"
#include "distill/parallel/socket.h"
#include <c10/util/intrusive_ptr.h>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace c10d {
class TCPStore;
}

namespace linmu::distill {

/// Ranks find each other by c10d's TCPStore. Each is connected to the next and the one before it, in a ring
/// that data go round in, and to rank 0 by a line that only says how a rank ends: a line that breaks without
/// a word is a rank that has died, of which rank 0 tells the others.
class RankGroup {
public:
  /// Waits for all ranks. Throws Error(io) naming a rank that has not come within a minute.
  explicit RankGroup(const LaunchedRank &launched);
  /// Without leave() this rank has failed, which the others are told.
  ~RankGroup();
  RankGroup(const RankGroup &) = delete;
  RankGroup &operator=(const RankGroup &) = delete;

  std::int64_t rank() const { return launched_.rank; }
  std::int64_t ranks() const { return launched_.ranks; }
  const Socket &next() const { return next_; }
  const Socket &previous() const { return previous_; }

  /// `action` is called once, from another thread, as soon as a rank is lost, besides shutting down the
  /// ring's connections: it wakes who waits otherwise. Where another is given, the one before is not called
  /// any more once this returns.
  void onLost(std::function<void()> action);
  /// Throws Error(io) naming the rank if one is lost.
  void check() const;
  /// Throws the same; for whom a connection has failed, which may have come before the word about it.
  [[noreturn]] void throwLost() const;

  /// This rank has done its part.
  void leave();
  /// Wakes whoever waits on the ring.
  void abandon() const;

private:
  struct Line {
    std::int64_t rank = 0;
    std::string who; ///< "process 1234 on HOST"
    Socket socket;
    bool open = true;
  };
  struct Word;
  void connect();
  void acceptAll(const Listener &listener);
  void watch();
  void hear(Line &line);
  void lose(std::int64_t rank, const std::string &how);
  void tell(const Word &word) const;

  LaunchedRank launched_;
  c10::intrusive_ptr<c10d::TCPStore> store_; ///< held by rank 0 where the launcher holds none
  Socket next_, previous_, wake_;
  std::vector<Line> lines_;        ///< of rank 0 to all others, of these to rank 0
  mutable std::mutex lines_mutex_; ///< of words that leave, and of Line::open, which the watch alone changes
  std::function<void()> on_lost_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::string lost_; ///< the message; empty while all are there
  bool left_ = false;
  std::thread watcher_, action_;
};

} // namespace linmu::distill
