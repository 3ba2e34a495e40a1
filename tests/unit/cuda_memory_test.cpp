#include "runtime/core/cuda/device_buffer.h"
#include "runtime/core/cuda/driver.h"
#include "runtime/core/settings.h"
#include "tests/unit/cuda_fixture.h"
#include <array>

using namespace linmu;
using namespace linmu::test;

namespace {

using Calls = std::vector<std::string>;
using CudaDevices = CudaTest;
using CudaWorkspace = CudaTest;
using CudaTables = CudaTest;

void *const stream = reinterpret_cast<void *>(0x20);

std::string messageOf(const Kernel &kernel, std::array<TensorView, 2> inputs, TensorView result) {
  Error error = errorOf([&] { kernel(inputs, std::array{result}); });
  EXPECT_EQ(error.code(), ErrorCode::invalidArgument);
  return error.what();
}

TEST_F(CudaDevices, ATensorElsewhereIsNamedWithWhereItShouldBe) {
  Kernel on_cuda = Kernel::open(cudaAddPackage()), on_cpu = Kernel::open(addPackage());
  std::vector<float> x(12), y(12), o(12);
  auto at = [](std::vector<float> &data, int device) {
    return device < 0 ? view(data.data(), {1, 1, 3, 4}) : deviceView(data.data(), {1, 1, 3, 4}, device);
  };
  EXPECT_EQ(messageOf(on_cuda, {at(x, -1), at(y, -1)}, at(o, -1)),
            "operand 'x' of pattern 'sum2': expected a tensor on a CUDA device, got one on the CPU");
  EXPECT_EQ(messageOf(on_cuda, {at(x, -1), at(y, 1)}, at(o, 1)),
            "operand 'x' of pattern 'sum2': expected a tensor on cuda:1, got one on the CPU");
  EXPECT_EQ(messageOf(on_cuda, {at(x, 0), at(y, 1)}, at(o, 0)),
            "operand 'y' of pattern 'sum2': expected a tensor on cuda:0, got one on cuda:1");
  EXPECT_EQ(messageOf(on_cuda, {at(x, 0), at(y, 0)}, at(o, -1)),
            "result 'o' of pattern 'sum2': expected a tensor on cuda:0, got one on the CPU");
  EXPECT_EQ(messageOf(on_cpu, {at(x, -1), at(y, 0)}, at(o, -1)),
            "operand 'y' of pattern 'sum2': expected a tensor on the CPU, got one on cuda:0");
  EXPECT_EQ(messageOf(on_cuda, {at(x, 7), at(y, 7)}, at(o, 7)), "expected a CUDA device from 0 to 1, got 7");
  EXPECT_EQ(cuda.take(), Calls{});
}

TEST_F(CudaDevices, ResultsThatShareMemoryAreRefusedAsOnTheCpu) {
  Kernel kernel = Kernel::open(cudaAddPackage());
  std::vector<float> x(12), y(12);
  EXPECT_EQ(messageOf(kernel, {deviceView(x.data(), {1, 1, 3, 4}), deviceView(y.data(), {1, 1, 3, 4})},
                      deviceView(x.data(), {1, 1, 3, 4})),
            "result 'o' of pattern 'sum2': expected memory of its own, got an overlap with operand 'x'");
}

/// 'total' on one sequence of eight tokens.
struct Total {
  std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8}, o = {0};
  float operator()(const Kernel &kernel, const LaunchOptions &options) {
    kernel(std::array{deviceView(x.data(), {1, 8, 1, 1})}, std::array{deviceView(o.data(), {1, 1, 1, 1})},
           options);
    return o[0];
  }
};

TEST_F(CudaWorkspace, TheDriverGivesItInTheOrderOfTheStream) {
  Kernel kernel = Kernel::open(cudaTotalPackage());
  Total total;
  EXPECT_EQ(total(kernel, {.stream = stream}), 36);
  cuda.take();
  EXPECT_EQ(total(kernel, {.stream = stream}), 36);
  EXPECT_EQ(cuda.take(), (Calls{"cuCtxGetCurrent", "cuCtxPushCurrent 0", "cuStreamIsCapturing",
                                "cuMemAllocAsync 128 stream=0x20",
                                "cuLaunchKernel sum_part blocks=2 threads=128 shared=0 stream=0x20 device=0",
                                "cuLaunchKernel sum_whole blocks=1 threads=128 shared=0 stream=0x20 device=0",
                                "cuMemFreeAsync stream=0x20", "cuCtxPopCurrent"}));
  EXPECT_EQ(cuda.live_allocations, 0u);
}

