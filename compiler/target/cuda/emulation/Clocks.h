// What happens before what: vector clocks of a block's threads.
//
// A thread's clock counts the times it has let others know what it did. What thread w did at clock c has
// happened before what thread t does now if t has heard of w's clock c, through barriers that both came to.
// Knowledge is shared: after a barrier all who waited have the same.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

namespace linmu::emulation {

using Clock = std::uint32_t;

/// The ways to reach memory: what one wrote the other sees after a fence only.
enum class Proxy : std::uint8_t { generic, async };

/// The latest clock of each thread that has been heard of; `fenced`: followed by a proxy fence on the way
/// here.
struct Knowledge {
  std::vector<Clock> heard, fenced;
};

class Clocks {
public:
  explicit Clocks(unsigned threads);

  Clock now(unsigned thread) const { return own[thread].clock; }
  /// Whether what `other` did at `clock` has happened before what `thread` does now through `proxy`.
  bool sees(unsigned thread, unsigned other, Clock clock, Proxy proxy) const {
    if (proxy == Proxy::generic)
      return other == thread || own[thread].knowledge->heard[other] >= clock;
    return (other == thread ? own[thread].fenced : own[thread].knowledge->fenced[other]) >= clock;
  }
  /// What `thread` has heard; the same for threads that have heard the same from the same meeting.
  const Knowledge *knowledge(unsigned thread) const { return own[thread].knowledge.get(); }

  /// All that `thread` wrote and has heard of is there for the other proxy from now on.
  void fence(unsigned thread);

  /// Threads that let each other know: all bring, and those that wait take when all have come.
  class Meeting {
  public:
    void bring(Clocks &clocks, unsigned thread);
    void take(Clocks &clocks, unsigned thread) const;

  private:
    std::shared_ptr<Knowledge> joined;
    std::vector<std::shared_ptr<const Knowledge>> brought; // each joined once
  };

private:
  struct Own {
    std::shared_ptr<const Knowledge> knowledge;
    Clock clock = 1, fenced = 0;
  };
  std::vector<Own> own;
};

} // namespace linmu::emulation
