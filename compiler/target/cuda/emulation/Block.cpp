// Threads take turns where they wait: for the other lanes of their warp, or at a barrier. Which goes on is
// drawn.
#include "compiler/target/cuda/emulation/Block.h"
#include <algorithm>
#include <cstdlib>

using namespace linmu::emulation;

Block::Block(const Grid &grid, Fibers &fibers, std::array<std::uint32_t, 3> index, std::uint64_t seed)
    : grid(grid), fibers(fibers), index(index),
      number(index[0] + grid.blocks[0] * (index[1] + grid.blocks[1] * index[2]) + 1),
      random((static_cast<std::uint32_t>((seed + 1) * 0x9e3779b97f4a7c15ULL >> 32) ^ number * 0x85ebca6bU) |
             1U),
      sharedBytes(grid.sharedBytes, notANumber),
      shared("shared memory", sharedBytes, 2, /*initialised=*/false, /*written=*/true), clocks(grid.threads),
      threads(grid.threads), warps(grid.threads / warpSize) {
  for (Barrier &each : barriers)
    each.ofWarp.resize(warps.size());
  for (std::uint32_t thread = 0; thread < grid.threads; ++thread)
    contexts.push_back({this, static_cast<std::uint16_t>(thread)});
}

Verdict Block::run(const Kernel &launched, const void *const *with) {
  kernel = &launched;
  arguments = with;
  for (std::uint32_t thread = 0; thread < grid.threads; ++thread) {
    fibers.prepare(thread, threadMain, &contexts[thread]);
    ready.push_back(static_cast<std::uint16_t>(thread));
  }
  current = takeReady();
  fibers.run(current);
  if (verdict.outcome == Outcome::clean && ended != grid.threads) {
    Where where = std::find_if(threads.begin(), threads.end(), [](const Thread &thread) {
                    return thread.state != Thread::State::ended;
                  })->where;
    verdict = {Outcome::error, deadlock(), where.file, where.line};
  }
  return verdict;
}

void Block::threadMain(void *context) {
  auto [block, thread] = *static_cast<ThreadContext *>(context);
  block->kernel->run(*block, block->arguments);
  ++block->ended;
  block->wait(Thread::State::ended, {});
  std::abort(); // a thread that has ended is never woken
}

std::uint16_t Block::takeReady() {
  random ^= random << 13;
  random ^= random >> 17;
  random ^= random << 5;
  std::size_t place = std::uint64_t(random) * ready.size() >> 32;
  std::uint16_t thread = ready[place];
  ready[place] = ready.back();
  ready.pop_back();
  return thread;
}

void Block::wait(Thread::State state, Where where) {
  threads[current].state = state;
  threads[current].where = where;
  std::uint16_t from = current;
  if (ready.empty()) {
    fibers.leave(from); // all have ended, or none can go on: run() says which
    return;
  }
  current = takeReady();
  fibers.switchTo(from, current);
}

void Block::wake(std::uint16_t thread) {
  threads[thread].state = Thread::State::ready;
  ready.push_back(thread);
}

void Block::fail(Outcome outcome, std::string message, Where where) {
  verdict = {outcome, std::move(message), where.file, where.line};
  fibers.leave(current);
  std::abort(); // a block that has failed does not go on
}

void Block::fail(const Fault &fault, Where where) {
  fail(fault.kind == FaultKind::error ? Outcome::error : Outcome::incomplete, fault.message, where);
}

void Block::step(Where where) {
  if (++steps > grid.mostSteps)
    fail(Outcome::incomplete,
         "block " + std::to_string(number - 1) + " takes more than " + std::to_string(grid.mostSteps) +
             " steps",
         where);
}

/// The threads that wait, by place.
std::string Block::deadlock() const {
  std::string text = "block " + std::to_string(number - 1) + " cannot go on:";
  std::vector<bool> told(threads.size());
  for (std::size_t first = 0; first < threads.size(); ++first) {
    const Thread &thread = threads[first];
    if (told[first] || thread.state == Thread::State::ended)
      continue;
    std::size_t count = 0;
    for (std::size_t other = first; other < threads.size(); ++other)
      if (threads[other].state == thread.state && threads[other].where.line == thread.where.line &&
          threads[other].barrierId == thread.barrierId) {
        told[other] = true;
        ++count;
      }
    text += " " + std::to_string(count) + " threads, " + std::to_string(first) + " first, wait at line " +
            std::to_string(thread.where.line);
    if (thread.state == Thread::State::atBarrier) {
      const Barrier &at = barriers[thread.barrierId];
      text += " for barrier " + std::to_string(thread.barrierId) + ", to which " +
              std::to_string(at.arrived) + " of " + std::to_string(at.expected) + " have come;";
    } else {
      text += " for the other lanes of their warp;";
    }
  }
  return text + " " + std::to_string(ended) + " have ended";
}

Actor Block::actor(std::uint16_t thread, Where where, Proxy proxy) const {
  return {&clocks, number, thread, proxy, where.line};
}

