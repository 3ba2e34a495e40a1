#include "runtime/core/c_api.h"
#include "tests/unit/runtime_fixture.h"
#include "tests/unit/temporary_folder.h"
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <memory>
#include <sys/stat.h>
#include <thread>

using namespace linmu;
using namespace linmu::test;

namespace {

struct Closer {
  void operator()(linmu_kernel *kernel) const { linmu_kernel_close(kernel); }
};
using Handle = std::unique_ptr<linmu_kernel, Closer>;

Handle opened(const Package &package) {
  std::vector<std::byte> bytes = serialize(package);
  linmu_kernel *kernel = nullptr;
  EXPECT_EQ(linmu_kernel_open_memory(bytes.data(), bytes.size(), &kernel), LINMU_OK) << linmu_last_error();
  return Handle(kernel);
}

linmu_operand toBeFilled() {
  linmu_operand operand{};
  operand.struct_size = sizeof operand;
  return operand;
}

linmu_launch_options noOptions() {
  linmu_launch_options options{};
  options.struct_size = sizeof options;
  return options;
}

/// A contiguous f32 tensor on the CPU that owns its memory.
struct Tensor {
  explicit Tensor(std::vector<std::int64_t> extents, float value = 0) : shape(std::move(extents)) {
    std::int64_t count = 1;
    for (std::int64_t extent : shape)
      count *= extent;
    values.assign(std::size_t(count), value);
    dl = {values.data(), {1, 0}, std::int32_t(shape.size()), {2, 32, 1}, shape.data(), nullptr, 0};
  }
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  DLTensor dl;
};

/// One call of 'sum2' (o = x + y), each operand [1, 2, 3, 4].
struct SumCall {
  Handle kernel = opened(addPackage());
  Tensor x{{1, 2, 3, 4}, 1}, y{{1, 2, 3, 4}, 2}, o{{1, 2, 3, 4}};
  const DLTensor *inputs[2] = {&x.dl, &y.dl};
  DLTensor *results[1] = {&o.dl};

