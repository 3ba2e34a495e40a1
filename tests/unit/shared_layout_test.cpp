// Shared memory: a simulated ldmatrix, a simulator of banks, and accesses by enumeration, against what is
// computed from layouts.
#include "compiler/target/cuda/layout/SharedMemory.h"
#include "random_layouts.h"
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace linmu::cuda {
namespace {

/// The offset of every element, by its word.
std::vector<std::uint64_t> offsetsOfElements(const LinearLayout &memory) {
  std::vector<std::uint64_t> images = tableOf(memory), offsets(images.size());
  for (std::uint64_t offset = 0; offset < images.size(); ++offset)
    offsets[images[offset]] = offset;
  return offsets;
}

Swizzle randomSwizzle(Random &random, Extents tile, unsigned elementBytes) {
  Swizzle swizzle;
  for (unsigned bytes = 16; (elementBytes << tile.columns) > bytes && swizzle.masks.size() < 3; bytes *= 2)
    swizzle.masks.push_back(below(random, 2) == 0 ? 0 : random() & ((1U << tile.rows) - 1));
  return swizzle;
}

TEST(SharedLayout, PermutesThePiecesOfARow) {
  Random random(21);
  for (int round = 0; round < 60; ++round) {
    unsigned bytes = 1U << below(random, 4);
    Extents tile{static_cast<unsigned>(below(random, 6)), static_cast<unsigned>(below(random, 8))};
    Swizzle swizzle = randomSwizzle(random, tile, bytes);
    LinearLayout memory = sharedLayout(tile, bytes, swizzle);
    std::vector<std::uint64_t> offsets = offsetsOfElements(memory);
    for (unsigned row = 0; row < 1U << tile.rows; ++row)
      for (unsigned column = 0; column < 1U << tile.columns; ++column) {
        unsigned piece = column * bytes / 16;
        for (unsigned bit = 0; bit < swizzle.masks.size(); ++bit)
          piece ^= static_cast<unsigned>(__builtin_parityll(row & swizzle.masks[bit])) << bit;
        unsigned within = bytes >= 16 ? 0 : column % (16 / bytes);
        unsigned offset =
            (row << tile.columns) +
            (column * bytes < 16 && swizzle.masks.empty() ? column : piece * (16 / bytes) + within);
        EXPECT_EQ(offsets[row | column << tile.rows], offset);
      }
  }
}

/// What each lane's 32-bit registers hold after one ldmatrix: the offsets of their elements. `rows[8 m + r]`
/// is the address, in elements, of row r of matrix m; lane t gets elements 2 (t % 4) and the next of row t /
/// 4, or with `transposed` element t / 4 of rows 2 (t % 4) and the next (PTX ISA, ldmatrix).
std::vector<std::uint64_t> simulateLoadMatrix(const std::vector<std::uint64_t> &rows, unsigned lane,
                                              bool transposed, unsigned elementBytes) {
  unsigned packed = 4 / elementBytes;
  std::vector<std::uint64_t> held;
  for (std::size_t matrix = 0; matrix < rows.size() / 8; ++matrix)
    for (unsigned element = 0; element < packed; ++element)
      held.push_back(transposed ? rows[8 * matrix + packed * (lane % 4) + element] + lane / 4
                                : rows[8 * matrix + lane / 4] + packed * (lane % 4) + element);
  return held;
}

/// Whether ldmatrix can fill register `packed * r` and its neighbours of a whole warp, for all r and warps,
/// by trying: the address of each row must follow from what one lane wants, and then all lanes must get what
/// they want.
bool loadsMatrices(const LinearLayout &registers, const std::vector<std::uint64_t> &offsets,
                   unsigned elementBytes, bool transposed) {
  ThreadPlaces places(registers);
  std::vector<std::uint64_t> elements = tableOf(registers);
  unsigned packed = 4 / elementBytes, perRow = 16 / elementBytes;
  if (packed > places.registers)
    return false;
  for (unsigned warp = 0; warp < places.warps; ++warp)
    for (unsigned reg = 0; reg < places.registers; reg += packed) {
      auto wanted = [&](unsigned lane, unsigned element) {
        return offsets[elements[places(reg + element, lane, warp)]];
      };
      std::vector<std::uint64_t> rows(8);
      for (unsigned row = 0; row < 8; ++row) {
        rows[row] = transposed ? wanted(row / packed, row % packed) : wanted(4 * row, 0);
        if (rows[row] % perRow != 0)
          return false;
      }
      for (unsigned lane = 0; lane < 32; ++lane) {
        std::vector<std::uint64_t> held = simulateLoadMatrix(rows, lane, transposed, elementBytes);
        for (unsigned element = 0; element < packed; ++element)
          if (held[element] != wanted(lane, element))
            return false;
      }
    }
  return true;
}

/// Carries a plan out: registers counted by `matrixBits` come from one instruction.
void expectServed(const LinearLayout &registers, const std::vector<std::uint64_t> &offsets,
                  unsigned elementBytes, const MatrixAccess &access) {
  ThreadPlaces places(registers);
  std::vector<std::uint64_t> elements = tableOf(registers);
  unsigned packed = 4 / elementBytes;
  unsigned counting = 0;
  for (unsigned bit : access.matrixBits)
    counting |= 1U << bit;
  for (unsigned warp = 0; warp < places.warps; ++warp)
    for (unsigned reg = 0; reg < places.registers; reg += packed) {
      if (reg & counting)
        continue;
      std::vector<unsigned> firsts; // of each matrix
      for (unsigned matrix = 0; matrix < 1U << access.matrixBits.size(); ++matrix) {
        unsigned first = reg;
        for (unsigned bit = 0; bit < access.matrixBits.size(); ++bit)
          first |= (matrix >> bit & 1) << access.matrixBits[bit];
        firsts.push_back(first);
      }
      std::vector<std::uint64_t> rows;
      for (unsigned first : firsts)
        for (unsigned row = 0; row < 8; ++row)
          rows.push_back(offsets[elements[access.transposed ? places(first + row % packed, row / packed, warp)
                                                            : places(first, 4 * row, warp)]]);
      for (unsigned lane = 0; lane < 32; ++lane) {
        std::vector<std::uint64_t> held = simulateLoadMatrix(rows, lane, access.transposed, elementBytes);
        for (unsigned matrix = 0; matrix < firsts.size(); ++matrix)
          for (unsigned element = 0; element < packed; ++element)
            EXPECT_EQ(held[matrix * packed + element],
                      offsets[elements[places(firsts[matrix] + element, lane, warp)]]);
      }
    }
}

TEST(MatrixAccess, ServesWhatASimulatedInstructionServes) {
  Random random(22);
  int plain = 0, transposed = 0, neither = 0;
  auto check = [&](const LinearLayout &registers, const LinearLayout &memory, unsigned bytes) {
    std::vector<std::uint64_t> offsets = offsetsOfElements(memory);
    std::optional<MatrixAccess> access = matrixAccess(registers, memory, bytes);
    bool canPlain = loadsMatrices(registers, offsets, bytes, false);
    bool canTransposed = bytes == 2 && loadsMatrices(registers, offsets, bytes, true);
    ASSERT_EQ(access.has_value(), canPlain || canTransposed) << registers.str() << "\n" << memory.str();
    if (!access) {
      ++neither;
      return;
    }
    EXPECT_EQ(access->transposed, !canPlain);
    ++(access->transposed ? transposed : plain);
    expectServed(registers, offsets, bytes, *access);
  };
  for (int round = 0; round < 40; ++round) {
    Extents tile{4 + static_cast<unsigned>(below(random, 2)), 4 + static_cast<unsigned>(below(random, 3))};
    for (MatrixInstruction instruction :
         {MatrixInstruction::m16n8k16Half, MatrixInstruction::m16n8k8Half, MatrixInstruction::m16n8k8TF32})
      for (Operand operand : {Operand::a, Operand::b, Operand::accumulator}) {
        unsigned bytes = instruction == MatrixInstruction::m16n8k8TF32 ? 4 : 2;
        LinearLayout registers =
            operandLayout(instruction, operand, tile,
                          {static_cast<unsigned>(below(random, 2)), static_cast<unsigned>(below(random, 2))});
        check(registers, sharedLayout(tile, bytes, randomSwizzle(random, tile, bytes)), bytes);
        check(registers, transposedLayout(tile), bytes);
        // Nearly right: two bits of the lane or register exchanged.
        std::vector<std::uint64_t> images(registers.images().begin(), registers.images().end());
        std::swap(images[below(random, images.size())], images[below(random, images.size())]);
        check(LinearLayout({registers.ins().begin(), registers.ins().end()},
                           {registers.outs().begin(), registers.outs().end()}, images),
              sharedLayout(tile, bytes), bytes);
      }
    LinearLayout memory =
        randomOnto(random, {{offsetInput.str(), tile.rows + tile.columns}},
                   {{rowOutput.str(), tile.rows}, {columnOutput.str(), tile.columns}}, round % 2 == 0);
    check(randomRegisters(random, tile, false), memory, 2);
  }
  EXPECT_GT(plain, 100);
  EXPECT_GT(transposed, 50);
  EXPECT_GT(neither, 100);
}

TEST(MatrixAccess, LoadsAsManyMatricesAtOnceAsTheFragmentHas) {
  LinearLayout memory = sharedLayout({6, 6}, 2);
  auto matrices = [&](Operand operand, Extents tile) {
    return 1U << matrixAccess(operandLayout(MatrixInstruction::m16n8k16Half, operand, tile, {}),
                              sharedLayout(tile, 2), 2)
                     ->matrixBits.size();
  };
  EXPECT_EQ(matrices(Operand::a, {4, 4}), 4U);
  EXPECT_EQ(matrices(Operand::b, {4, 3}), 2U);
  EXPECT_EQ(matrices(Operand::b, {4, 4}), 4U);
  EXPECT_EQ(memory.outs().size(), 2U);
}

/// Turns beyond the first of each phase, for `bytes` at each address of a phase.
unsigned simulateBanks(const std::vector<std::vector<std::uint64_t>> &phases, unsigned bytes) {
  unsigned conflicts = 0;
  for (const std::vector<std::uint64_t> &phase : phases) {
    std::map<std::uint64_t, std::set<std::uint64_t>> words; // of each bank
    for (std::uint64_t address : phase)
      for (std::uint64_t byte = address; byte < address + bytes; ++byte)
        words[byte / 4 % 32].insert(byte / 4);
    std::size_t most = 1;
    for (const auto &[bank, distinct] : words)
      most = std::max(most, distinct.size());
    conflicts += static_cast<unsigned>(most) - 1;
  }
  return conflicts;
}

/// The worst instruction of any warp.
unsigned simulateConflicts(const SharedAccess &access, const LinearLayout &memory, unsigned elementBytes) {
  std::vector<std::uint64_t> offsets = offsetsOfElements(memory), elements = tableOf(access.registers);
  ThreadPlaces places(access.registers);
  auto address = [&](unsigned reg, unsigned lane, unsigned warp) {
    return offsets[elements[places(reg, lane, warp)]] * elementBytes;
  };
  unsigned worst = 0;
  for (unsigned warp = 0; warp < places.warps; ++warp)
    if (access.form == AccessForm::vector) {
      VectorAccess vector = widestAccess(access.registers, memory, elementBytes);
      unsigned bytes = vector.elements * elementBytes, together = bytes <= 4 ? 32 : 128 / bytes, counting = 0;
      for (unsigned bit : vector.registerBits)
        counting |= 1U << bit;
      for (unsigned reg = 0; reg < places.registers; ++reg) {
        if (reg & counting)
          continue;
        std::vector<std::vector<std::uint64_t>> phases(32 / together);
        for (unsigned lane = 0; lane < 32; ++lane)
          phases[lane / together].push_back(address(reg, lane, warp));
        worst = std::max(worst, simulateBanks(phases, bytes));
      }
    } else {
      MatrixAccess matrix = *matrixAccess(access.registers, memory, elementBytes);
      unsigned packed = 4 / elementBytes, counting = 0;
      for (unsigned bit : matrix.matrixBits)
        counting |= 1U << bit;
      for (unsigned reg = 0; reg < places.registers; reg += packed) {
        if (reg & counting)
          continue;
        std::vector<std::vector<std::uint64_t>> phases;
        for (unsigned index = 0; index < 1U << matrix.matrixBits.size(); ++index) {
          unsigned first = reg;
          for (unsigned bit = 0; bit < matrix.matrixBits.size(); ++bit)
            first |= (index >> bit & 1) << matrix.matrixBits[bit];
          phases.emplace_back();
          for (unsigned row = 0; row < 8; ++row)
            phases.back().push_back(matrix.transposed ? address(first + row % packed, row / packed, warp)
                                                      : address(first, 4 * row, warp));
        }
        worst = std::max(worst, simulateBanks(phases, 16));
      }
    }
  return worst;
}

TEST(BankConflicts, AreThoseOfASimulator) {
  Random random(23);
  std::set<unsigned> seen;
  for (int round = 0; round < 300; ++round) {
    unsigned bytes = 1U << below(random, 4);
    Extents tile{2 + static_cast<unsigned>(below(random, 5)), 2 + static_cast<unsigned>(below(random, 5))};
    LinearLayout memory = round % 3 == 0 ? transposedLayout(tile)
                                         : sharedLayout(tile, bytes, randomSwizzle(random, tile, bytes));
    SharedAccess access{randomRegisters(random, tile, round % 2 == 0)};
    if (round % 4 == 0) {
      unsigned vector = std::min(tile.columns, static_cast<unsigned>(below(random, 4)));
      access.registers = rowLayout(tile, vector, 1);
    }
    unsigned conflicts = bankConflicts(access, memory, bytes);
    EXPECT_EQ(conflicts, simulateConflicts(access, memory, bytes));
    seen.insert(conflicts);
  }
  EXPECT_GT(seen.size(), 4U);
}

TEST(BankConflicts, OfMatrixAccessesAreThoseOfASimulator) {
  Random random(24);
  for (int round = 0; round < 100; ++round) {
    Extents tile{4 + static_cast<unsigned>(below(random, 3)), 4 + static_cast<unsigned>(below(random, 3))};
    Operand operand = below(random, 2) == 0 ? Operand::a : Operand::b;
    SharedAccess access{operandLayout(MatrixInstruction::m16n8k16Half, operand, tile, {1, 1}),
                        AccessForm::matrix};
    LinearLayout memory = sharedLayout(tile, 2, randomSwizzle(random, tile, 2));
    EXPECT_EQ(bankConflicts(access, memory, 2), simulateConflicts(access, memory, 2));
  }
}

TEST(ChooseSwizzle, LeavesNoConflictsBetweenCopiesAndMatrixLoads) {
  // Rows of 32 to 256 bytes, written by 16-byte copies, read by ldmatrix plainly and transposed.
  for (unsigned columns = 4; columns <= 7; ++columns)
    for (unsigned rows = 4; rows <= 7; ++rows) {
      Extents tile{rows, columns};
      SharedAccess accesses[] = {
          {rowLayout(tile, 3, 2)},
          {operandLayout(MatrixInstruction::m16n8k16Half, Operand::a, tile, {1, 1}), AccessForm::matrix},
          {operandLayout(MatrixInstruction::m16n8k16Half, Operand::b, tile, {1, 1}), AccessForm::matrix},
      };
      std::optional<Swizzle> swizzle = chooseSwizzle(tile, 2, accesses);
      ASSERT_TRUE(swizzle);
      LinearLayout memory = sharedLayout(tile, 2, *swizzle);
      EXPECT_TRUE(matrixAccess(accesses[2].registers, memory, 2)->transposed);
      for (const SharedAccess &access : accesses)
        EXPECT_EQ(simulateConflicts(access, memory, 2), 0U) << rows << " " << columns;
    }
}

TEST(ChooseSwizzle, FindsTheSwizzlesThatPeopleWrite) {
  // 128-byte rows: piece ^ (row & 7); 64-byte rows: piece ^ (row >> 1 & 3).
  SharedAccess wide[] = {
      {operandLayout(MatrixInstruction::m16n8k16Half, Operand::a, {6, 6}, {}), AccessForm::matrix}};
  EXPECT_EQ(chooseSwizzle({6, 6}, 2, wide)->masks, (llvm::SmallVector<std::uint64_t, 3>{1, 2, 4}));
  SharedAccess narrow[] = {
      {operandLayout(MatrixInstruction::m16n8k16Half, Operand::a, {6, 5}, {}), AccessForm::matrix}};
  EXPECT_EQ(chooseSwizzle({6, 5}, 2, narrow)->masks, (llvm::SmallVector<std::uint64_t, 3>{2, 4}));
  EXPECT_TRUE(chooseSwizzle({6, 3}, 2, {})->masks.empty());
}

TEST(ChooseSwizzle, NeedsMoreThanARunWhereRowsFarApartMeet) {
  // Eight lanes read pieces of rows 0 to 3 and 16 to 19.
  LinearLayout registers({{registerInput.str(), 3 + 3}, {laneInput.str(), laneBits}, {warpInput.str(), 0}},
                         {{rowOutput.str(), 5}, {columnOutput.str(), 6}},
                         {32, 64, 128, 256, 512, 1024, 1, 2, 16, 4, 8});
  SharedAccess accesses[] = {
      {registers},
      {operandLayout(MatrixInstruction::m16n8k16Half, Operand::a, {5, 6}, {}), AccessForm::matrix}};
  std::optional<Swizzle> swizzle = chooseSwizzle({5, 6}, 2, accesses);
  for (const SharedAccess &access : accesses)
    EXPECT_EQ(simulateConflicts(access, sharedLayout({5, 6}, 2, *swizzle), 2), 0U);
}

TEST(ChooseSwizzle, RefusesAMatrixAccessThatNoSwizzleServes) {
  SharedAccess accesses[] = {{rowLayout({4, 4}, 3, 0), AccessForm::matrix}};
  EXPECT_FALSE(chooseSwizzle({4, 4}, 2, accesses));
}

TEST(WidestAccess, IsTheWidestThatEnumerationFinds) {
  Random random(25);
  std::set<unsigned> seen;
  for (int round = 0; round < 300; ++round) {
    unsigned bytes = 1U << below(random, 3);
    Extents tile{2 + static_cast<unsigned>(below(random, 3)), 3 + static_cast<unsigned>(below(random, 3))};
    LinearLayout registers = round % 2 == 0 ? randomRegisters(random, tile, false)
                                            : rowLayout(tile, static_cast<unsigned>(below(random, 4)), 0);
    if (round % 2 != 0 && registers.inBits(registerInput) > 1)
      registers = permuteBits(registers, registerInput, [&] {
        llvm::SmallVector<unsigned> order;
        for (unsigned bit = 0; bit < registers.inBits(registerInput); ++bit)
          order.push_back(bit);
        std::shuffle(order.begin(), order.end(), random);
        return order;
      }());
    LinearLayout memory = sharedLayout(tile, bytes, randomSwizzle(random, tile, bytes));
    std::vector<std::uint64_t> offsets = offsetsOfElements(memory), elements = tableOf(registers);
    ThreadPlaces places(registers);
    // Each thread's offsets fall into whole aligned groups of this many, and the same registers hold the same
    // place in their group in every thread.
    auto works = [&](unsigned count) {
      for (unsigned warp = 0; warp < places.warps; ++warp)
        for (unsigned lane = 0; lane < 32; ++lane) {
          std::multiset<std::uint64_t> held;
          for (unsigned reg = 0; reg < places.registers; ++reg) {
            std::uint64_t offset = offsets[elements[places(reg, lane, warp)]];
            held.insert(offset);
            if (offset % count != offsets[elements[places(reg, 0, 0)]] % count)
              return false;
          }
          for (std::uint64_t offset : held)
            for (std::uint64_t within = 0; within < count; ++within)
              if (held.count(offset / count * count + within) != held.count(offset))
                return false;
        }
      return true;
    };
    VectorAccess access = widestAccess(registers, memory, bytes);
    EXPECT_TRUE(works(access.elements));
    if (round % 2 != 0 && 2 * access.elements * bytes <= 16)
      EXPECT_FALSE(works(2 * access.elements)) << registers.str() << "\n" << memory.str();
    seen.insert(access.elements);
  }
  EXPECT_GE(seen.size(), 4U);
}

} // namespace
} // namespace linmu::cuda