//===------------------------------------------------------------------------------------------------===//
// Warps
//===------------------------------------------------------------------------------------------------===//

void Block::warp(WarpInstruction instruction, Lane &lane, Where where) {
  step(where);
  if (instruction == WarpInstruction::synchronize && isLeftOut(where))
    return;
  std::uint32_t warpNumber = current / warpSize;
  Warp &self = warps[warpNumber];
  unsigned laneNumber = current % warpSize;
  if (self.arrived == 0) {
    self.instruction = instruction;
    self.firstLane = laneNumber;
  } else if (const Where &there = threads[warpNumber * warpSize + self.firstLane].where;
             self.instruction != instruction || there.line != where.line) {
    fail(Outcome::error,
         "lane " + std::to_string(laneNumber) + " of warp " + std::to_string(warpNumber) + " is at " +
             nameOf(instruction) + " while lane " + std::to_string(self.firstLane) + " is at " +
             nameOf(self.instruction) + " at line " + std::to_string(there.line) +
             "; lanes of a warp must take part together",
         where);
  }
  self.lanes[laneNumber] = &lane;
  if (++self.arrived < warpSize) {
    wait(Thread::State::atWarpInstruction, where);
    return;
  }
  if (!exchangeValues(instruction, self.lanes) && !multiplyMatrices(instruction, self.lanes))
    matrices(instruction, self.lanes, warpNumber, where);
  auto first = static_cast<std::uint16_t>(warpNumber * warpSize);
  if (instruction == WarpInstruction::synchronize) {
    Clocks::Meeting meeting;
    for (std::uint16_t thread = first; thread < first + warpSize; ++thread)
      meeting.bring(clocks, thread);
    for (std::uint16_t thread = first; thread < first + warpSize; ++thread)
      meeting.take(clocks, thread);
  }
  self.lanes = {};
  self.arrived = 0;
  for (std::uint16_t thread = first; thread < first + warpSize; ++thread)
    if (thread != current)
      wake(thread);
}

//===------------------------------------------------------------------------------------------------===//
// Barriers
//===------------------------------------------------------------------------------------------------===//

bool Block::barrier(std::uint32_t id, std::uint32_t count, bool waits, bool condition, Where where) {
  step(where);
  if (isLeftOut(where))
    return condition;
  if (id >= barriers.size())
    fail(Outcome::error, "requires a barrier from 0 to 15, got " + std::to_string(id), where);
  std::uint32_t expected = count == 0 ? grid.threads : count;
  if (expected % warpSize != 0 || expected > grid.threads)
    fail(Outcome::error,
         "barrier " + std::to_string(id) + " requires whole warps of the block's " +
             std::to_string(grid.threads) + " threads, got " + std::to_string(count),
         where);
  Barrier &at = barriers[id];
  if (at.arrived == 0)
    at.expected = expected;
  else if (at.expected != expected)
    fail(Outcome::error,
         "barrier " + std::to_string(id) + " is for " + std::to_string(expected) + " threads here and for " +
             std::to_string(at.expected) + " where others came to it",
         where);
  std::uint16_t self = current;
  // A warp comes as a whole, at one place.
  std::uint32_t warpNumber = self / warpSize;
  Barrier::Arrivals &arrivals = at.ofWarp[warpNumber];
  if (arrivals.lanes++ == 0)
    arrivals.line = where.line;
  else if (arrivals.line != where.line)
    fail(Outcome::error,
         "lanes of warp " + std::to_string(warpNumber) + " come to barrier " + std::to_string(id) +
             " at lines " + std::to_string(arrivals.line) + " and " + std::to_string(where.line),
         where);
  at.meeting.bring(clocks, self);
  at.condition = at.condition || condition;
  if (++at.arrived < at.expected) {
    if (!waits)
      return false;
    at.waiting.push_back(self);
    threads[self].barrierId = id;
    wait(Thread::State::atBarrier, where);
    return at.result;
  }
  for (std::size_t each = 0; each < warps.size(); ++each)
    if (std::uint32_t lanes = at.ofWarp[each].lanes; lanes % warpSize != 0)
      fail(Outcome::error,
           "barrier " + std::to_string(id) + " is complete with " + std::to_string(lanes) +
               " of the 32 lanes of warp " + std::to_string(each),
           where);
  for (std::uint16_t thread : at.waiting) {
    at.meeting.take(clocks, thread);
    wake(thread);
  }
  if (waits)
    at.meeting.take(clocks, self);
  at.result = at.condition;
  at.condition = false;
  at.waiting.clear();
  at.meeting = {};
  at.arrived = 0;
  std::fill(at.ofWarp.begin(), at.ofWarp.end(), Barrier::Arrivals());
  return at.result;
}

void Block::fenceProxyAsync(Where where) {
  step(where);
  if (grid.architecture < 90)
    fail(Outcome::error, "fence_proxy_async requires sm_90, got sm_" + std::to_string(grid.architecture),
         where);
  if (!isLeftOut(where))
    clocks.fence(current);
}
