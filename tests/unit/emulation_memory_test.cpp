// Order of accesses: clocks and shadows against a model that keeps every access and walks all paths; both
// proxies.
#include "compiler/target/cuda/emulation/Numbers.h"
#include "compiler/target/cuda/emulation/Shadow.h"
#include "compiler/target/cuda/emulation/WarpInstructions.h"
#include "compiler/target/cuda/layout/Fragments.h"
#include <gtest/gtest.h>
#include <random>
#include <set>

namespace linmu::emulation {
namespace {

/// Events in the order of the run; `before[i]` holds all that happens before event i.
class History {
public:
  explicit History(unsigned threads) : last(threads, -1) {}

  /// An event of a thread; with `also`, after theirs as well.
  int add(unsigned thread, const std::vector<int> &also = {}) {
    std::set<int> earlier;
    auto follow = [&](int event) {
      if (event < 0)
        return;
      earlier.insert(event);
      earlier.insert(before[static_cast<std::size_t>(event)].begin(),
                     before[static_cast<std::size_t>(event)].end());
    };
    follow(last[thread]);
    for (int event : also)
      follow(event);
    before.push_back(earlier);
    return last[thread] = static_cast<int>(before.size()) - 1;
  }
  bool happensBefore(int event, int later) const {
    return before[static_cast<std::size_t>(later)].count(event) != 0;
  }

private:
  std::vector<std::set<int>> before;
  std::vector<int> last;
};

TEST(Shadow, FindsExactlyTheRacesOfAnExhaustiveModel) {
  const unsigned threads = 6, places = 3;
  std::mt19937 random(31);
  int races = 0, clean = 0;
  for (int round = 0; round < 2000; ++round) {
    Clocks clocks(threads);
    Shadow shadow(places * 4, 4, /*initialised=*/true);
    History history(threads);
    struct Seen {
      int event;
      bool write;
    };
    std::vector<std::vector<Seen>> accesses(places);
    bool raced = false;
    int steps = 4 + static_cast<int>(random() % 30);
    for (int step = 0; step < steps && !raced; ++step) {
      if (random() % 3 == 0) {
        // Some threads meet; all of them bring, and some of them wait.
        Clocks::Meeting meeting;
        std::vector<unsigned> takes;
        std::vector<int> arrivals;
        for (unsigned thread = 0; thread < threads; ++thread)
          if (random() % 2 == 0) {
            meeting.bring(clocks, thread);
            arrivals.push_back(history.add(thread));
            if (random() % 4 != 0)
              takes.push_back(thread);
          }
        for (unsigned thread : takes) {
          meeting.take(clocks, thread);
          history.add(thread, arrivals);
        }
        continue;
      }
      unsigned thread = random() % threads, place = random() % places;
      bool write = random() % 4 == 0;
      int event = history.add(thread);
      for (const Seen &seen : accesses[place])
        raced = raced || ((seen.write || write) && !history.happensBefore(seen.event, event));
      accesses[place].push_back({event, write});
      Actor actor{&clocks, 1, static_cast<std::uint16_t>(thread), Proxy::generic, step};
      bool accepted = write ? shadow.write(actor, place * 4, 4) : shadow.read(actor, place * 4, 4);
      ASSERT_EQ(accepted, !raced) << "round " << round << " step " << step << ": " << shadow.fault();
    }
    ++(raced ? races : clean);
  }
  EXPECT_GT(races, 200);
  EXPECT_GT(clean, 100);
}

TEST(Shadow, OrdersProxiesByAFenceOnTheWay) {
  // Thread 0 writes through one proxy, both meet, thread 1 reads through another; fences before or after
  // meeting.
  for (Proxy writes : {Proxy::generic, Proxy::async})
    for (Proxy reads : {Proxy::generic, Proxy::async})
      for (int fence : {0, 1, 2}) {
        Clocks clocks(2);
        Shadow shadow(4, 4, false);
        EXPECT_TRUE(shadow.write({&clocks, 1, 0, writes, 1}, 0, 4));
        if (fence == 1)
          clocks.fence(0);
        Clocks::Meeting meeting;
        meeting.bring(clocks, 0);
        meeting.bring(clocks, 1);
        meeting.take(clocks, 0);
        meeting.take(clocks, 1);
        if (fence == 2)
          clocks.fence(1);
        EXPECT_EQ(shadow.read({&clocks, 1, 1, reads, 2}, 0, 4), writes == reads || fence != 0);
      }
}

TEST(Shadow, AFenceDoesNotReachWhatIsWrittenAfterIt) {
  Clocks clocks(1);
  Shadow shadow(8, 4, false);
  EXPECT_TRUE(shadow.write({&clocks, 1, 0, Proxy::generic, 1}, 0, 4));
  clocks.fence(0);
  EXPECT_TRUE(shadow.write({&clocks, 1, 0, Proxy::generic, 2}, 4, 4));
  EXPECT_TRUE(shadow.read({&clocks, 1, 0, Proxy::async, 3}, 0, 4));
  EXPECT_FALSE(shadow.read({&clocks, 1, 0, Proxy::async, 3}, 4, 4));
  EXPECT_NE(shadow.fault().find("with no proxy fence"), std::string::npos) << shadow.fault();
}

/// The second model of fragments: those of layout/, which the emulation does not use.
void expectProduct(WarpInstruction instruction, cuda::MatrixInstruction layout,
                   std::uint32_t (*encode)(float), unsigned bits) {
  using cuda::Operand;
  std::minstd_rand random(5);
  cuda::Extents extents = cuda::extentsOf(layout, Operand::a);
  unsigned k = 1U << extents.columns;
  std::vector<std::vector<float>> a(16, std::vector<float>(k)), b(k, std::vector<float>(8)),
      c(16, std::vector<float>(8));
  for (auto *matrix : {&a, &b, &c})
    for (auto &row : *matrix)
      for (float &element : row)
        element = static_cast<float>(random() % 17) - 8;
  std::vector<Lane> lanes(warpSize);
  auto place = [&](Operand operand, unsigned index, unsigned lane) {
    return cuda::fragmentLayout(layout, operand)(llvm::ArrayRef<std::int64_t>{index, lane});
  };
  unsigned packed = 32 / bits, registersOfA = 16 * k / 32 / packed, registersOfB = 8 * k / 32 / packed;
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    for (unsigned index = 0; index < (registersOfA + registersOfB) * packed; ++index) {
      bool isA = index < registersOfA * packed;
      auto at = place(isA ? Operand::a : Operand::b, isA ? index : index - registersOfA * packed, lane);
      lanes[lane].values[index / packed] |= encode((isA ? a : b)[at[0]][at[1]]) << index % packed * bits;
    }
    for (unsigned index = 0; index < 4; ++index) {
      auto at = place(Operand::accumulator, index, lane);
      lanes[lane].sums[index] = c[at[0]][at[1]];
    }
  }
  Lanes pointers;
  for (unsigned lane = 0; lane < warpSize; ++lane)
    pointers[lane] = &lanes[lane];
  ASSERT_TRUE(multiplyMatrices(instruction, pointers));
  for (unsigned lane = 0; lane < warpSize; ++lane)
    for (unsigned index = 0; index < 4; ++index) {
      auto at = place(Operand::accumulator, index, lane);
      float sum = c[at[0]][at[1]];
      for (unsigned inner = 0; inner < k; ++inner)
        sum += a[at[0]][inner] * b[inner][at[1]];
      EXPECT_EQ(lanes[lane].sums[index], sum) << nameOf(instruction);
    }
}

TEST(WarpInstructions, ProductsOfFragmentsAsLayoutsHaveThem) {
  auto bf16 = [](float x) -> std::uint32_t { return toBF16(x); };
  auto f16 = [](float x) -> std::uint32_t { return toF16(x); };
  expectProduct(WarpInstruction::productM16N8K16BF16, cuda::MatrixInstruction::m16n8k16Half, bf16, 16);
  expectProduct(WarpInstruction::productM16N8K16F16, cuda::MatrixInstruction::m16n8k16Half, f16, 16);
  expectProduct(WarpInstruction::productM16N8K8BF16, cuda::MatrixInstruction::m16n8k8Half, bf16, 16);
  expectProduct(WarpInstruction::productM16N8K8F16, cuda::MatrixInstruction::m16n8k8Half, f16, 16);
  expectProduct(WarpInstruction::productM16N8K8TF32, cuda::MatrixInstruction::m16n8k8TF32, toTF32, 32);
}

TEST(WarpInstructions, ShufflesKeepTheirOwnWhereThereIsNoLane) {
  std::vector<Lane> lanes(warpSize);
  Lanes pointers;
  auto expect = [&](WarpInstruction instruction, std::uint32_t operand, auto from) {
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      lanes[lane].values[0] = 100 + lane;
      lanes[lane].values[1] = operand;
      pointers[lane] = &lanes[lane];
    }
    ASSERT_TRUE(exchangeValues(instruction, pointers));
    for (unsigned lane = 0; lane < warpSize; ++lane)
      EXPECT_EQ(lanes[lane].values[0], 100 + from(lane)) << nameOf(instruction) << " lane " << lane;
  };
  expect(WarpInstruction::shuffle, 37, [](unsigned) { return 5U; });
  expect(WarpInstruction::shuffleXor, 9, [](unsigned lane) { return lane ^ 9U; });
  expect(WarpInstruction::shuffleUp, 3, [](unsigned lane) { return lane < 3 ? lane : lane - 3; });
  expect(WarpInstruction::shuffleDown, 3, [](unsigned lane) { return lane > 28 ? lane : lane + 3; });
}

} // namespace
} // namespace linmu::emulation
