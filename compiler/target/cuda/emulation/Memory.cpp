#include "compiler/target/cuda/emulation/Memory.h"
#include <algorithm>
#include <cstring>

using namespace linmu::emulation;

Memory::Memory(std::string name, std::span<std::byte> bytes, unsigned part, bool initialised, bool written)
    : title(std::move(name)), memory(bytes), written(written),
      shadow(written ? bytes.size() : 0, part, initialised) {}

/// memcpy whose usual sizes the compiler knows.
static void copyBytes(std::byte *to, const std::byte *from, std::size_t bytes) {
  switch (bytes) {
  case 2:
    std::memcpy(to, from, 2);
    break;
  case 4:
    std::memcpy(to, from, 4);
    break;
  case 16:
    std::memcpy(to, from, 16);
    break;
  default:
    std::memcpy(to, from, bytes);
  }
}

Memory::Checked Memory::inside(const char *doing, std::int64_t offset, std::size_t bytes) const {
  auto at = [&] {
    return std::string(doing) + " " + std::to_string(bytes) + " bytes at byte " + std::to_string(offset);
  };
  if (offset < 0 || static_cast<std::uint64_t>(offset) + bytes > memory.size())
    return Fault{FaultKind::error, at() + " of " + title + ", which has " + std::to_string(memory.size())};
  if ((static_cast<std::size_t>(offset) & (bytes - 1)) != 0)
    return Fault{FaultKind::error, at() + " of " + title + ", which is not aligned to them"};
  if (written && bytes < shadow.partBytes())
    return Fault{FaultKind::notModelled, at() + " of " + title + ", whose smallest element has " +
                                             std::to_string(shadow.partBytes())};
  return std::nullopt;
}

Memory::Checked Memory::load(const Actor &actor, std::int64_t offset, std::span<std::byte> to) {
  if (Checked fault = inside("reads", offset, to.size()))
    return fault;
  auto place = static_cast<std::size_t>(offset);
  if (written && !shadow.read(actor, place, to.size()))
    return Fault{FaultKind::error, title + ": " + shadow.fault()};
  copyBytes(to.data(), memory.data() + place, to.size());
  return std::nullopt;
}

Memory::Checked Memory::store(const Actor &actor, std::int64_t offset, std::span<const std::byte> from) {
  if (Checked fault = inside("writes", offset, from.size()))
    return fault;
  if (!written)
    return Fault{FaultKind::error, "writes " + title + ", which is an input only"};
  auto place = static_cast<std::size_t>(offset);
  if (!shadow.write(actor, place, from.size()))
    return Fault{FaultKind::error, title + ": " + shadow.fault()};
  copyBytes(memory.data() + place, from.data(), from.size());
  return std::nullopt;
}

Memory::Checked Memory::look(const Actor &actor, std::int64_t offset, std::size_t bytes) {
  if (Checked fault = inside("reads", offset, bytes))
    return fault;
  if (written && !shadow.mayRead(actor, static_cast<std::size_t>(offset), bytes))
    return Fault{FaultKind::error, title + ": " + shadow.fault()};
  return std::nullopt;
}

bool Memory::isKnown(const Knowledge &knowledge, std::uint32_t block, std::int64_t offset,
                     std::size_t bytes) const {
  return shadow.isKnown(knowledge, block, static_cast<std::size_t>(offset), bytes);
}

Memory::Checked Memory::beginCopy(const Actor &actor, std::int64_t offset, std::size_t bytes) {
  if (Checked fault = inside("copies", offset, bytes))
    return fault;
  auto place = static_cast<std::size_t>(offset);
  if (!shadow.beginCopy(actor, place, bytes))
    return Fault{FaultKind::error, title + ": " + shadow.fault()};
  std::fill_n(memory.data() + place, bytes, notANumber);
  return std::nullopt;
}

void Memory::landCopy(const Actor &actor, std::int64_t offset, std::span<const std::byte> from) {
  auto place = static_cast<std::size_t>(offset);
  shadow.landCopy(actor, place, from.size());
  std::memcpy(memory.data() + place, from.data(), from.size());
}
