// Ranks that train together: sums over sockets between threads, and what they are told by.
#include "distill/parallel/nccl_library.h"
#include "distill/parallel/ring_collective.h"
#include "distill/parallel/share.h"
#include "tests/unit/expect_error.h"
#include <arpa/inet.h>
#include <cstdlib>
#include <dlfcn.h>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace linmu::distill {
namespace {

using test::expectError;
using torch::Tensor;

std::uint16_t freePort() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(descriptor, reinterpret_cast<sockaddr *>(&address), size);
  ::getsockname(descriptor, reinterpret_cast<sockaddr *>(&address), &size);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

/// `body` as each rank, a thread each.
void asRanks(std::int64_t ranks, const std::function<void(RingCollective &)> &body) {
  const std::uint16_t port = freePort();
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < ranks; ++rank)
    threads.emplace_back([=] {
      LaunchedRank launched;
      launched.rank = rank, launched.ranks = ranks, launched.address = "127.0.0.1", launched.port = port;
      RingCollective collective(launched);
      body(collective);
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(Ring, SumsAreThoseOfAllRanksAndTheSameBitsOnEach) {
  for (std::int64_t ranks : {2, 3, 5})
    for (auto type : {torch::kFloat32, torch::kFloat64, torch::kInt64}) {
      const std::vector<std::int64_t> sizes = {1, 2, 7, 1000, 70001};
      std::vector<std::vector<Tensor>> given(sizes.size()),
          got(sizes.size(), std::vector<Tensor>(std::size_t(ranks)));
      torch::manual_seed(ranks);
      for (std::size_t i = 0; i < sizes.size(); ++i)
        for (std::int64_t rank = 0; rank < ranks; ++rank)
          given[i].push_back((torch::randn({sizes[i]}, torch::kFloat64) * 100).to(type));
      asRanks(ranks, [&](RingCollective &collective) {
        // Several at once, as buckets leave.
        for (std::size_t i = 0; i < sizes.size(); ++i) {
          Tensor &mine = got[i][std::size_t(collective.rank())];
          mine = given[i][std::size_t(collective.rank())].clone();
          collective.allReduce(mine);
        }
        collective.finish();
        collective.leave();
      });
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        const Tensor sum = torch::stack(given[i]).to(torch::kFloat64).sum(0);
        for (const Tensor &mine : got[i]) {
          EXPECT_TRUE(torch::equal(mine, got[i][0]));
          // A rounding of f32 for each addition of values up to about 400.
          EXPECT_LE((mine.to(torch::kFloat64) - sum).abs().max().item<double>(),
                    type == torch::kFloat32 ? double(ranks) * 400 * 6e-8 : 1e-10);
        }
      }
    }
}

TEST(Ring, TextsOfAllRanksAndTensorsOfTheFirstComeToEach) {
  asRanks(4, [&](RingCollective &collective) {
    const auto rank = std::size_t(collective.rank());
    const std::vector<std::string> sent = {"", "one", std::string(3 << 20, 'x'), std::string("\0\1", 2)};
    EXPECT_EQ(collective.gather(sent[rank]), sent);
    Tensor tensor = torch::arange(200000, torch::kFloat32) + double(rank);
    collective.broadcast(tensor);
    collective.finish();
    EXPECT_TRUE(torch::equal(tensor, torch::arange(200000, torch::kFloat32)));
    EXPECT_EQ(collective.sums({double(rank), 0.5}), (std::vector<double>{6, 2}));
    EXPECT_TRUE(collective.any(rank == 2));
    EXPECT_FALSE(collective.any(false));
    collective.leave();
  });
}

TEST(Ring, WhoEndsWithoutLeavingEndsTheOthers) {
  for (std::int64_t failing : {0, 1}) {
    std::vector<std::string> said(4);
    asRanks(4, [&](RingCollective &collective) {
      collective.barrier();
      if (collective.rank() == failing)
        return;
      try {
        // More than sockets hold, so that all are in the middle of it.
        collective.allReduce(torch::zeros({1 << 23}));
        collective.barrier();
      } catch (const Error &error) {
        said[std::size_t(collective.rank())] = error.what();
      }
    });
    for (std::int64_t rank = 0; rank < 4; ++rank)
      EXPECT_EQ(said[std::size_t(rank)],
                rank == failing
                    ? ""
                    : "rank " + std::to_string(failing) + " of 4 has ended with an error, which it has said");
  }
}

TEST(Ring, TensorsThatItCannotSumAreRefused) {
  asRanks(2, [](RingCollective &collective) {
    expectError(ErrorCode::internal, {"the ring requires contiguous tensors on the CPU"},
                [&] { collective.allReduce(torch::zeros({4, 4}).t().narrow(0, 0, 2)); });
    collective.allReduce(torch::zeros({4}, torch::kBFloat16));
    expectError(ErrorCode::internal, {"the ring requires f32, f64 or i64, got"},
                [&] { collective.finish(); });
    collective.leave();
  });
}

/// Sets variables for as long as it exists.
class Environment {
public:
  explicit Environment(const std::map<std::string, std::string> &values) : values_(values) {
    for (const auto &[name, value] : values_)
      ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const auto &[name, value] : values_)
      ::unsetenv(name.c_str());
  }

private:
  std::map<std::string, std::string> values_;
};

TEST(LaunchedRank, IsReadFromTheEnvironmentOrRefusedByName) {
  EXPECT_FALSE(LaunchedRank::fromEnvironment());
  {
    Environment one({{"WORLD_SIZE", "1"}, {"RANK", "0"}});
    EXPECT_FALSE(LaunchedRank::fromEnvironment());
  }
  std::map<std::string, std::string> values = {{"WORLD_SIZE", "8"},       {"RANK", "5"},
                                               {"LOCAL_RANK", "1"},       {"LOCAL_WORLD_SIZE", "4"},
                                               {"MASTER_ADDR", "node-0"}, {"MASTER_PORT", "29500"}};
  {
    Environment environment(values);
    const auto launched = LaunchedRank::fromEnvironment();
    ASSERT_TRUE(launched);
    EXPECT_EQ(launched->rank, 5);
    EXPECT_EQ(launched->ranks, 8);
    EXPECT_EQ(launched->local_rank, 1);
    EXPECT_EQ(launched->address, "node-0");
    EXPECT_FALSE(launched->launcher_has_store);
  }
  auto refused = [&](const char *name, const char *value, const std::string &message) {
    auto changed = values;
    changed[name] = value;
    Environment environment(changed);
    expectError(ErrorCode::invalidArgument, {message}, [] { (void)LaunchedRank::fromEnvironment(); });
  };
  refused("RANK", "8", "RANK: expected a whole number from 0 to 7, got \"8\"");
  refused("RANK", "", "RANK: expected a whole number from 0 to 7, got \"\"");
  refused("LOCAL_RANK", "4", "LOCAL_RANK: expected a whole number from 0 to 3, got \"4\"");
  refused("MASTER_PORT", "http", "MASTER_PORT: expected a whole number from 1 to 65535, got \"http\"");
  refused("MASTER_ADDR", "", "MASTER_ADDR: expected the address of the machine of rank 0, got none");
}

TEST(Share, RowsOfAllRanksAreTheBatch) {
  Batch batch;
  batch.ids = torch::arange(35).view({7, 5});
  batch.labels = torch::where(batch.ids % 3 == 0, batch.ids, torch::full_like(batch.ids, noLabel));
  batch.patches = {torch::arange(14, torch::kUInt8).view({7, 2, 1})};
  batch.layout = {5, {{1, 1, 1, 2}}};
  for (int row = 0; row < 7; ++row)
    batch.names.push_back(std::to_string(row));
  for (std::int64_t ranks : {1, 2, 3, 7, 9}) {
    std::vector<Tensor> ids, labels, patches;
    std::vector<std::string> names;
    std::int64_t targets = 0;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      const Batch share = shareOf(batch, rank, ranks);
      ids.push_back(share.ids), labels.push_back(share.labels), patches.push_back(share.patches[0]);
      names.insert(names.end(), share.names.begin(), share.names.end());
      targets += ranks > 1 ? share.targets : 12;
      EXPECT_EQ(share.layout.media.size(), 1u);
    }
    EXPECT_TRUE(torch::equal(torch::cat(ids), batch.ids));
    EXPECT_TRUE(torch::equal(torch::cat(labels), batch.labels));
    EXPECT_TRUE(torch::equal(torch::cat(patches), batch.patches[0]));
    EXPECT_EQ(names, batch.names);
    EXPECT_EQ(targets, 12);
  }
}

TEST(Nccl, ThatOfTorchHasEveryFunction) {
  if (!::dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD))
    GTEST_SKIP() << "torch without CUDA";
  int version = 0;
  ASSERT_EQ(NcclLibrary::get().getVersion(&version), NcclLibrary::success);
  EXPECT_GE(version, 20000);
  expectError(ErrorCode::io, {"NCCL: ncclAllReduce: "}, [] { NcclLibrary::get().check(4, "ncclAllReduce"); });
}

} // namespace
} // namespace linmu::distill
