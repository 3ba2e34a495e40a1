// Accesses of one block's threads to memory, copies in flight, and matrices between memory and registers.
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
  Memory::Checked fault = op == MemoryOp::store ? memory.store(actor(current, where), place.offset, data)
                                                : memory.load(actor(current, where), place.offset, data);
  if (fault)
    fail(*fault, where);
}

void Block::accessShared(MemoryOp op, void *registers, std::uint32_t address, std::uint32_t bytes,
                         Where where) {
  step(where);
  std::span<std::byte> data = bytesAt(registers, bytes);
  Memory::Checked fault = op == MemoryOp::store ? shared.store(actor(current, where), address, data)
                                                : shared.load(actor(current, where), address, data);
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
  if (Memory::Checked fault = shared.beginCopy(actor(current, where), to, bytes))
    fail(*fault, where);
  Copy copy{to, from, bytes, live, where};
  readSource(copy); // it must be there now, and still be when it lands
  threads[current].groups.back().push_back(copy);
}

std::array<std::byte, 16> Block::readSource(const Copy &copy) {
  std::array<std::byte, 16> data = {};
  Memory &source = operand(copy.from, copy.where);
  for (std::uint32_t byte = 0, piece = 0; byte < copy.live; byte += piece) {
    piece = std::bit_floor(std::min(4U, copy.live - byte));
    if (Memory::Checked fault = source.load(actor(current, copy.where), copy.from.offset + byte,
                                            std::span(data).subspan(byte, piece)))
      fail(*fault, copy.where);
  }
  return data;
}

void Block::copyCommit(Where where) {
  step(where);
  if (!isLeftOut(where))
    threads[current].groups.emplace_back();
}

void Block::copyWait(std::uint32_t pending, Where where) {
  step(where);
  if (isLeftOut(where))
    return;
  auto &groups = threads[current].groups;
  std::size_t committed = groups.size() - 1;
  std::size_t done = committed > pending ? committed - pending : 0;
  for (std::size_t group = 0; group < done; ++group)
    for (const Copy &copy : groups[group])
      land(copy);
  groups.erase(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(done));
}

void Block::land(const Copy &copy) {
  std::array<std::byte, 16> data = readSource(copy);
  shared.landCopy(actor(current, copy.where), copy.to, std::span(data).first(copy.bytes));
}

//===------------------------------------------------------------------------------------------------===//
// ldmatrix and stmatrix
//===------------------------------------------------------------------------------------------------===//

static constexpr unsigned rowBytes = 16, rowsOfMatrix = 8;

/// A row of 16 bytes: the lane that gives the address reads it, and every lane that gets part of it must be
/// allowed to see that.
void Block::loadMatrixRow(const Lanes &lanes, std::uint32_t warp, unsigned matrix, unsigned row,
                          bool transposed, bool sameKnowledge, Where where) {
  unsigned addressing = matrix * rowsOfMatrix + row;
  std::uint32_t address = lanes[addressing]->address;
  auto thread = [&](unsigned lane) { return static_cast<std::uint16_t>(warp * warpSize + lane); };
  std::uint16_t elements[rowBytes / 2];
  if (Memory::Checked fault =
          shared.load(actor(thread(addressing), where), address, std::as_writable_bytes(std::span(elements))))
    fail(*fault, where);
  bool known =
      sameKnowledge && shared.isKnown(*clocks.knowledge(thread(addressing)), number, address, rowBytes);
  for (unsigned column = 0; column < rowBytes / 2; ++column) {
    // Plainly, row t / 4 goes to lane t, two columns a lane; transposed, column t / 4, two rows a lane.
    unsigned lane = transposed ? 4 * column + row / 2 : 4 * row + column / 2;
    unsigned half = transposed ? row % 2 : column % 2;
    std::uint32_t &value = lanes[lane]->values[matrix];
    value = half == 0 ? elements[column] : (value & 0xffff) | std::uint32_t(elements[column]) << 16;
    if (known || lane == addressing)
      continue;
    if (Memory::Checked fault =
            shared.look(actor(thread(lane), where), std::int64_t(address) + 2 * column, 2))
      fail(*fault, where);
  }
}

void Block::matrices(WarpInstruction instruction, const Lanes &lanes, std::uint32_t warp, Where where) {
  bool store =
      instruction == WarpInstruction::storeMatrix || instruction == WarpInstruction::storeMatrixTransposed;
  bool transposed = instruction == WarpInstruction::loadMatrixTransposed ||
                    instruction == WarpInstruction::storeMatrixTransposed;
  bool sameKnowledge = true;
  for (unsigned lane = 1; lane < warpSize; ++lane)
    sameKnowledge =
        sameKnowledge && clocks.knowledge(warp * warpSize + lane) == clocks.knowledge(warp * warpSize);
  for (unsigned matrix = 0; matrix < lanes[0]->count; ++matrix)
    for (unsigned row = 0; row < rowsOfMatrix; ++row) {
      if (!store) {
        loadMatrixRow(lanes, warp, matrix, row, transposed, sameKnowledge, where);
        continue;
      }
      unsigned addressing = matrix * rowsOfMatrix + row;
      std::uint16_t elements[rowBytes / 2];
      for (unsigned column = 0; column < rowBytes / 2; ++column) {
        unsigned lane = transposed ? 4 * column + row / 2 : 4 * row + column / 2;
        unsigned half = transposed ? row % 2 : column % 2;
        elements[column] = static_cast<std::uint16_t>(lanes[lane]->values[matrix] >> 16 * half);
      }
      // Each part is written by the lane that holds it.
      for (unsigned column = 0; column < rowBytes / 2; ++column) {
        unsigned lane = transposed ? 4 * column + row / 2 : 4 * row + column / 2;
        auto thread = static_cast<std::uint16_t>(warp * warpSize + lane);
        std::uint32_t address = lanes[addressing]->address;
        if (address % rowBytes != 0)
          fail(Outcome::error,
               std::string(nameOf(instruction)) + " requires rows aligned to 16 bytes, got address " +
                   std::to_string(address),
               where);
        if (Memory::Checked fault = shared.store(actor(thread, where), std::int64_t(address) + 2 * column,
                                                 std::as_bytes(std::span(&elements[column], 1))))
          fail(*fault, where);
      }
    }
}