  linmu_status launch(const linmu_launch_options *options = nullptr) {
    return linmu_kernel_launch(kernel.get(), inputs, 2, results, 1, options);
  }
};

void expectFailure(linmu_status status, linmu_status expected, const std::string &message) {
  EXPECT_EQ(status, expected);
  EXPECT_EQ(std::string(linmu_last_error()), message);
}

TEST(CApi, RunsAPackageFromMemory) {
  SumCall call;
  ASSERT_EQ(call.launch(), LINMU_OK) << linmu_last_error();
  EXPECT_EQ(call.o.values, std::vector<float>(24, 3));
  linmu_launch_options options = noOptions();
  options.threads = 2;
  call.x.values.assign(24, 5);
  ASSERT_EQ(call.launch(&options), LINMU_OK) << linmu_last_error();
  EXPECT_EQ(call.o.values, std::vector<float>(24, 7));
}

TEST(CApi, StridesAndByteOffsetsAreThoseOfDLPack) {
  SumCall call;
  // Every second row of three of a [1, 2, 6, 4], from its second row on.
  Tensor wide({1, 2, 6, 4}, 9);
  for (std::size_t i = 0; i < wide.values.size(); ++i)
    wide.values[i] = float(i);
  std::int64_t strides[] = {48, 24, 8, 1};
  call.x.dl.data = wide.values.data();
  call.x.dl.byte_offset = 4 * sizeof(float);
  call.x.dl.strides = strides;
  ASSERT_EQ(call.launch(), LINMU_OK) << linmu_last_error();
  EXPECT_EQ(call.o.values[0], 6);
  EXPECT_EQ(call.o.values[4], 14);
  EXPECT_EQ(call.o.values[12], 30);
}

TEST(CApi, TheSignatureIsThatOfThePackage) {
  Package package = totalPackage();
  Handle kernel = opened(package);
  EXPECT_STREQ(linmu_kernel_name(kernel.get()), "total");
  EXPECT_EQ(linmu_kernel_target(kernel.get()), package.target);
  EXPECT_EQ(linmu_kernel_device_type(kernel.get()), 1);
  EXPECT_EQ(linmu_kernel_input_count(kernel.get()), 1u);
  EXPECT_EQ(linmu_kernel_result_count(kernel.get()), 1u);
  linmu_operand operand = toBeFilled();
  ASSERT_EQ(linmu_kernel_input(kernel.get(), 0, &operand), LINMU_OK);
  EXPECT_STREQ(operand.name, "x");
  ASSERT_EQ(operand.ndim, 4);
  EXPECT_EQ(operand.shape[0].kind, LINMU_EXTENT_BATCH);
  EXPECT_EQ(operand.shape[1].kind, LINMU_EXTENT_TOKENS);
  EXPECT_EQ(operand.shape[2].kind, LINMU_EXTENT_CONSTANT);
  EXPECT_EQ(operand.shape[2].value, 1);
  EXPECT_EQ(operand.in_place_of, -1);
  EXPECT_EQ(operand.struct_size, sizeof operand);
  const char *algorithm = nullptr;
  ASSERT_EQ(linmu_kernel_algorithm(kernel.get(), 100, 1, &algorithm), LINMU_OK);
  EXPECT_STREQ(algorithm, "two launches");
}

TEST(CApi, EveryElementTypeIsDescribedAsDLPackWritesIt) {
  for (auto [type, code, bits] : {std::tuple(DType::f32, 2, 32),
                                  {DType::bf16, 4, 16},
                                  {DType::f16, 2, 16},
                                  {DType::i32, 0, 32},
                                  {DType::i1, 6, 8}}) {
    Package package = addPackage();
    package.signature.inputs[1].dtype = type;
    Handle kernel = opened(package);
    linmu_operand operand = toBeFilled();
    ASSERT_EQ(linmu_kernel_input(kernel.get(), 1, &operand), LINMU_OK);
    EXPECT_EQ(operand.dtype.code, code);
    EXPECT_EQ(operand.dtype.bits, bits);
    EXPECT_EQ(operand.dtype.lanes, 1);
  }
}

TEST(CApi, TheShapeOfAResultFollowsFromTheInputs) {
  Tensor x({3, 7, 1, 1});
  const DLTensor *inputs[] = {&x.dl};
  std::int64_t shape[6] = {};
  Handle kernel = opened(totalPackage());
  ASSERT_EQ(linmu_kernel_result_shape(kernel.get(), inputs, 1, 0, shape), LINMU_OK) << linmu_last_error();
  EXPECT_EQ(std::vector(shape, shape + 4), (std::vector<std::int64_t>{3, 1, 1, 1}));
  // No input says how many tokens there are.
  Handle alone = opened(resultOnlyPackage("touch"));
  ASSERT_EQ(linmu_kernel_result_shape(alone.get(), nullptr, 0, 0, shape), LINMU_OK) << linmu_last_error();
  EXPECT_EQ(std::vector(shape, shape + 4), (std::vector<std::int64_t>{-1, -1, 1, 1}));
  expectFailure(linmu_kernel_result_shape(kernel.get(), inputs, 1, 1, shape), LINMU_INVALID_ARGUMENT,
                "pattern 'total': expected the index of one of 1 results, got 1");
}

TEST(CApi, TheWorkspaceOfALaunchIsThatOfItsTemporaries) {
  std::int64_t bytes = -1;
  Handle kernel = opened(addPackage());
  ASSERT_EQ(linmu_kernel_workspace_bytes(kernel.get(), 100, 2, 1, &bytes), LINMU_OK) << linmu_last_error();
  EXPECT_EQ(bytes, 0);
  Handle parts = opened(totalPackage());
  ASSERT_EQ(linmu_kernel_workspace_bytes(parts.get(), 100, 2, 1, &bytes), LINMU_OK) << linmu_last_error();
  EXPECT_GT(bytes, 0);
  expectFailure(linmu_kernel_workspace_bytes(parts.get(), -1, 2, 1, &bytes), LINMU_INVALID_ARGUMENT,
                "pattern 'total': expected 0 or more tokens, got -1");
}

TEST(CApi, TensorsThatDoNotFitAreNamed) {
  SumCall call;
  call.y.dl.device.device_type = 2;
  expectFailure(call.launch(), LINMU_INVALID_ARGUMENT,
                "operand 'y' of pattern 'sum2': expected a tensor on the CPU, got one on cuda:0");
  call.y.dl.device.device_type = 8;
  expectFailure(call.launch(), LINMU_UNSUPPORTED,
                "operand 'y' of pattern 'sum2': expected a tensor on the CPU or a CUDA device, got device "
                "type 8 (Metal)");
  call.y.dl.device.device_type = 77;
  expectFailure(
      call.launch(), LINMU_UNSUPPORTED,
      "operand 'y' of pattern 'sum2': expected a tensor on the CPU or a CUDA device, got device type 77");
  call.y.dl.device.device_type = 1;
  call.y.dl.dtype = {2, 64, 1};
  expectFailure(call.launch(), LINMU_INVALID_ARGUMENT,
                "operand 'y' of pattern 'sum2': expected elements of type f32, got float64");
  call.y.dl.dtype = {4, 16, 1};
  expectFailure(call.launch(), LINMU_INVALID_ARGUMENT,
                "operand 'y' of pattern 'sum2': expected dtype f32, got bf16");
  call.y.dl.dtype = {2, 32, 1};
  call.y.dl.ndim = 7;
  expectFailure(call.launch(), LINMU_INVALID_ARGUMENT,
                "operand 'y' of pattern 'sum2': expected at most 6 axes, got 7");
  call.y.dl.ndim = 4;
  call.y.dl.shape = nullptr;
  expectFailure(call.launch(), LINMU_INVALID_ARGUMENT,
                "operand 'y' of pattern 'sum2': expected a shape, got a null pointer");
  call.y.dl.shape = call.y.shape.data();
  call.y.dl.data = nullptr;
  call.y.dl.byte_offset = 64;
  expectFailure(call.launch(), LINMU_INVALID_ARGUMENT,
                "operand 'y' of pattern 'sum2': expected data, got a null pointer");
  call.y.dl.data = call.y.values.data();
  call.y.dl.byte_offset = 0;
  for (std::int64_t extent : {std::int64_t(-1), std::numeric_limits<std::int64_t>::max()}) {
    call.y.shape[1] = extent;
    EXPECT_EQ(call.launch(), LINMU_INVALID_ARGUMENT);
  }
  call.y.shape[1] = 2;
  call.inputs[1] = nullptr;
  expectFailure(call.launch(), LINMU_INVALID_ARGUMENT,
                "operand 'y' of pattern 'sum2': expected a tensor, got NULL");
  call.inputs[1] = &call.y.dl;
  call.results[0] = &call.x.dl;
  EXPECT_EQ(call.launch(), LINMU_INVALID_ARGUMENT) << "a result in the memory of an input";
  call.results[0] = &call.o.dl;
  EXPECT_EQ(call.o.values, std::vector<float>(24, 0)) << "nothing is written before all operands are checked";
  EXPECT_EQ(call.launch(), LINMU_OK) << linmu_last_error();
}

TEST(CApi, CountsPointersAndStructSizesAreChecked) {
  SumCall call;
  linmu_kernel *kernel = call.kernel.get();
  expectFailure(linmu_kernel_launch(kernel, call.inputs, 1, call.results, 1, nullptr), LINMU_INVALID_ARGUMENT,
                "pattern 'sum2': expected 2 inputs, got 1");
  expectFailure(linmu_kernel_launch(kernel, call.inputs, 2, call.results, 0, nullptr), LINMU_INVALID_ARGUMENT,
                "pattern 'sum2': expected 1 results, got 0");
  expectFailure(linmu_kernel_launch(kernel, nullptr, 2, call.results, 1, nullptr), LINMU_INVALID_ARGUMENT,
                "inputs: expected a pointer, got NULL");
  expectFailure(linmu_kernel_launch(nullptr, call.inputs, 2, call.results, 1, nullptr),
                LINMU_INVALID_ARGUMENT, "kernel: expected a pointer, got NULL");
  expectFailure(linmu_kernel_input(kernel, 2, nullptr), LINMU_INVALID_ARGUMENT,
                "linmu_operand: expected a pointer, got NULL");
  linmu_operand operand{};
  expectFailure(linmu_kernel_input(kernel, 0, &operand), LINMU_INVALID_ARGUMENT,
                "linmu_operand: expected struct_size to be sizeof(linmu_operand), at least " +
                    std::to_string(sizeof operand) + ", got 0");
  operand.struct_size = sizeof operand;
  expectFailure(linmu_kernel_input(kernel, 2, &operand), LINMU_INVALID_ARGUMENT,
                "pattern 'sum2': expected the index of one of 2 inputs, got 2");
  linmu_launch_options options{};
  EXPECT_EQ(call.launch(&options), LINMU_INVALID_ARGUMENT);
  options = noOptions();
  options.threads = -1;
  expectFailure(call.launch(&options), LINMU_INVALID_ARGUMENT,
                "pattern 'sum2': expected 0 to 4096 threads, got -1");
  expectFailure(linmu_kernel_algorithm(kernel, 4, 1, nullptr), LINMU_INVALID_ARGUMENT,
                "algorithm: expected a pointer, got NULL");
  expectFailure(linmu_kernel_open_memory(nullptr, 0, &kernel), LINMU_INVALID_ARGUMENT,
                "bytes: expected a pointer, got NULL");
  EXPECT_EQ(kernel, nullptr);
  expectFailure(linmu_kernel_open_file("x.lmk", nullptr), LINMU_INVALID_ARGUMENT,
                "kernel: expected a pointer, got NULL");
  linmu_kernel_close(nullptr);
  EXPECT_EQ(linmu_kernel_name(nullptr), nullptr);
  EXPECT_EQ(linmu_kernel_device_type(nullptr), 0);
  EXPECT_EQ(linmu_kernel_input_count(nullptr), 0u);
}

// A program that was compiled against a later header hands over a longer struct.
TEST(CApi, MembersThatTheLibraryDoesNotKnowStayAsTheyAre) {
  struct Later {
    linmu_operand known;
    std::int64_t later;
  } later{toBeFilled(), 77};
  later.known.struct_size = sizeof later;
  Handle kernel = opened(addPackage());
  ASSERT_EQ(linmu_kernel_input(kernel.get(), 1, &later.known), LINMU_OK);
  EXPECT_STREQ(later.known.name, "y");
  EXPECT_EQ(later.later, 77);
  EXPECT_EQ(later.known.struct_size, sizeof(Later));
}

TEST(CApi, FilesThatAreNoPackageAreRefusedWithTheReason) {
  TemporaryFolder folder;
  const auto file = [&](const std::string &name) { return (folder.path() / name).string(); };
  const auto write = [&](const std::string &name, const std::string &content) {
    std::ofstream(file(name), std::ios::binary) << content;
  };
  linmu_kernel *kernel = nullptr;
  const auto open = [&](const std::string &name) {
    return linmu_kernel_open_file(file(name).c_str(), &kernel);
  };
  expectFailure(open("none.lmk"), LINMU_IO,
                "cannot read " + file("none.lmk") + ": No such file or directory");
  expectFailure(open(""), LINMU_IO, "cannot read " + file("") + ": it is a folder");
  ASSERT_EQ(::mkfifo(file("fifo.lmk").c_str(), 0600), 0);
  expectFailure(open("fifo.lmk"), LINMU_IO, "cannot read " + file("fifo.lmk") + ": it is not a regular file");
  write("empty.lmk", "");
  expectFailure(open("empty.lmk"), LINMU_CORRUPT_FILE, file("empty.lmk") + ": is not a kernel package");
  write("text.lmk", "func.func @f() {}\n");
  expectFailure(open("text.lmk"), LINMU_CORRUPT_FILE, file("text.lmk") + ": is not a kernel package");
  std::vector<std::byte> bytes = serialize(addPackage());
  std::string content(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  write("whole.lmk", content);
  ASSERT_EQ(open("whole.lmk"), LINMU_OK) << linmu_last_error();
  linmu_kernel_close(kernel);
  content.back() ^= 1;
  write("damaged.lmk", content);
  expectFailure(open("damaged.lmk"), LINMU_CORRUPT_FILE,
                file("damaged.lmk") +
                    ": the checksum does not fit the content; the file is damaged or incomplete");
  EXPECT_EQ(kernel, nullptr);
}

TEST(CApi, CodeForAnotherMachineIsRefused) {
  linmu_kernel *kernel = nullptr;
  Package package = addPackage();
  package.target = "cpu:riscv64-unknown-linux-gnu:any";
  std::vector<std::byte> bytes = serialize(package);
  EXPECT_EQ(linmu_kernel_open_memory(bytes.data(), bytes.size(), &kernel), LINMU_UNSUPPORTED);
  EXPECT_EQ(kernel, nullptr);
}

TEST(CApi, EachThreadHasItsOwnLastError) {
  linmu_kernel *kernel = nullptr;
  ASSERT_EQ(linmu_kernel_open_memory("x", 1, &kernel), LINMU_CORRUPT_FILE);
  const std::string mine = linmu_last_error();
  std::thread([&] {
    EXPECT_STREQ(linmu_last_error(), "");
    linmu_kernel *other = nullptr;
    EXPECT_EQ(linmu_kernel_open_file("/none", &other), LINMU_IO);
  }).join();
  EXPECT_EQ(linmu_last_error(), mine);
}

TEST(CApi, VersionsAndStatusesHaveNames) {
  EXPECT_EQ(linmu_api_version(), std::uint32_t(LINMU_C_API_VERSION));
  EXPECT_STREQ(linmu_version(), LINMU_EXPECTED_VERSION);
  EXPECT_STREQ(linmu_status_name(LINMU_OK), "ok");
  EXPECT_STREQ(linmu_status_name(LINMU_INTERNAL), "internal");
  EXPECT_STREQ(linmu_status_name(-5), "unknown status");
}

} // namespace
