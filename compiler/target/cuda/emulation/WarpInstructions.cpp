#include "compiler/target/cuda/emulation/WarpInstructions.h"
#include "compiler/target/cuda/emulation/Numbers.h"

using namespace linmu::emulation;

const char *linmu::emulation::nameOf(WarpInstruction instruction) {
  switch (instruction) {
  case WarpInstruction::shuffle:
    return "shuffle";
  case WarpInstruction::shuffleXor:
    return "shuffle_xor";
  case WarpInstruction::shuffleUp:
    return "shuffle_up";
  case WarpInstruction::shuffleDown:
    return "shuffle_down";
  case WarpInstruction::ballot:
    return "vote";
  case WarpInstruction::synchronize:
    return "sync_warp";
  case WarpInstruction::loadMatrix:
    return "load_matrix";
  case WarpInstruction::loadMatrixTransposed:
    return "load_matrix_transposed";
  case WarpInstruction::storeMatrix:
    return "store_matrix";
  case WarpInstruction::storeMatrixTransposed:
    return "store_matrix_transposed";
  case WarpInstruction::productM16N8K16BF16:
    return "mma_m16n8k16_bf16";
  case WarpInstruction::productM16N8K16F16:
    return "mma_m16n8k16_f16";
  case WarpInstruction::productM16N8K8BF16:
    return "mma_m16n8k8_bf16";
  case WarpInstruction::productM16N8K8F16:
    return "mma_m16n8k8_f16";
  case WarpInstruction::productM16N8K8TF32:
    return "mma_m16n8k8_tf32";
  }
  return "an unknown instruction";
}

/// Each lane takes the value of the lane that `from` names for it; its own where there is none.
template <class From> static void take(const Lanes &lanes, From from) {
  std::array<std::uint32_t, warpSize> values;
  for (unsigned lane = 0; lane < warpSize; ++lane)
    values[lane] = lanes[lane]->values[0];
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    std::uint32_t source = from(lane, lanes[lane]->values[1]);
    lanes[lane]->values[0] = values[source < warpSize ? source : lane];
  }
}

bool linmu::emulation::exchangeValues(WarpInstruction instruction, const Lanes &lanes) {
  switch (instruction) {
  case WarpInstruction::shuffle:
    take(lanes, [](unsigned, std::uint32_t source) { return source % warpSize; });
    return true;
  case WarpInstruction::shuffleXor:
    take(lanes, [](unsigned lane, std::uint32_t mask) { return lane ^ mask % warpSize; });
    return true;
  case WarpInstruction::shuffleUp:
    take(lanes, [](unsigned lane, std::uint32_t delta) { return lane - delta % warpSize; });
    return true;
  case WarpInstruction::shuffleDown:
    take(lanes, [](unsigned lane, std::uint32_t delta) { return lane + delta % warpSize; });
    return true;
  case WarpInstruction::ballot: {
    std::uint32_t votes = 0;
    for (unsigned lane = 0; lane < warpSize; ++lane)
      votes |= static_cast<std::uint32_t>(lanes[lane]->values[0] != 0) << lane;
    for (Lane *lane : lanes)
      lane->values[0] = votes;
    return true;
  }
  case WarpInstruction::synchronize:
    return true;
  default:
    return false;
  }
}

namespace {
/// Rows 16 of A, columns 8 of B, k of 16 at most. Indices as in the PTX ISA's figures of fragments: `group`
/// is lane / 4, `thread` is lane % 4.
struct Operands {
  float a[16][16] = {};
  float b[16][8] = {};
};
} // namespace

/// Two numbers of a register along k.
template <class Convert>
static void gatherHalves(const Lanes &lanes, unsigned k, Convert convert, Operands &operands) {
  unsigned rowsOfA = k / 4; // registers of A: rows group and group + 8, then the next eight of k
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    unsigned group = lane / 4, thread = lane % 4;
    const std::uint32_t *registers = lanes[lane]->values;
    for (unsigned half = 0; half < 2; ++half) {
      auto number = [&](unsigned index) {
        return convert(static_cast<std::uint16_t>(registers[index] >> 16 * half));
      };
      for (unsigned index = 0; index < rowsOfA; ++index)
        operands.a[group + 8 * (index % 2)][2 * thread + half + 8 * (index / 2)] = number(index);
      for (unsigned index = 0; index < k / 8; ++index)
        operands.b[2 * thread + half + 8 * index][group] = number(rowsOfA + index);
    }
  }
}

/// One number of a register, four apart along k.
static void gatherTF32(const Lanes &lanes, Operands &operands) {
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    unsigned group = lane / 4, thread = lane % 4;
    const std::uint32_t *registers = lanes[lane]->values;
    for (unsigned index = 0; index < 4; ++index)
      operands.a[group + 8 * (index % 2)][thread + 4 * (index / 2)] = fromTF32(registers[index]);
    for (unsigned index = 0; index < 2; ++index)
      operands.b[thread + 4 * index][group] = fromTF32(registers[4 + index]);
  }
}

bool linmu::emulation::multiplyMatrices(WarpInstruction instruction, const Lanes &lanes) {
  Operands operands;
  unsigned k = 8;
  switch (instruction) {
  case WarpInstruction::productM16N8K16BF16:
    gatherHalves(lanes, k = 16, fromBF16, operands);
    break;
  case WarpInstruction::productM16N8K16F16:
    gatherHalves(lanes, k = 16, fromF16, operands);
    break;
  case WarpInstruction::productM16N8K8BF16:
    gatherHalves(lanes, k, fromBF16, operands);
    break;
  case WarpInstruction::productM16N8K8F16:
    gatherHalves(lanes, k, fromF16, operands);
    break;
  case WarpInstruction::productM16N8K8TF32:
    gatherTF32(lanes, operands);
    break;
  default:
    return false;
  }
  double sums[16][8];
  for (unsigned row = 0; row < 16; ++row) {
    for (double &sum : sums[row])
      sum = 0;
    for (unsigned inner = 0; inner < k; ++inner)
      for (unsigned column = 0; column < 8; ++column)
        sums[row][column] += static_cast<double>(operands.a[row][inner]) * operands.b[inner][column];
  }
  for (unsigned lane = 0; lane < warpSize; ++lane)
    for (unsigned index = 0; index < 4; ++index) {
      float &sum = lanes[lane]->sums[index];
      sum = static_cast<float>(sum + sums[lane / 4 + 8 * (index / 2)][lane % 4 * 2 + index % 2]);
    }
  return true;
}
