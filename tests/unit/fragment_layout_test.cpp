// Fragments of mma.sync, against the formulas of the PTX ISA's tables ("Matrix Fragments for mma.m16n8k8" and
// "... mma.m16n8k16"), as they stand there: groupID = lane >> 2, threadID_in_group = lane % 4.
#include "random_layouts.h"
#include <gtest/gtest.h>

namespace linmu::cuda {
namespace {

struct Place {
  std::int64_t row, column;
};
using Formula = Place (*)(int i, int groupID, int threadID_in_group);

struct Table {
  MatrixInstruction instruction;
  Operand operand;
  int registers;
  Formula formula;
};

const Table tables[] = {
    {MatrixInstruction::m16n8k16Half, Operand::a, 8,
     [](int i, int group, int thread) -> Place {
       return {(0 <= i && i < 2) || (4 <= i && i < 6) ? group : group + 8,
               i < 4 ? (thread * 2) + (i & 0x1) : (thread * 2) + (i & 0x1) + 8};
     }},
    {MatrixInstruction::m16n8k16Half, Operand::b, 4,
     [](int i, int group, int thread) -> Place {
       return {i < 2 ? (thread * 2) + (i & 0x1) : (thread * 2) + (i & 0x1) + 8, group};
     }},
    {MatrixInstruction::m16n8k16Half, Operand::accumulator, 4,
     [](int i, int group, int thread) -> Place {
       return {i < 2 ? group : group + 8, (thread * 2) + (i & 0x1)};
     }},
    {MatrixInstruction::m16n8k8Half, Operand::a, 4,
     [](int i, int group, int thread) -> Place {
       return {i < 2 ? group : group + 8, (thread * 2) + (i & 0x1)};
     }},
    {MatrixInstruction::m16n8k8Half, Operand::b, 2,
     [](int i, int group, int thread) -> Place { return {(thread * 2) + i, group}; }},
    {MatrixInstruction::m16n8k8Half, Operand::accumulator, 4,
     [](int i, int group, int thread) -> Place {
       return {i < 2 ? group : group + 8, (thread * 2) + (i & 0x1)};
     }},
    {MatrixInstruction::m16n8k8TF32, Operand::a, 4,
     [](int i, int group, int thread) -> Place {
       return {i == 0 || i == 2 ? group : group + 8, i == 0 || i == 1 ? thread : thread + 4};
     }},
    {MatrixInstruction::m16n8k8TF32, Operand::b, 2,
     [](int i, int group, int thread) -> Place { return {i == 0 ? thread : thread + 4, group}; }},
    {MatrixInstruction::m16n8k8TF32, Operand::accumulator, 4,
     [](int i, int group, int thread) -> Place {
       return {i < 2 ? group : group + 8, (thread * 2) + (i & 0x1)};
     }},
};

TEST(Fragments, AreThoseOfThePTXTables) {
  for (const Table &table : tables) {
    LinearLayout fragment = fragmentLayout(table.instruction, table.operand);
    Extents extents = extentsOf(table.instruction, table.operand);
    EXPECT_EQ(fragment.outs(),
              (llvm::ArrayRef<Dimension>{{"dim0", extents.rows}, {"dim1", extents.columns}}));
    ASSERT_EQ(1 << fragment.inBits(registerInput), table.registers);
    for (int i = 0; i < table.registers; ++i)
      for (int lane = 0; lane < 32; ++lane) {
        Place place = table.formula(i, lane >> 2, lane % 4);
        EXPECT_EQ(fragment(llvm::ArrayRef<std::int64_t>{i, lane}),
                  (llvm::SmallVector<std::int64_t>{place.row, place.column}))
            << "instruction " << static_cast<int>(table.instruction) << " operand "
            << static_cast<int>(table.operand) << " register " << i << " lane " << lane;
      }
  }
}

/// Where the fragment `index` of a warp's part begins, in elements: along one axis.
std::int64_t partOf(unsigned warp, unsigned warps, std::int64_t tile, std::int64_t fragment,
                    std::int64_t index) {
  std::int64_t fragments = tile / fragment, used = std::min<std::int64_t>(warps, fragments);
  return ((warp % used) * (fragments / used) + index) * fragment;
}

TEST(Fragments, OfSeveralWarpsDivideTheResultAndRepeatOperands) {
  for (const Table &table : tables)
    for (unsigned warpRows : {0U, 1U, 2U})
      for (unsigned warpColumns : {0U, 1U, 3U})
        for (Extents tile : {Extents{4, 4}, Extents{6, 5}, Extents{5, 7}}) {
          Extents extents = extentsOf(table.instruction, table.operand);
          LinearLayout layout =
              operandLayout(table.instruction, table.operand, tile, {warpRows, warpColumns});
          EXPECT_TRUE(layout.isSurjective());
          std::int64_t fragmentRows = 1 << extents.rows, fragmentColumns = 1 << extents.columns;
          // k is never divided.
          unsigned rowWarps = table.operand == Operand::b ? 1 : 1U << warpRows;
          unsigned columnWarps = table.operand == Operand::a ? 1 : 1U << warpColumns;
          ThreadPlaces places(layout);
          ASSERT_EQ(places.warps, 1U << (warpRows + warpColumns));
          std::int64_t rowsOfWarp = std::max<std::int64_t>(1, (1 << tile.rows) / fragmentRows / rowWarps);
          std::int64_t columnsOfWarp =
              std::max<std::int64_t>(1, (1 << tile.columns) / fragmentColumns / columnWarps);
          ASSERT_EQ(places.registers, table.registers * rowsOfWarp * columnsOfWarp);
          for (unsigned warp = 0; warp < places.warps; ++warp)
            for (unsigned reg = 0; reg < places.registers; ++reg)
              for (unsigned lane = 0; lane < 32; ++lane) {
                Place place = table.formula(static_cast<int>(reg) % table.registers,
                                            static_cast<int>(lane) >> 2, static_cast<int>(lane) % 4);
                std::int64_t repeat = reg / table.registers;
                bool rowsFirst = table.operand == Operand::b;
                std::int64_t row = rowsFirst ? repeat % rowsOfWarp : repeat / columnsOfWarp;
                std::int64_t column = rowsFirst ? repeat / rowsOfWarp : repeat % columnsOfWarp;
                EXPECT_EQ(layout(llvm::ArrayRef<std::int64_t>{reg, lane, warp}),
                          (llvm::SmallVector<std::int64_t>{
                              place.row + partOf(warp % (1U << warpRows), rowWarps, 1 << tile.rows,
                                                 fragmentRows, row),
                              place.column + partOf(warp >> warpRows, columnWarps, 1 << tile.columns,
                                                    fragmentColumns, column)}));
              }
        }
}

TEST(Fragments, AccumulatorsOfTwoProductsAreTheNextOnesA) {
  // The chain of P V: two neighbouring 16 x 8 accumulators, packed, are one A fragment of k = 16.
  LinearLayout accumulators =
      operandLayout(MatrixInstruction::m16n8k16Half, Operand::accumulator, {4, 4}, {});
  LinearLayout a = operandLayout(MatrixInstruction::m16n8k16Half, Operand::a, {4, 4}, {});
  EXPECT_EQ(accumulators, a);
}

TEST(RowLayout, NeighbouringLanesMoveNeighbouringVectors) {
  LinearLayout layout =
      rowLayout({6, 6}, 3, 2); // 64 x 64 by 8 elements: 8 lanes a row, 16 rows a pass, 4 passes
  for (std::int64_t reg = 0; reg < 32; ++reg)
    for (std::int64_t lane = 0; lane < 32; ++lane)
      for (std::int64_t warp = 0; warp < 4; ++warp)
        EXPECT_EQ(
            layout(llvm::ArrayRef<std::int64_t>{reg, lane, warp}),
            (llvm::SmallVector<std::int64_t>{lane / 8 + 4 * warp + 16 * (reg / 8), lane % 8 * 8 + reg % 8}));
  // Lanes that find nothing left repeat.
  LinearLayout small = rowLayout({2, 3}, 3, 1);
  EXPECT_EQ(small(llvm::ArrayRef<std::int64_t>{5, 7, 1}), (llvm::SmallVector<std::int64_t>{3, 5}));
}

} // namespace
} // namespace linmu::cuda
