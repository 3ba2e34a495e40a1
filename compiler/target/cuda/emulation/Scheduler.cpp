#include "compiler/target/cuda/emulation/Scheduler.h"
#include <algorithm>
#include <cstdlib>

using namespace linmu::emulation;

Scheduler::Scheduler(Fibers &fibers, std::uint32_t count, std::uint32_t random)
    : fibers(fibers), random(random), threads(count) {
  for (std::uint32_t thread = 0; thread < count; ++thread)
    contexts.push_back({this, static_cast<std::uint16_t>(thread)});
}

void Scheduler::run(std::function<void()> of) {
  body = std::move(of);
  for (std::uint32_t thread = 0; thread < threads.size(); ++thread) {
    fibers.prepare(thread, threadMain, &contexts[thread]);
    ready.push_back(static_cast<std::uint16_t>(thread));
  }
  turn = takeReady();
  fibers.run(turn);
}

void Scheduler::threadMain(void *context) {
  Scheduler &self = *static_cast<Context *>(context)->scheduler;
  self.body();
  ++self.endedThreads;
  self.wait(State::ended, {});
  std::abort(); // a thread that has ended is never woken
}

std::uint16_t Scheduler::takeReady() {
  random ^= random << 13;
  random ^= random >> 17;
  random ^= random << 5;
  std::size_t place = std::uint64_t(random) * ready.size() >> 32;
  std::uint16_t thread = ready[place];
  ready[place] = ready.back();
  ready.pop_back();
  return thread;
}

void Scheduler::wait(State state, Where where) {
  threads[turn].state = state;
  threads[turn].where = where;
  std::uint16_t from = turn;
  if (ready.empty()) {
    fibers.leave(from); // all have ended, or none can go on: ended() says which
    return;
  }
  turn = takeReady();
  fibers.switchTo(from, turn);
}

void Scheduler::waitAtBarrier(std::uint32_t id, Where where) {
  threads[turn].barrier = id;
  wait(State::atBarrier, where);
}

void Scheduler::leave() {
  fibers.leave(turn);
  std::abort(); // a block that has failed does not go on
}

void Scheduler::wake(std::uint16_t thread) {
  threads[thread].state = State::ready;
  ready.push_back(thread);
}

Where Scheduler::stuck() const {
  return std::find_if(threads.begin(), threads.end(),
                      [](const Thread &thread) { return thread.state != State::ended; })
      ->where;
}

std::string Scheduler::waiting(const std::function<std::string(std::uint32_t)> &arrivals) const {
  std::string text;
  std::vector<bool> told(threads.size());
  for (std::size_t first = 0; first < threads.size(); ++first) {
    const Thread &thread = threads[first];
    if (told[first] || thread.state == State::ended)
      continue;
    std::size_t count = 0;
    for (std::size_t other = first; other < threads.size(); ++other)
      if (threads[other].state == thread.state && threads[other].where.line == thread.where.line &&
          threads[other].barrier == thread.barrier) {
        told[other] = true;
        ++count;
      }
    text += " " + std::to_string(count) + " threads, " + std::to_string(first) + " first, wait at line " +
            std::to_string(thread.where.line);
    if (thread.state == State::atBarrier)
      text += " for barrier " + std::to_string(thread.barrier) + ", " + arrivals(thread.barrier) + ";";
    else
      text += " for the other lanes of their warp;";
  }
  return text + " " + std::to_string(endedThreads) + " have ended";
}
