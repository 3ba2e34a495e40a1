#include "compiler/target/cuda/emulation/Shadow.h"
#include <algorithm>
#include <bit>

using namespace linmu::emulation;

Shadow::Shadow(std::size_t bytes, unsigned part, bool initialised)
    : shift(static_cast<unsigned>(std::countr_zero(part))), parts((bytes + part - 1) / part) {
  if (initialised)
    for (Part &each : parts)
      each.initialised = true;
}

/// Blocks of one launch are ordered with what came before it and never with each other.
bool Shadow::ordered(const Actor &actor, const Access &before) const {
  if (before.block != actor.block)
    return before.block == 0;
  if (before.proxy == actor.proxy)
    return actor.clocks->sees(actor.thread, before.thread, before.clock, Proxy::generic);
  return actor.clocks->sees(actor.thread, before.thread, before.clock, Proxy::async);
}

static std::string nameOf(std::uint32_t block, std::uint16_t thread) {
  return "thread " + std::to_string(thread) + " of block " + std::to_string(block - 1);
}

bool Shadow::complain(const Actor &actor, const char *doing, const char *done, const Access &other) {
  message = nameOf(actor.block, actor.thread) + " " + doing + " what " + nameOf(other.block, other.thread) +
            " " + done + " at line " + std::to_string(other.line);
  if (other.block != actor.block)
    message += "; blocks of a launch are not ordered";
  else if (other.proxy != actor.proxy)
    message += ", with no proxy fence and barrier between";
  else if (other.thread / 32 == actor.thread / 32)
    message += ", with no sync_warp or barrier between";
  else
    message += ", with no barrier between";
  return false;
}

bool Shadow::checkValue(const Actor &actor, const Part &part) {
  if (part.copying)
    return complain(actor, "reads before its wait", "began to copy", part.writer);
  if (!part.initialised) {
    message = nameOf(actor.block, actor.thread) + " reads what nothing has written";
    return false;
  }
  if (!ordered(actor, part.writer))
    return complain(actor, "reads", "wrote", part.writer);
  return true;
}

void Shadow::keepReader(const Actor &actor, Part &part) {
  Access access{actor.block, actor.clocks->now(actor.thread), actor.line, actor.thread, actor.proxy};
  Access &first = part.reader;
  // Blocks run one after the other: whatever writes here later is not ordered with a read of an earlier
  // block.
  if (first.clock != 0 && first.block != actor.block)
    return;
  bool alone = part.more < 0 || readers[static_cast<std::size_t>(part.more)].list.empty();
  bool same = first.thread == actor.thread && first.proxy == actor.proxy;
  if (first.clock == 0 || same || (alone && first.proxy == actor.proxy && ordered(actor, first)))
    first = access;
  else
    keepAmongOthers(actor, part, access);
}

void Shadow::keepAmongOthers(const Actor &actor, Part &part, const Access &access) {
  if (part.more < 0) {
    part.more = static_cast<std::int32_t>(readers.size());
    readers.emplace_back();
  }
  Readers &others = readers[static_cast<std::size_t>(part.more)];
  const Knowledge *knowledge = actor.clocks->knowledge(actor.thread);
  if (others.prunedFor != knowledge || others.list.empty()) {
    // What happened before this read, a later write that is ordered with this read is ordered with as well.
    std::erase_if(others.list,
                  [&](const Access &read) { return read.proxy == actor.proxy && ordered(actor, read); });
    others.prunedFor = knowledge;
    std::fill(others.placeOf.begin(), others.placeOf.end(), 0);
    for (std::size_t place = 0; place < others.list.size(); ++place)
      if (others.list[place].proxy == Proxy::generic) {
        std::size_t thread = others.list[place].thread;
        others.placeOf.resize(std::max(others.placeOf.size(), thread + 1));
        others.placeOf[thread] = static_cast<std::uint16_t>(place + 1);
      }
  }
  if (others.placeOf.size() <= actor.thread)
    others.placeOf.resize(actor.thread + 1U);
  std::uint16_t &place = others.placeOf[actor.thread];
  if (place != 0 && access.proxy == Proxy::generic) {
    others.list[place - 1U] = access;
    return;
  }
  others.list.push_back(access);
  if (access.proxy == Proxy::generic)
    place = static_cast<std::uint16_t>(others.list.size());
}