TEST_F(CudaWorkspace, ItGoesBackWhenALaunchFails) {
  Kernel kernel = Kernel::open(cudaTotalPackage());
  cuda.failures["cuLaunchKernel"] = 2;
  errorOf([&] { Total()(kernel, {.stream = stream}); });
  EXPECT_EQ(cuda.live_allocations, 0u);
  EXPECT_EQ(count("cuMemFreeAsync"), 1u);
}

TEST_F(CudaWorkspace, ACapturingStreamNeedsOneFromTheCaller) {
  Kernel kernel = Kernel::open(cudaTotalPackage());
  cuda.capturing = {stream};
  Error error = errorOf([&] { Total()(kernel, {.stream = stream}); });
  EXPECT_EQ(error.code(), ErrorCode::invalidArgument);
  EXPECT_STREQ(error.what(),
               "pattern 'total': expected a workspace of 128 bytes for temporaries, or an allocator, "
               "while the stream captures a graph, got neither");
  EXPECT_EQ(error.hint(), "Kernel::workspaceBytes() says how much");
  EXPECT_EQ(count("cuLaunchKernel"), 0u);

  EXPECT_EQ(kernel.workspaceBytes(8), 128);
  alignas(64) std::byte workspace[128];
  cuda.take();
  EXPECT_EQ(Total()(kernel, {.stream = stream, .workspace = workspace, .workspace_bytes = 128}), 36);
  for (const std::string &call : cuda.take())
    EXPECT_TRUE(call.starts_with("cuCtx") || call.starts_with("cuLaunchKernel")) << call;
}

TEST_F(CudaWorkspace, AFirstLaunchInsideACaptureLoadsItsCodeWithTheCaptureRelaxed) {
  cuda.capturing = {stream};
  alignas(64) std::byte workspace[128];
  Total()(Kernel::open(cudaTotalPackage()),
          {.stream = stream, .workspace = workspace, .workspace_bytes = 128});
  EXPECT_EQ(count("cuModuleLoadData"), 2u);
  EXPECT_EQ(count("cuModuleLoadData 'sum_part' device=0 relaxed"), 1u);
  EXPECT_EQ(count("cuModuleLoadData 'sum_whole' device=0 relaxed"), 1u);
}

TEST_F(CudaWorkspace, WhereOneKernelCannotBeLoadedNoneStaysLoaded) {
  Package package = cudaTotalPackage();
  package.images[1] = fakeImage("sm_90a", "sum_whole", "another");
  Kernel kernel = Kernel::open(package);
  EXPECT_STREQ(errorOf([&] { Total()(kernel, {}); }).what(),
               "preparing kernel 'sum_whole' of pattern 'total': the CUDA driver says error 500");
  EXPECT_EQ(count("cuModuleLoadData"), 2u);
  EXPECT_EQ(count("cuModuleUnload 'sum_part' device=0"), 1u);
  EXPECT_EQ(count("cuModuleUnload 'another' device=0"), 1u);
  Total()(Kernel::open(cudaTotalPackage()), {});
  EXPECT_EQ(count("cuModuleUnload"), 2u); // what came through stays
}

TEST_F(CudaWorkspace, OneThatIsTooSmallOrNotAlignedIsRefused) {
  Kernel kernel = Kernel::open(cudaTotalPackage());
  alignas(64) std::byte workspace[256];
  EXPECT_STREQ(
      errorOf([&] {
        Total()(kernel, {.stream = stream, .workspace = workspace, .workspace_bytes = 127});
      }).what(),
      "pattern 'total': expected a workspace of 128 bytes for temporaries, aligned to 64 bytes, got 127 "
      "bytes at an address that is 0 past that");
  EXPECT_STREQ(
      errorOf([&] {
        Total()(kernel, {.stream = stream, .workspace = workspace + 4, .workspace_bytes = 252});
      }).what(),
      "pattern 'total': expected a workspace of 128 bytes for temporaries, aligned to 64 bytes, got 252 "
      "bytes at an address that is 4 past that");
}

