#include "runtime/core/cuda/architecture.h"
#include "tests/unit/cuda_fixture.h"
#include <array>
#include <numeric>
#include <thread>

using namespace linmu;
using namespace linmu::test;

namespace {

using Calls = std::vector<std::string>;
using CudaLaunch = CudaTest;

void *const stream = reinterpret_cast<void *>(0x10);

/// sum2 on one sequence of one token: the shortest call there is.
struct OneToken {
  std::vector<float> x = std::vector<float>(12, 1), y = std::vector<float>(12, 2), o = std::vector<float>(12);
  void operator()(const Kernel &kernel, int device = 0, LaunchOptions options = {.stream = stream}) {
    kernel(std::array{deviceView(x.data(), {1, 1, 3, 4}, device), deviceView(y.data(), {1, 1, 3, 4}, device)},
           std::array{deviceView(o.data(), {1, 1, 3, 4}, device)}, options);
  }
};

TEST_F(CudaLaunch, BlocksOfAGridOfTwoDimensionsComputeTheResult) {
  Kernel kernel = Kernel::open(cudaAddPackage());
  std::vector<float> x(2 * 5 * 12), y(5 * 12), o(2 * 5 * 12, -1);
  std::iota(x.begin(), x.end(), 0);
  std::iota(y.begin(), y.end(), 1000);
  kernel(std::array{deviceView(x.data(), {2, 5, 3, 4}), deviceView(y.data(), {1, 5, 3, 4})},
         std::array{deviceView(o.data(), {2, 5, 3, 4})});
  for (std::size_t i = 0; i < o.size(); ++i)
    ASSERT_EQ(o[i], x[i] + y[i % y.size()]) << i;
}

TEST_F(CudaLaunch, ArgumentsAreEachOperandsAddressSizesAndStridesThenTheGrid) {
  Kernel kernel = Kernel::open(cudaAddPackage());
  std::vector<long long> seen;
  cuda.kernels["add"] = [&](std::span<const long long> words, unsigned) {
    seen.assign(words.begin(), words.begin() + 30);
  };
  alignas(16) float memory[1];
  auto at = [&](std::int64_t bytes) {
    return reinterpret_cast<float *>(reinterpret_cast<char *>(memory) + bytes);
  };
  TensorView x = deviceView(at(0), {2, 3, 3, 4}), y = deviceView(at(1 << 30), {1, 3, 3, 4});
  x.strides = {std::int64_t(1) << 33, std::int64_t(1) << 20, 4, 1}; // offsets past 2^31 are words like others
  TensorView o = deviceView(at(std::int64_t(1) << 40), {2, 3, 3, 4});
  kernel(std::array{x, y}, std::array{o});
  auto address = [](const TensorView &view) { return (long long)(view.data); };
  EXPECT_EQ(seen, (std::vector<long long>{address(x), 2, 3, 3, 4, 1LL << 33, 1LL << 20, 4, 1, //
                                          address(y), 2, 3, 3, 4, 0,         12,        4, 1, //
                                          address(o), 2, 3, 3, 4, 36,        12,        4, 1, //
                                          3,          2, 1}));
}

TEST_F(CudaLaunch, OperandsThatAccessesOf16BytesMissAreRefused) {
  Kernel kernel = Kernel::open(cudaAddPackage());
  alignas(16) float memory[64], result[64];
  TensorView x = deviceView(memory, {1, 1, 3, 4}), y = x, o = deviceView(result, {1, 1, 3, 4});
  auto messageOf = [&](auto change) {
    TensorView bad = x;
    change(bad);
    try {
      kernel(std::array{bad, y}, std::array{o});
    } catch (const Error &error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_NE(messageOf([&](TensorView &bad) {
              bad.data = memory + 1;
            }).find("expected data aligned to 16 bytes, got an address that is 4 bytes past it"),
            std::string::npos);
  EXPECT_NE(messageOf([](TensorView &bad) {
              bad.strides[2] = 5;
            }).find("expected a stride that is a multiple of 4 along dimension 2, got 5"),
            std::string::npos);
  TensorView two = deviceView(memory, {1, 2, 3, 4});
  y = two;
  o = deviceView(result, {1, 2, 3, 4});
  EXPECT_NE(messageOf([&](TensorView &bad) {
              bad = two;
              bad.strides[1] = std::int64_t(1) << 29;
            }).find("expected a stride of at most 536870911 along dimension 1, got 536870912"),
            std::string::npos);
}

TEST_F(CudaLaunch, AnExpressionIsOneWord) {
  Package package = cudaAddPackage();
  package.variants[0].launches[0].operands = {{Binding::expression, 0}, {Binding::result, 0}};
  Kernel kernel = Kernel::open(package);
  std::vector<long long> seen;
  cuda.kernels["add"] = [&](std::span<const long long> words, unsigned) {
    seen.assign(words.begin(), words.begin() + 13);
  };
  OneToken call;
  call(kernel);
  EXPECT_EQ(seen, (std::vector<long long>{1, (long long)(call.o.data()), 1, 1, 3, 4, 12, 12, 4, 1, 1, 1, 1}));
}

TEST_F(CudaLaunch, ASecondLaunchIsOneLaunchAndNothingElse) {
  Kernel kernel = Kernel::open(cudaAddPackage());
  OneToken call;
  call(kernel);
  cuda.take();
  call(kernel);
  EXPECT_EQ(cuda.take(), (Calls{"cuCtxGetCurrent", "cuCtxPushCurrent 0",
                                "cuLaunchKernel add blocks=1 threads=128 shared=0 stream=0x10 device=0",
                                "cuCtxPopCurrent"}));
}

TEST_F(CudaLaunch, NoTokensLaunchNothing) {
  Kernel kernel = Kernel::open(cudaAddPackage());
  kernel(std::array{deviceView(nullptr, {1, 0, 3, 4}), deviceView(nullptr, {1, 0, 3, 4})},
         std::array{deviceView(nullptr, {1, 0, 3, 4})});
  EXPECT_EQ(count("cuLaunchKernel"), 0u);
}

TEST_F(CudaLaunch, CodeGoesToEachDeviceOnce) {
  Kernel kernel = Kernel::open(cudaAddPackage());
  EXPECT_EQ(count("cuModuleLoadData"), 0u);
  OneToken call;
  for (int device : {0, 1, 0, 1})
    call(kernel, device);
  Calls loads, launches;
  for (const std::string &one : cuda.take())
    if (one.starts_with("cuModuleLoadData"))
      loads.push_back(one);
    else if (one.starts_with("cuLaunchKernel"))
      launches.push_back(one.substr(one.find("device=")));
  EXPECT_EQ(loads,
            (Calls{"cuModuleLoadData 'add' device=0 relaxed", "cuModuleLoadData 'add' device=1 relaxed"}));
  EXPECT_EQ(launches, (Calls{"device=0", "device=1", "device=0", "device=1"}));
}

TEST_F(CudaLaunch, ThreadsThatComeTogetherLoadTheCodeOnce) {
  Kernel kernel = Kernel::open(cudaAddPackage());
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      OneToken call;
      for (int turn = 0; turn < 50; ++turn)
        call(kernel);
      EXPECT_EQ(call.o, std::vector<float>(12, 3));
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(count("cuModuleLoadData"), 1u);
  EXPECT_EQ(count("cuLaunchKernel"), 400u);
}

TEST_F(CudaLaunch, AThreadKeepsTheContextThatItHad) {
  Kernel kernel = Kernel::open(cudaAddPackage());
  OneToken call;
  call(kernel, 1);
  std::vector<std::string> calls = cuda.take();
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "cuCtxPushCurrent 1"), 1);
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "cuCtxPopCurrent"), 1);
  cuda.failures["cuLaunchKernel"] = 2;
  errorOf([&] { call(kernel, 1); });
  calls = cuda.take();
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "cuCtxPopCurrent"), 1); // after an error too
}