bool Shadow::read(const Actor &actor, std::size_t offset, std::size_t bytes) {
  const std::vector<Clock> &heard = actor.clocks->knowledge(actor.thread)->heard;
  Clock now = actor.clocks->now(actor.thread);
  for (std::size_t place = offset >> shift; place < (offset + bytes) >> shift; ++place) {
    Part &part = parts[place];
    // The usual case at once: written by this block through the generic proxy, and last read by this thread.
    const Access &writer = part.writer;
    bool seen = part.initialised && !part.copying && writer.block == actor.block &&
                writer.proxy == Proxy::generic && actor.proxy == Proxy::generic &&
                (writer.thread == actor.thread || heard[writer.thread] >= writer.clock);
    if (!seen && !checkValue(actor, part))
      return false;
    Access &reader = part.reader;
    if (reader.clock != 0 && reader.thread == actor.thread && reader.block == actor.block &&
        reader.proxy == actor.proxy) {
      reader.clock = now;
      reader.line = actor.line;
    } else {
      keepReader(actor, part);
    }
  }
  return true;
}

bool Shadow::mayRead(const Actor &actor, std::size_t offset, std::size_t bytes) {
  for (std::size_t part = offset >> shift; part < (offset + bytes) >> shift; ++part)
    if (!checkValue(actor, parts[part]))
      return false;
  return true;
}

bool Shadow::isKnown(const Knowledge &knowledge, std::uint32_t block, std::size_t offset,
                     std::size_t bytes) const {
  for (std::size_t part = offset >> shift; part < (offset + bytes) >> shift; ++part) {
    const Access &writer = parts[part].writer;
    if (parts[part].copying || !parts[part].initialised || writer.block != block ||
        writer.proxy != Proxy::generic || knowledge.heard[writer.thread] < writer.clock)
      return false;
  }
  return true;
}

bool Shadow::checkWrite(const Actor &actor, Part &part) {
  if (part.copying)
    return complain(actor, "writes before its wait", "began to copy", part.writer);
  if (part.writer.clock != 0 && !ordered(actor, part.writer))
    return complain(actor, "writes", "wrote", part.writer);
  if (part.reader.clock != 0 && !ordered(actor, part.reader))
    return complain(actor, "writes", "read", part.reader);
  if (part.more >= 0) {
    Readers &others = readers[static_cast<std::size_t>(part.more)];
    for (const Access &read : others.list)
      if (!ordered(actor, read))
        return complain(actor, "writes", "read", read);
    others.list.clear();
  }
  part.reader = {};
  part.writer = {actor.block, actor.clocks->now(actor.thread), actor.line, actor.thread, actor.proxy};
  return true;
}

bool Shadow::write(const Actor &actor, std::size_t offset, std::size_t bytes) {
  for (std::size_t part = offset >> shift; part < (offset + bytes) >> shift; ++part) {
    if (!checkWrite(actor, parts[part]))
      return false;
    parts[part].initialised = true;
  }
  return true;
}

bool Shadow::beginCopy(const Actor &actor, std::size_t offset, std::size_t bytes) {
  for (std::size_t part = offset >> shift; part < (offset + bytes) >> shift; ++part) {
    if (!checkWrite(actor, parts[part]))
      return false;
    parts[part].copying = true;
  }
  return true;
}

void Shadow::landCopy(const Actor &actor, std::size_t offset, std::size_t bytes) {
  for (std::size_t part = offset >> shift; part < (offset + bytes) >> shift; ++part) {
    parts[part].copying = false;
    parts[part].initialised = true;
    parts[part].writer.clock = actor.clocks->now(actor.thread);
  }
}
