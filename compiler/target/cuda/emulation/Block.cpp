#include "compiler/target/cuda/emulation/Block.h"
#include "compiler/target/cuda/emulation/MatrixAccess.h"
#include <algorithm>

using namespace linmu::emulation;

/// Other than 0, as an xorshift needs it.
static std::uint32_t firstRandom(std::uint64_t seed, std::uint32_t block) {
  return (static_cast<std::uint32_t>((seed + 1) * 0x9e3779b97f4a7c15ULL >> 32) ^ block * 0x85ebca6bU) | 1U;
}

Block::Block(const Grid &grid, Fibers &fibers, std::array<std::uint32_t, 3> index, std::uint64_t seed)
    : grid(grid), index(index),
      number(index[0] + grid.blocks[0] * (index[1] + grid.blocks[1] * index[2]) + 1),
      sharedBytes(grid.sharedBytes, notANumber),
      shared("shared memory", sharedBytes, 2, /*initialised=*/false, /*written=*/true), clocks(grid.threads),
      threads(fibers, grid.threads, firstRandom(seed, number)), copies(grid.threads, CopyGroups(1)),
      warps(grid.threads / warpSize) {
  for (Barrier &each : barriers)
    each.ofWarp.resize(warps.size());
}

Verdict Block::run(const Kernel &kernel, const void *const *arguments) {
  threads.run([&] { kernel.run(*this, arguments); });
  if (verdict.outcome == Outcome::clean && threads.ended() != grid.threads) {
    auto arrivals = [&](std::uint32_t barrier) {
      const Barrier &at = barriers[barrier];
      return "to which " + std::to_string(at.arrived) + " of " + std::to_string(at.expected) + " have come";
    };
    Where where = threads.stuck();
    verdict = {Outcome::error,
               "block " + std::to_string(number - 1) + " cannot go on:" + threads.waiting(arrivals),
               where.file, where.line};
  }
  return verdict;
}

void Block::fail(Outcome outcome, std::string message, Where where) {
  verdict = {outcome, std::move(message), where.file, where.line};
  threads.leave();
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

Actor Block::actor(Where where) const {
  return {&clocks, number, threads.current(), Proxy::generic, where.line};
}

//===------------------------------------------------------------------------------------------------===//
// Warps
//===------------------------------------------------------------------------------------------------===//

void Block::warp(WarpInstruction instruction, Lane &lane, Where where) {
  step(where);
  if (instruction == WarpInstruction::synchronize && isLeftOut(where))
    return;
  std::uint32_t current = threads.current(), warpNumber = current / warpSize;
  Warp &self = warps[warpNumber];
  unsigned laneNumber = current % warpSize;
  if (self.arrived == 0) {
    self.instruction = instruction;
    self.firstLane = laneNumber;
  } else if (Where there = threads.whereOf(warpNumber * warpSize + self.firstLane);
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
    threads.waitForLanes(where);
    return;
  }
  auto first = static_cast<std::uint16_t>(warpNumber * warpSize);
  if (!exchangeValues(instruction, self.lanes) && !multiplyMatrices(instruction, self.lanes)) {
    Actor laneZero = actor(where);
    laneZero.thread = first;
    if (Memory::Checked fault = accessMatrices(instruction, self.lanes, shared, laneZero))
      fail(*fault, where);
  }
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
      threads.wake(thread);
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
  std::uint16_t self = threads.current();
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
    threads.waitAtBarrier(id, where);
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
    threads.wake(thread);
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
    clocks.fence(threads.current());
}
