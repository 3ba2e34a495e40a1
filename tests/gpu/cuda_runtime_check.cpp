// The runtime for CUDA on a real GPU, with kernels written by hand (hand_written_kernels.h).
//
//   cuda_runtime_check package FOLDER [ARCHITECTURE...]   writes sum2.lmk and total.lmk; needs NVRTC and no
//   GPU cuda_runtime_check run FOLDER                         runs them; needs a GPU and no NVRTC
//
// `run` prints a line a check and exits with 1 if one fails.
#include "runtime/core/byte_stream.h"
#include "runtime/core/cuda/devices.h"
#include "runtime/core/error.h"
#include "runtime/core/kernel.h"
#include "runtime/jit/cuda_images.h"
#include "tests/gpu/gpu.h"
#include "tests/gpu/hand_written_kernels.h"
#include "tests/unit/runtime_fixture.h"
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <thread>

using namespace linmu;
using namespace linmu::test;

namespace {

int failures = 0;

void check(const char *what, bool holds) {
  std::printf("%s  %s\n", holds ? "ok    " : "FAILED", what);
  std::fflush(stdout);
  failures += !holds;
}

void writePackages(const std::filesystem::path &folder, std::vector<std::string> names) {
  if (names.empty())
    names = {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120"};
  std::vector<cuda::Architecture> architectures;
  for (const std::string &name : names)
    architectures.push_back(jit::Target::parse("cuda:" + name).architectures[0]);
  std::filesystem::create_directories(folder);
  for (const Package &package : {cudaAddPackage(), cudaTotalPackage()}) {
    jit::ImageCounts counts;
    std::vector<std::byte> bytes =
        serialize(jit::withImages(handWritten(package), architectures, nullptr, counts));
    std::filesystem::path file = folder / (package.signature.name + ".lmk");
    std::ofstream stream(file, std::ios::binary);
    stream.write(reinterpret_cast<const char *>(bytes.data()), std::streamsize(bytes.size()));
    if (!stream.flush())
      throw Error(ErrorCode::io, "cannot write " + file.string());
    std::printf("%s: %zu bytes\n", file.c_str(), bytes.size());
  }
}

Kernel openPackage(const std::filesystem::path &file) {
  std::ifstream stream(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  return Kernel::open(deserialize(std::as_bytes(std::span(bytes)), file.string()));
}

/// A tensor of f32 on a device.
struct DeviceTensor {
  TensorView view;
  std::size_t count = 1;

  DeviceTensor(Gpu &gpu, int device, std::initializer_list<std::int64_t> sizes) {
    view = test::view(nullptr, sizes);
    for (std::int64_t size : sizes)
      count *= std::size_t(size);
    view.data = gpu.allocate(count * sizeof(float));
    view.device = {Device::cuda, device};
  }
  void fill(Gpu &gpu, float first, float step) {
    std::vector<float> host(count);
    for (std::size_t i = 0; i < count; ++i)
      host[i] = first + step * float(i % 4096);
    gpu.upload(view.data, host.data(), count * sizeof(float));
  }
  std::vector<float> read(Gpu &gpu) const {
    std::vector<float> host(count);
    gpu.download(host.data(), view.data, count * sizeof(float));
    return host;
  }
};

/// sum2 on [batch, tokens, 3, 4], y with a batch of 1.
struct Sum {
  DeviceTensor x, y, o;
  Sum(Gpu &gpu, int device, std::int64_t batch, std::int64_t tokens)
      : x(gpu, device, {batch, tokens, 3, 4}), y(gpu, device, {1, tokens, 3, 4}),
        o(gpu, device, {batch, tokens, 3, 4}) {
    x.fill(gpu, 1, 2);
    y.fill(gpu, 5, 3);
    o.fill(gpu, -1, 0);
    gpu.synchronize();
  }
  void launch(const Kernel &kernel, void *stream) const {
    kernel(std::array{x.view, y.view}, std::array{o.view}, {.stream = stream});
  }
  bool isRight(Gpu &gpu) const {
    std::vector<float> a = x.read(gpu), b = y.read(gpu), sum = o.read(gpu);
    for (std::size_t i = 0; i < sum.size(); ++i)
      if (sum[i] != a[i] + b[i % b.size()])
        return false;
    return true;
  }
};

void checkStreams(Gpu &gpu, int device, const Kernel &sum) {
  Sum first(gpu, device, 3, 1001), second(gpu, device, 2, 777);
  void *one = gpu.createStream(), *other = gpu.createStream();
  first.launch(sum, one);
  second.launch(sum, other);
  gpu.synchronize(one);
  gpu.synchronize(other);
  check("two streams: broadcast batches, grids of two dimensions", first.isRight(gpu) && second.isRight(gpu));

  Sum wide(gpu, device, 70000, 3);
  wide.launch(sum, one);
  gpu.synchronize(one);
  check("a grid of 70,000 in its second dimension", wide.isRight(gpu));
}

void checkCapture(Gpu &gpu, int device, const std::filesystem::path &folder) {
  void *stream = gpu.createStream();
  Kernel sum = openPackage(folder / "sum2.lmk"); // opened anew: its code is loaded inside the capture
  Sum captured(gpu, device, 2, 333);
  gpu.beginCapture(stream);
  captured.launch(sum, stream);
  void *graph = gpu.endCapture(stream);
  gpu.synchronize(stream);
  check("a capture runs nothing", captured.o.read(gpu)[0] == -1);
  gpu.launchGraph(graph, stream);
  gpu.synchronize(stream);
  check("a graph that was captured with the first launch of a kernel", captured.isRight(gpu));

  Kernel total = openPackage(folder / "total.lmk");
  DeviceTensor x(gpu, device, {2, 1000, 1, 1}), o(gpu, device, {2, 1, 1, 1});
  x.fill(gpu, 1, 1);
  std::vector<float> host = x.read(gpu);
  float first = std::accumulate(host.begin(), host.begin() + 1000, 0.0f);
  float second = std::accumulate(host.begin() + 1000, host.end(), 0.0f);
  auto run = [&](const LaunchOptions &options) { total(std::array{x.view}, std::array{o.view}, options); };
  auto isRight = [&] {
    gpu.synchronize(stream);
    std::vector<float> sums = o.read(gpu);
    o.fill(gpu, 0, 0);
    return sums[0] == first && sums[1] == second;
  };
  run({.stream = stream});
  check("temporaries from the driver, in the order of the stream", isRight());
  bool refused = false;
  gpu.beginCapture(stream);
  try {
    run({.stream = stream});
  } catch (const Error &) {
    refused = true;
  }
  gpu.endCapture(stream);
  check("temporaries without a workspace are refused in a capture, which goes on", refused);
  std::int64_t bytes = total.workspaceBytes(1000, 2);
  void *workspace = gpu.allocate(std::size_t(bytes));
  gpu.beginCapture(stream);
  run({.stream = stream, .workspace = workspace, .workspace_bytes = bytes});
  graph = gpu.endCapture(stream);
  gpu.launchGraph(graph, stream);
  check("two launches and a workspace in a graph", isRight());
}

/// Elements of x and of the result lie more than 2^31 elements apart.
void checkFarOffsets(Gpu &gpu, int device, const Kernel &sum) {
  constexpr std::int64_t far = (std::int64_t(1) << 31) + 4096;
  void *memory = nullptr;
  try {
    memory = gpu.allocate(std::size_t(far + 4096) * sizeof(float) * 2);
  } catch (const std::exception &) {
    std::printf("skipped offsets past 2^31: not 18 GB of memory\n");
    return;
  }
  Sum near(gpu, device, 2, 5);
  auto *x = static_cast<float *>(memory), *o = x + far + 4096;
  std::vector<float> host = near.x.read(gpu), zeros(60);
  gpu.upload(x, host.data(), 60 * sizeof(float));
  gpu.upload(x + far, host.data() + 60, 60 * sizeof(float));
  TensorView x_view = near.x.view, o_view = near.o.view;
  x_view.data = x;
  o_view.data = o;
  x_view.strides[0] = o_view.strides[0] = far;
  sum(std::array{x_view, near.y.view}, std::array{o_view}, {});
  gpu.synchronize();
  std::vector<float> result(120), y = near.y.read(gpu);
  gpu.download(result.data(), o, 60 * sizeof(float));
  gpu.download(result.data() + 60, o + far, 60 * sizeof(float));
  bool right = true;
  for (std::size_t i = 0; i < 120; ++i)
    right = right && result[i] == host[i] + y[i % 60];
  check("strides past 2^31 elements", right);
  gpu.free(memory);
}

void checkThreads(Gpu &gpu, int device, const std::filesystem::path &folder) {
  Kernel sum = openPackage(folder / "sum2.lmk");
  std::vector<std::unique_ptr<Sum>> work;
  std::vector<void *> streams;
  for (int i = 0; i < 8; ++i) {
    work.push_back(std::make_unique<Sum>(gpu, device, 1, 100 + i));
    streams.push_back(gpu.createStream());
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] { // without a current context of its own
      for (int turn = 0; turn < 100; ++turn)
        work[std::size_t(i)]->launch(sum, streams[std::size_t(i)]);
    });
  for (std::thread &thread : threads)
    thread.join();
  gpu.synchronize();
  check("eight threads that load and launch one kernel at once",
        std::all_of(work.begin(), work.end(), [&](auto &one) { return one->isRight(gpu); }));
}

void measure(Gpu &gpu, int device, const Kernel &sum, const Kernel &total) {
  void *stream = gpu.createStream();
  Sum small(gpu, device, 1, 1);
  DeviceTensor x(gpu, device, {1, 1000, 1, 1}), o(gpu, device, {1, 1, 1, 1});
  std::int64_t bytes = total.workspaceBytes(1000);
  void *workspace = gpu.allocate(std::size_t(bytes));
  auto report = [&](const char *what, auto &&launch) {
    std::vector<double> microseconds;
    for (int batch = 0; batch < 41; ++batch) {
      gpu.synchronize(stream);
      auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < 100; ++i) // few enough that the queue never fills
        launch();
      microseconds.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / 100);
    }
    std::sort(microseconds.begin(), microseconds.end());
    std::printf("launch, %s: %.2f us (median; best %.2f)\n", what, microseconds[20], microseconds[0]);
    return microseconds[20];
  };
  double one = report("one kernel", [&] { small.launch(sum, stream); });
  report("two kernels, workspace given", [&] {
    total(std::array{x.view}, std::array{o.view},
          {.stream = stream, .workspace = workspace, .workspace_bytes = bytes});
  });
  report("two kernels, memory from the driver",
         [&] { total(std::array{x.view}, std::array{o.view}, {.stream = stream}); });
  check("a launch takes at most 5 us", one <= 5);
}

