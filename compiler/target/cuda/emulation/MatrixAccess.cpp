#include "compiler/target/cuda/emulation/MatrixAccess.h"

using namespace linmu::emulation;

static constexpr unsigned rowBytes = 16, rowsOfMatrix = 8;

static Actor actorOf(const Actor &first, unsigned lane) {
  Actor actor = first;
  actor.thread = static_cast<std::uint16_t>(first.thread + lane);
  return actor;
}

/// A row of 16 bytes: the lane that gives the address reads it, and every lane that gets part of it must be
/// allowed to see that.
static Memory::Checked loadMatrixRow(const Lanes &lanes, Memory &shared, const Actor &first, unsigned matrix,
                                     unsigned row, bool transposed, bool sameKnowledge) {
  unsigned addressing = matrix * rowsOfMatrix + row;
  std::uint32_t address = lanes[addressing]->address;
  Actor reader = actorOf(first, addressing);
  std::uint16_t elements[rowBytes / 2];
  if (Memory::Checked fault = shared.load(reader, address, std::as_writable_bytes(std::span(elements))))
    return fault;
  bool known = sameKnowledge &&
               shared.isKnown(*reader.clocks->knowledge(reader.thread), reader.block, address, rowBytes);
  for (unsigned column = 0; column < rowBytes / 2; ++column) {
    // Plainly, row t / 4 goes to lane t, two columns a lane; transposed, column t / 4, two rows a lane.
    unsigned lane = transposed ? 4 * column + row / 2 : 4 * row + column / 2;
    unsigned half = transposed ? row % 2 : column % 2;
    std::uint32_t &value = lanes[lane]->values[matrix];
    value = half == 0 ? elements[column] : (value & 0xffff) | std::uint32_t(elements[column]) << 16;
    if (known || lane == addressing)
      continue;
    if (Memory::Checked fault = shared.look(actorOf(first, lane), std::int64_t(address) + 2 * column, 2))
      return fault;
  }
  return std::nullopt;
}

Memory::Checked linmu::emulation::accessMatrices(WarpInstruction instruction, const Lanes &lanes,
                                                 Memory &shared, const Actor &first) {
  bool store =
      instruction == WarpInstruction::storeMatrix || instruction == WarpInstruction::storeMatrixTransposed;
  bool transposed = instruction == WarpInstruction::loadMatrixTransposed ||
                    instruction == WarpInstruction::storeMatrixTransposed;
  bool sameKnowledge = true;
  for (unsigned lane = 1; lane < warpSize; ++lane)
    sameKnowledge = sameKnowledge &&
                    first.clocks->knowledge(first.thread + lane) == first.clocks->knowledge(first.thread);
  for (unsigned matrix = 0; matrix < lanes[0]->count; ++matrix)
    for (unsigned row = 0; row < rowsOfMatrix; ++row) {
      if (!store) {
        if (Memory::Checked fault =
                loadMatrixRow(lanes, shared, first, matrix, row, transposed, sameKnowledge))
          return fault;
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
        std::uint32_t address = lanes[addressing]->address;
        if (address % rowBytes != 0)
          return Fault{FaultKind::error, std::string(nameOf(instruction)) +
                                             " requires rows aligned to 16 bytes, got address " +
                                             std::to_string(address)};
        if (Memory::Checked fault = shared.store(actorOf(first, lane), std::int64_t(address) + 2 * column,
                                                 std::as_bytes(std::span(&elements[column], 1))))
          return fault;
      }
    }
  return std::nullopt;
}
