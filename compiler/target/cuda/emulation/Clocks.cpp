#include "compiler/target/cuda/emulation/Clocks.h"
#include <algorithm>

using namespace linmu::emulation;

Clocks::Clocks(unsigned threads) : own(threads) {
  auto nothing =
      std::make_shared<Knowledge>(Knowledge{std::vector<Clock>(threads), std::vector<Clock>(threads)});
  for (Own &thread : own)
    thread.knowledge = nothing;
}

static void raise(std::vector<Clock> &clocks, const std::vector<Clock> &others) {
  std::transform(clocks.begin(), clocks.end(), others.begin(), clocks.begin(),
                 [](Clock a, Clock b) { return std::max(a, b); });
}

void Clocks::fence(unsigned thread) {
  Own &self = own[thread];
  auto fenced = std::make_shared<Knowledge>(*self.knowledge);
  raise(fenced->fenced, fenced->heard);
  self.knowledge = std::move(fenced);
  self.fenced = self.clock++;
}

void Clocks::Meeting::bring(Clocks &clocks, unsigned thread) {
  Own &self = clocks.own[thread];
  if (!joined) {
    joined = std::make_shared<Knowledge>(*self.knowledge);
    brought.push_back(self.knowledge);
  } else if (std::find(brought.begin(), brought.end(), self.knowledge) == brought.end()) {
    raise(joined->heard, self.knowledge->heard);
    raise(joined->fenced, self.knowledge->fenced);
    brought.push_back(self.knowledge);
  }
  joined->heard[thread] = std::max(joined->heard[thread], self.clock);
  joined->fenced[thread] = std::max(joined->fenced[thread], self.fenced);
  ++self.clock;
}

void Clocks::Meeting::take(Clocks &clocks, unsigned thread) const { clocks.own[thread].knowledge = joined; }