void checkOtherDevice(const Kernel &sum) {
  if (Gpu::count() < 2) {
    std::printf("skipped a second device: there is one\n");
    return;
  }
  Gpu other(1);
  Sum there(other, 1, 2, 100);
  Gpu first(0); // current on this thread while the launch goes to the other
  there.launch(sum, nullptr);
  Gpu(1).synchronize();
  check("a second device, while the first is current", there.isRight(other));
  Gpu back(0);
  Sum here(back, 0, 2, 100);
  std::string message;
  try {
    sum(std::array{here.x.view, there.y.view}, std::array{here.o.view});
  } catch (const Error &error) {
    message = error.what();
  }
  check("operands on two devices are refused",
        message == "operand 'y' of pattern 'sum2': expected a tensor on cuda:0, got one on cuda:1");
}

int run(const std::filesystem::path &folder) {
  for (std::size_t i = 0; i < cuda::devices().size(); ++i) {
    const cuda::DeviceInfo &device = cuda::devices()[i];
    std::printf("cuda:%zu: %s, %s, %d multiprocessors, %lld bytes of shared memory a block\n", i,
                device.name.c_str(), device.architecture().name().c_str(), device.multiprocessors,
                static_cast<long long>(device.shared_per_block));
  }
  Kernel sum = openPackage(folder / "sum2.lmk"), total = openPackage(folder / "total.lmk");
  Gpu gpu(0);
  checkStreams(gpu, 0, sum);
  checkCapture(gpu, 0, folder);
  checkThreads(gpu, 0, folder);
  checkFarOffsets(gpu, 0, sum);
  checkOtherDevice(sum);
  Gpu again(0);
  measure(again, 0, sum, total);
  std::printf("%s\n", failures ? "FAILED" : "all checks hold");
  return failures ? 1 : 0;
}

} // namespace

int main(int argc, char **argv) {
  try {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() >= 2 && arguments[0] == "package")
      return writePackages(arguments[1], {arguments.begin() + 2, arguments.end()}), 0;
    if (arguments.size() == 2 && arguments[0] == "run")
      return run(arguments[1]);
    std::fprintf(stderr, "usage: cuda_runtime_check package FOLDER [ARCHITECTURE...]\n"
                         "       cuda_runtime_check run FOLDER\n");
  } catch (const std::exception &error) {
    std::fprintf(stderr, "cuda_runtime_check: error: %s\n", error.what());
  }
  return 1;
}