TEST_F(CudaLaunch, TheImageForTheDeviceIsTaken) {
  Package package = cudaAddPackage();
  package.images = {fakeImage("sm_90", "add", "add of_90"), fakeImage("sm_90a", "add", "add of_90a"),
                    fakeImage("sm_80", "add", "add of_80")};
  OneToken call;
  call(Kernel::open(package));
  EXPECT_EQ(count("cuModuleLoadData 'add of_90a' device=0 relaxed"), 1u);
}

TEST(CudaArchitecture, CodeRunsOnItsCapabilityAndWithoutVariantOnLaterMinorOnes) {
  auto runs = [](const char *name, int major, int minor) {
    return cuda::Architecture::parse(name)->runsOn(major, minor);
  };
  EXPECT_TRUE(runs("sm_80", 8, 0));
  EXPECT_TRUE(runs("sm_80", 8, 9));
  EXPECT_FALSE(runs("sm_86", 8, 0));
  EXPECT_FALSE(runs("sm_89", 9, 0));
  EXPECT_TRUE(runs("sm_90a", 9, 0));
  EXPECT_TRUE(runs("sm_100a", 10, 0));
  EXPECT_FALSE(runs("sm_100a", 10, 3));
  EXPECT_TRUE(runs("sm_120", 12, 1));
}

