// Accesses of one block's threads to memory, and copies in flight.
#include "compiler/target/cuda/emulation/Block.h"
#include <algorithm>
#include <bit>

using namespace linmu::emulation;

static std::span<std::byte> bytesAt(void *at, std::size_t bytes) {
  return {static_cast<std::byte *>(at), bytes};
}

Memory &Block::operand(GlobalPlace place, Where where) {
  if (place.buffer >= grid.operands.size() || grid.operands[place.buffer] == nullptr)
    fail(Outcome::error, "an operand is reached through something that is no operand", where);
  return *grid.operands[place.buffer];
}

void Block::accessGlobal(MemoryOp op, void *registers, GlobalPlace place, std::uint32_t bytes, Where where) {
  step(where);
  Memory &memory = operand(place, where);
  if (op == MemoryOp::loadConstant && memory.isWritten())
    fail(Outcome::error,
         "load_constant reads " + memory.name() + ", which this kernel may write: use load_global", where);
  std::span<std::byte> data = bytesAt(registers, bytes);
  Memory::Checked fault = op == MemoryOp::store ? memory.store(actor(where), place.offset, data)
                                                : memory.load(actor(where), place.offset, data);
  if (fault)
    fail(*fault, where);
}

void Block::accessShared(MemoryOp op, void *registers, std::uint32_t address, std::uint32_t bytes,
                         Where where) {
  step(where);
  std::span<std::byte> data = bytesAt(registers, bytes);
  Memory::Checked fault = op == MemoryOp::store ? shared.store(actor(where), address, data)
                                                : shared.load(actor(where), address, data);
  if (fault)
    fail(*fault, where);
}

//===------------------------------------------------------------------------------------------------===//
// Copies: they read when they land, which is as late as the thread's waits allow.
//===------------------------------------------------------------------------------------------------===//

void Block::copyAsync(std::uint32_t to, GlobalPlace from, std::uint32_t bytes, std::uint32_t live,
                      Where where) {
  step(where);
  if (live > bytes)
    fail(Outcome::error,
         "copy_async requires at most " + std::to_string(bytes) + " live bytes, got " + std::to_string(live),
         where);
  Memory &source = operand(from, where);
  if (from.offset % bytes != 0)
    fail(Outcome::error,
         "copy_async reads " + source.name() + " at byte " + std::to_string(from.offset) +
             ", which is not aligned to " + std::to_string(bytes),
         where);
  if (Memory::Checked fault = shared.beginCopy(actor(where), to, bytes))
    fail(*fault, where);
  Copy copy{to, from, bytes, live, where};
  readSource(copy); // it must be there now, and still be when it lands
  copies[threads.current()].back().push_back(copy);
}

std::array<std::byte, 16> Block::readSource(const Copy &copy) {
  std::array<std::byte, 16> data = {};
  Memory &source = operand(copy.from, copy.where);
  for (std::uint32_t byte = 0, piece = 0; byte < copy.live; byte += piece) {
    piece = std::bit_floor(std::min(4U, copy.live - byte));
    if (Memory::Checked fault =
            source.load(actor(copy.where), copy.from.offset + byte, std::span(data).subspan(byte, piece)))
      fail(*fault, copy.where);
  }
  return data;
}

void Block::copyCommit(Where where) {
  step(where);
  if (!isLeftOut(where))
    copies[threads.current()].emplace_back();
}

void Block::copyWait(std::uint32_t pending, Where where) {
  step(where);
  if (isLeftOut(where))
    return;
  auto &groups = copies[threads.current()];
  std::size_t committed = groups.size() - 1;
  std::size_t done = committed > pending ? committed - pending : 0;
  for (std::size_t group = 0; group < done; ++group)
    for (const Copy &copy : groups[group]) {
      std::array<std::byte, 16> data = readSource(copy);
      shared.landCopy(actor(copy.where), copy.to, std::span(data).first(copy.bytes));
    }
  groups.erase(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(done));
}