TEST_F(CudaWorkspace, AnAllocatorIsAskedForTheStreamAndGetsItBack) {
  struct Recorder : DeviceAllocator {
    alignas(64) std::byte memory[128];
    std::vector<std::string> calls;
    void *allocate(std::int64_t bytes, std::int32_t device, void *on) override {
      calls.push_back("allocate " + std::to_string(bytes) + " on cuda:" + std::to_string(device) +
                      (on == stream ? "" : " on another stream"));
      return memory;
    }
    void release(void *given, std::int32_t, void *on) noexcept override {
      calls.push_back(given == memory && on == stream ? "release" : "release of something else");
    }
  } recorder;
  cuda.capturing = {stream};
  EXPECT_EQ(Total()(Kernel::open(cudaTotalPackage()), {.stream = stream, .allocator = &recorder}), 36);
  EXPECT_EQ(recorder.calls, (Calls{"allocate 128 on cuda:0", "release"}));
  EXPECT_EQ(count("cuMemAllocAsync"), 0u);
}

TEST_F(CudaWorkspace, CallsWithoutTemporariesNeedNone) {
  EXPECT_EQ(Kernel::open(cudaAddPackage()).workspaceBytes(1000), 0);
  // A variant that uses none of the package's temporaries needs none of them.
  Package package = cudaTotalPackage();
  package.variants[0].launches[0].operands[1] = {Binding::input, 0};
  package.variants[0].launches[1].operands[0] = {Binding::input, 0};
  EXPECT_EQ(Kernel::open(package).workspaceBytes(7), 0);
  EXPECT_EQ(Kernel::open(package).workspaceBytes(8), 128);
}