TEST(CudaArchitecture, NamesAreThoseOfTheSixThatAreCompiledFor) {
  const std::pair<std::pair<int, int>, const char *> cases[] = {{{8, 0}, "sm_80"},    {{8, 6}, "sm_86"},
                                                                {{8, 9}, "sm_89"},    {{9, 0}, "sm_90a"},
                                                                {{10, 0}, "sm_100a"}, {{12, 0}, "sm_120"}};
  for (auto [capability, name] : cases) {
    auto architecture = cuda::Architecture::ofDevice(capability.first, capability.second);
    EXPECT_EQ(architecture.name(), name);
    EXPECT_EQ(cuda::Architecture::parse(name), architecture);
  }
}

TEST_F(CudaLaunch, AnArchitectureThatIsMissingIsNamed) {
  Package package = cudaAddPackage();
  package.images = {fakeImage("sm_80", "add"), fakeImage("sm_100a", "add")};
  Error error = errorOf([&] { OneToken()(Kernel::open(package)); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_STREQ(error.what(),
               "pattern 'sum2' has code for sm_80, sm_100a, and cuda:0 (Fake H200) needs sm_90a");
  EXPECT_EQ(error.hint(), "compile it for this GPU: linmuc --target=cuda:sm_90a");
}

TEST_F(CudaLaunch, APackageOfSourceAloneIsRefused) {
  Error error = errorOf([] { Kernel::open(withoutImages(cudaAddPackage(), "text")); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_STREQ(error.what(), "pattern 'sum2': the package holds CUDA source and no code to run");
}

TEST_F(CudaLaunch, MoreThanTheDefaultOfSharedMemoryIsAskedForWhenTheCodeIsLoaded) {
  Package package = cudaAddPackage();
  package.variants[0].launches[0].shared_bytes = 200 << 10;
  OneToken call;
  call(Kernel::open(package));
  EXPECT_EQ(count("cuFuncSetAttribute add 8=204800"), 1u);
  EXPECT_EQ(count("cuLaunchKernel add blocks=1 threads=128 shared=204800 stream=0x10 device=0"), 1u);
}

TEST_F(CudaLaunch, MoreSharedMemoryThanTheDeviceHasIsRefused) {
  Package package = cudaAddPackage();
  package.variants[0].launches[0].shared_bytes = 228 << 10;
  Error error = errorOf([&] { OneToken()(Kernel::open(package)); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_STREQ(error.what(),
               "kernel 'add' of pattern 'sum2' needs 233472 bytes of shared memory in a block, and "
               "cuda:0 (Fake H200) has 232448");
  EXPECT_EQ(count("cuLaunchKernel"), 0u);
}

TEST_F(CudaLaunch, AGridThatCudaCannotRunIsRefusedBeforeAnythingRuns) {
  Package package = cudaTotalPackage();
  package.expressions.push_back({{{Expression::Term::constant, std::int64_t(1) << 31}}});
  package.variants.back().launches[1].grid = {ExpressionId(package.expressions.size() - 1)};
  Kernel kernel = Kernel::open(package);
  std::vector<float> x(8), o(1);
  Error error = errorOf([&] {
    kernel(std::array{deviceView(x.data(), {1, 8, 1, 1})}, std::array{deviceView(o.data(), {1, 1, 1, 1})});
  });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_STREQ(error.what(),
               "kernel 'sum_whole' of pattern 'total' needs 2147483648 blocks for B=1, N=8, and "
               "CUDA runs at most 2147483647");
  EXPECT_EQ(count("cuLaunchKernel"), 0u);
  EXPECT_EQ(count("cuMemAllocAsync"), 0u);
}

TEST_F(CudaLaunch, GridsPast65535InEveryDimensionAreOneDimensionOfBlocks) {
  Package package = cudaAddPackage();
  package.expressions = {Expression::of(3), Expression::of(70000)};
  package.variants[0].launches[0].grid = {0, 1};
  cuda.kernels.clear();
  OneToken call;
  call(Kernel::open(package));
  EXPECT_EQ(count("cuLaunchKernel add blocks=210000 threads=128 shared=0 stream=0x10 device=0"), 1u);
}

TEST_F(CudaLaunch, MoreThreadsThanTheCodeAllowsAreRefused) {
  cuda.most_threads = 96;
  Error error = errorOf([&] { OneToken()(Kernel::open(cudaAddPackage())); });
  EXPECT_EQ(error.code(), ErrorCode::corruptFile);
  EXPECT_STREQ(error.what(),
               "kernel 'add' of pattern 'sum2' is launched in blocks of 128 threads, and its code "
               "allows 96");
}

TEST_F(CudaLaunch, ArgumentsThatTheCodeDoesNotTakeAreRefused) {
  cuda.argument_bytes["add"] = 240;
  OneToken call;
  call(Kernel::open(cudaAddPackage()));
  cuda.argument_bytes["add"] = 248;
  Error error = errorOf([&] { call(Kernel::open(cudaAddPackage())); });
  EXPECT_EQ(error.code(), ErrorCode::corruptFile);
  EXPECT_STREQ(error.what(),
               "kernel 'add' of pattern 'sum2' takes 248 bytes of arguments, and its launch gives 240");
}

TEST_F(CudaLaunch, WhatTheDriverRefusesIsNamedWithItsReason) {
  Kernel kernel = Kernel::open(cudaAddPackage());
  OneToken call;
  cuda.failures["cuModuleLoadData"] = 2;
  EXPECT_STREQ(errorOf([&] { call(kernel); }).what(),
               "loading kernel 'add' of pattern 'sum2', compiled for sm_90a, on cuda:0 with a driver of "
               "CUDA 13.0: the CUDA driver says "
               "CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
  cuda.failures = {{"cuLaunchKernel", 719}};
  Error error = errorOf([&] { call(kernel); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_STREQ(error.what(), "launching kernel 'add' of pattern 'sum2': the CUDA driver says error 719");
  cuda.failures = {{"cuCtxGetCurrent", 3}};
  EXPECT_EQ(errorOf([&] { call(kernel); }).hint(),
            "a process that forked after its parent used CUDA cannot use it; start it anew instead");
  cuda.failures.clear();
  call(kernel); // and a later call finds everything in order
  EXPECT_EQ(call.o, std::vector<float>(12, 3));
}

} // namespace