TEST_F(CudaWorkspace, BuffersCarryOperandsThereAndResultsBack) {
  Kernel kernel = Kernel::open(cudaTotalPackage());
  std::vector<float> x = {1, 2, 3, 4}, o = {0};
  {
    cuda::DeviceBuffer on_device(1, 16), result(1, 4), nothing(1, 0);
    on_device.upload(std::as_bytes(std::span(x)));
    nothing.upload({});
    kernel(std::array{on_device.view(view(nullptr, {1, 4, 1, 1}))},
           std::array{result.view(view(nullptr, {1, 1, 1, 1}))});
    result.download(std::as_writable_bytes(std::span(o)));
  }
  EXPECT_EQ(o[0], 10);
  EXPECT_EQ(cuda.live_allocations, 0u);
  EXPECT_EQ(count("cuMemAllocAsync"), 3u); // and the temporaries
  EXPECT_EQ(count("cuLaunchKernel"), 2u);
  cuda.failures["cuMemAllocAsync"] = 2;
  EXPECT_STREQ(
      errorOf([] { cuda::DeviceBuffer(0, 1 << 20); }).what(),
      "allocating 1048576 bytes on cuda:0: the CUDA driver says CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
}

/// sum2 whose operands are a token order and a result that nothing writes.
Package orderPackage() {
  Package package = cudaAddPackage();
  package.signature.inputs = {
      {"order", DType::i32, {{Extent::batch, 0}, {Extent::tokens, 0}}, OperandSpec::tokenOrder}};
  package.variants[0].launches[0].operands = {{Binding::input, 0}, {Binding::result, 0}};
  return package;
}

struct Ordered {
  std::vector<std::int32_t> order;
  std::vector<float> o = std::vector<float>(24);
  void operator()(const Kernel &kernel) {
    TensorView table{order.data(), DType::i32, 2, {1, 2}, {2, 1}, {Device::cuda, 0}};
    kernel(std::array{table}, std::array{deviceView(o.data(), {1, 2, 3, 4})}, {.stream = stream});
  }
};

TEST_F(CudaTables, AreNotReadByALaunch) {
  cuda.kernels.clear();
  Kernel kernel = Kernel::open(orderPackage());
  Ordered{{5, 5}}(kernel);
  EXPECT_EQ(count("cuMemcpyDtoHAsync"), 0u);
  EXPECT_EQ(count("cuStreamSynchronize"), 0u);
  EXPECT_EQ(count("cuLaunchKernel"), 1u);
}

TEST_F(CudaTables, AreReadAndCheckedUnderTheSetting) {
  cuda.kernels.clear();
  Kernel kernel = Kernel::open(orderPackage());
  Settings checking = Settings::current();
  checking.check_tables = true;
  ScopedSettings scope(checking);
  Ordered{{1, 0}}(kernel);
  EXPECT_EQ(count("cuLaunchKernel"), 1u);
  cuda.take();
  Error error = errorOf([&] { Ordered{{1, 5}}(kernel); });
  EXPECT_EQ(error.code(), ErrorCode::invalidArgument);
  EXPECT_STREQ(error.what(),
               "operand 'order' of pattern 'sum2': expected each token of 0 to 1 once, got 5 at "
               "position 1 of sequence 0");
  EXPECT_EQ(cuda.take(),
            (Calls{"cuCtxGetCurrent", "cuCtxPushCurrent 0", "cuStreamIsCapturing",
                   "cuMemcpyDtoHAsync 8 stream=0x20", "cuStreamSynchronize stream=0x20", "cuCtxPopCurrent"}));
  cuda.capturing = {stream};
  error = errorOf([&] { Ordered{{1, 0}}(kernel); });
  EXPECT_STREQ(error.what(),
               "operand 'order' of pattern 'sum2': LINMU_CHECK_TABLES=1 waits for its entries, which a "
               "stream that captures a graph cannot");
}

TEST_F(CudaTables, AreCheckedOnTheHostWhereTheyAreMade) {
  Kernel kernel = Kernel::open(orderPackage());
  std::vector<std::int32_t> order = {0, 2, 1};
  TensorView table{order.data(), DType::i32, 2, {1, 3}, {3, 1}};
  kernel.checkTable("order", table, 3);
  order[2] = 2;
  EXPECT_STREQ(
      errorOf([&] { kernel.checkTable("order", table, 3); }).what(),
      "operand 'order' of pattern 'sum2': expected each token of 0 to 2 once, got 2 again at position 2 of "
      "sequence 0");
  EXPECT_STREQ(errorOf([&] { kernel.checkTable("order", table, 4); }).what(),
               "operand 'order' of pattern 'sum2': expected an order of 4 tokens, got one of 3");
  EXPECT_STREQ(errorOf([&] { kernel.checkTable("o", table, 3); }).what(),
               "pattern 'sum2' has no token order or media table 'o'");
  table.device = {Device::cuda, 0};
  EXPECT_STREQ(errorOf([&] { kernel.checkTable("order", table, 3); }).what(),
               "operand 'order' of pattern 'sum2': expected a tensor on the CPU, got one on cuda:0");
  EXPECT_EQ(cuda.take(), Calls{});
}

TEST(CudaDriver, AMachineWithoutOneSaysSoInOneSentence) {
  Error error = errorOf([] { cuda::Driver::load("libcuda-of-nobody.so.1"); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_STREQ(error.what(),
               "CUDA needs NVIDIA's driver, which this machine lacks: libcuda-of-nobody.so.1: cannot "
               "open shared object file: No such file or directory");
}

TEST(CudaDriver, ALibraryThatIsNoneOrTooOldIsNamed) {
  Error error = errorOf([] { cuda::Driver::load("libm.so.6"); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_STREQ(error.what(), "CUDA needs a driver of CUDA 11.2 or later: 'libm.so.6' has no cuInit");
}

TEST_F(CudaDevices, ADriverThatFindsNoGpuSaysSo) {
  cuda.failures["cuInit"] = 100;
  Error error = errorOf([] { cuda::Driver::load(LINMU_FAKE_CUDA_DRIVER); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_STREQ(error.what(), "CUDA needs a GPU, and the driver finds none");
}

} // namespace
