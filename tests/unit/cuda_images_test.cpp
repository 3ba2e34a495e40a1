// From CUDA source to machine code, by the NVRTC that this machine has.
#include "runtime/core/byte_stream.h"
#include "runtime/core/cuda/architecture.h"
#include "runtime/core/for_each_on_threads.h"
#include "runtime/core/settings.h"
#include "runtime/jit/cuda_images.h"
#include "runtime/jit/jit.h"
#include "runtime/jit/nvrtc.h"
#include "tests/gpu/hand_written_kernels.h"
#include "tests/unit/cuda_fixture.h"
#include "tests/unit/temporary_folder.h"
#include <cstdlib>
#include <optional>
#include <sched.h>

using namespace linmu;
using namespace linmu::test;

namespace {

const std::vector<std::string> all_architectures = {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120"};

bool hasNvrtc() {
  setenv("VIRTUAL_ENV", LINMU_TEST_VIRTUAL_ENV, 0); // where torch's wheels lie
  try {
    jit::Nvrtc::find();
    return true;
  } catch (const Error &) {
    return false;
  }
}

#define REQUIRE_NVRTC()                                                                                      \
  if (!hasNvrtc())                                                                                           \
  GTEST_SKIP() << "this machine has no NVRTC"

/// The compiler of the caches' tests.
int compilations = 0;

compiler::Bytes describe(std::string_view, const compiler::Options &options) {
  Package package = cudaTotalPackage();
  package.key = options.target + "0total";
  package.target.clear();
  package.images.clear();
  package.variants = {{}};
  return {true, serialize(package), ""};
}

compiler::Bytes compileToSource(std::string_view, const compiler::Options &options) {
  ++compilations;
  Package package = handWritten(cudaTotalPackage());
  package.key = options.target + "0total";
  return {true, serialize(package), ""};
}

std::string identity() { return "build 1"; }

class CudaImages : public testing::Test {
protected:
  CudaImages() {
    Settings settings;
    settings.cache_dir = folder / "cache";
    settings.cuda_driver = LINMU_FAKE_CUDA_DRIVER;
    scope.emplace(settings);
    compilations = 0;
  }

  struct Process {
    jit::Jit jit{{&describe, &compileToSource, nullptr, &identity}};
    Kernel compile(const std::string &target) {
      CompileOptions options;
      options.target = target;
      return jit.compile("text", options);
    }
    std::string counts() {
      CompileStatistics s = jit.statistics();
      return std::to_string(s.compiled) + " compiled, " + std::to_string(s.disk_hits) + " disk, " +
             std::to_string(s.images_compiled) + " images compiled, " + std::to_string(s.image_disk_hits) +
             " images disk, " + std::to_string(s.corrupt_entries) + " corrupt";
    }
  };

  std::vector<std::filesystem::path> cubins() {
    std::vector<std::filesystem::path> found;
    for (auto &entry : std::filesystem::directory_iterator(folder / "cache"))
      if (entry.path().extension() == ".cubin")
        found.push_back(entry.path());
    return found;
  }

  TemporaryFolder folder;
  std::optional<ScopedSettings> scope;
};

std::vector<cuda::Architecture> architecturesOf(const std::vector<std::string> &names) {
  std::vector<cuda::Architecture> architectures;
  for (const std::string &name : names)
    architectures.push_back(*cuda::Architecture::parse(name));
  return architectures;
}

TEST_F(CudaImages, EachKernelIsAnImageForEachOfSixArchitectures) {
  REQUIRE_NVRTC();
  jit::ImageCounts counts;
  Package package =
      jit::withImages(handWritten(cudaTotalPackage()), architecturesOf(all_architectures), nullptr, counts);
  EXPECT_TRUE(package.sources.empty());
  EXPECT_EQ(package.prelude, "");
  EXPECT_EQ(counts.compiled, 12);
  ASSERT_EQ(package.images.size(), 12u);
  for (std::size_t i = 0; i < 12; ++i) {
    const auto &[architecture, kernel, bytes] = package.images[i];
    EXPECT_EQ(architecture, all_architectures[i / 2]);
    EXPECT_EQ(kernel, i % 2 == 0 ? "sum_part" : "sum_whole");
    std::string code(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    EXPECT_EQ(code.substr(0, 4), "\177ELF");
    for (const char *name : {"sum_part", "sum_whole"})
      EXPECT_EQ(code.find(std::string(".text.") + name) != code.npos, kernel == name) << kernel;
  }
  EXPECT_EQ(deserialize(serialize(package), "file.lmk").images, package.images);
}

/// While one lives, this thread and those it starts run on one processor.
class OneProcessor {
public:
  OneProcessor() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &before_))
        CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~OneProcessor() { sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(const OneProcessor &) = delete;
  OneProcessor &operator=(const OneProcessor &) = delete;

private:
  cpu_set_t before_{};
};

TEST_F(CudaImages, TheCodeIsTheSameHoweverManyThreadsMakeIt) {
  REQUIRE_NVRTC();
  auto made = [] {
    jit::ImageCounts counts;
    return serialize(jit::withImages(handWritten(cudaTotalPackage()), architecturesOf({"sm_80", "sm_90a"}),
                                     nullptr, counts));
  };
  std::vector<std::byte> by_several = made();
  OneProcessor one;
  ASSERT_EQ(processorsToUse(), 1u);
  EXPECT_EQ(made(), by_several);
}

TEST_F(CudaImages, WhatNvrtcRefusesIsSaidWithItsLogAndTheKernel) {
  REQUIRE_NVRTC();
  jit::ImageCounts counts;
  auto messageOf = [&](Package package) {
    Error error =
        errorOf([&] { jit::withImages(std::move(package), architecturesOf({"sm_80"}), nullptr, counts); });
    EXPECT_EQ(error.code(), ErrorCode::internal);
    return std::string(error.what());
  };
  Package package = handWritten(cudaTotalPackage());
  package.sources[1].text = "#line 7 \"cell.mlir\"\nextern \"C\" __global__ void sum_whole() { x = 1; }";
  std::string message = messageOf(package);
  EXPECT_TRUE(message.starts_with("NVRTC refuses 'sum_whole.cu' for sm_80 (NVRTC_ERROR_COMPILATION):\n"))
      << message;
  EXPECT_NE(message.find("cell.mlir(7): error: identifier \"x\" is undefined"), message.npos) << message;
  // Of several the first is named, also where a later one, being longer, is compiled before it.
  package.sources[0].text = "y";
  for (int turn = 0; turn < 5; ++turn)
    EXPECT_TRUE(messageOf(package).starts_with("NVRTC refuses 'sum_part.cu' for sm_80 "));
  EXPECT_EQ(counts.compiled, 0);
}

TEST_F(CudaImages, AMachineWithoutNvrtcSaysSoInOneSentence) {
  Settings settings = Settings::current();
  settings.nvrtc = "/nonexistent/libnvrtc.so.13";
  ScopedSettings without(settings);
  Error error = errorOf([&] { Process().compile("cuda:sm_80"); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_STREQ(error.what(),
               "compiling for CUDA needs NVRTC, which this machine lacks: /nonexistent/libnvrtc.so.13: "
               "No such file or directory");
  EXPECT_EQ(error.hint(),
            "install CUDA's toolkit or the Python package nvidia-cuda-nvrtc, or set LINMU_NVRTC to "
            "libnvrtc.so.13");
  settings.nvrtc = LINMU_FAKE_CUDA_DRIVER; // a library, and not that one
  ScopedSettings wrong(settings);
  EXPECT_STREQ(errorOf([&] { Process().compile("cuda:sm_80"); }).what(),
               "compiling for CUDA needs NVRTC 11.1 or later: '" LINMU_FAKE_CUDA_DRIVER
               "' has no nvrtcCreateProgram");
}

/// An environment variable while it lives.
class Variable {
public:
  Variable(const char *name, const std::string &value) : name_(name) {
    if (const char *before = std::getenv(name))
      before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Variable(const Variable &) = delete;
  Variable &operator=(const Variable &) = delete;

private:
  const char *name_;
  std::optional<std::string> before_;
};

TEST_F(CudaImages, TheLibraryIsTakenFromTheToolkitThatIsNamedThenFromPythonsPackages) {
  auto put = [&](const std::string &file) {
    std::filesystem::create_directories((folder / file).parent_path());
    writeBytes(folder / file, "not a library");
    return (folder / file).string();
  };
  auto found = [&](std::vector<std::filesystem::path> folders = {}) {
    std::string identity = jit::Nvrtc::find(folders).identity();
    return identity.substr(0, identity.find(';'));
  };
  Variable no_home("CUDA_HOME", ""), no_path("CUDA_PATH", "");
  std::string older = put("venv/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12");
  put("venv/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.alt.so.13");
  put("venv/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc-builtins.so.13.0");
  Variable environment("VIRTUAL_ENV", folder / "venv");
  EXPECT_EQ(found(), older);
  std::string newer = put("venv/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13");
  EXPECT_EQ(found(), newer);
  std::string of_caller = put("packages/nvidia/cu13/lib/libnvrtc.so.13");
  EXPECT_EQ(found({folder / "nothing", folder / "packages"}), of_caller);
  std::string of_toolkit = put("toolkit/lib64/libnvrtc.so.12");
  Variable toolkit("CUDA_PATH", folder / "toolkit");
  EXPECT_EQ(found(), of_toolkit);
  std::string identity = jit::Nvrtc::find().identity();
  writeBytes(of_toolkit, "another library");
  EXPECT_NE(jit::Nvrtc::find().identity(), identity);
}

TEST_F(CudaImages, ASecondProcessTakesEachImageFromTheDisk) {
  REQUIRE_NVRTC();
  Process first;
  std::vector<PackageImage> compiled = first.compile("cuda:sm_90a,sm_80").package().images;
  EXPECT_EQ(compiled.size(), 4u);
  EXPECT_EQ(first.counts(), "1 compiled, 0 disk, 4 images compiled, 0 images disk, 0 corrupt");
  first.compile("cuda:sm_90a,sm_80");
  EXPECT_EQ(first.counts(), "1 compiled, 0 disk, 4 images compiled, 0 images disk, 0 corrupt");
  Process second;
  std::vector<PackageImage> read = second.compile("cuda:sm_80").package().images;
  EXPECT_EQ(read, std::vector(compiled.begin() + 2, compiled.end()));
  EXPECT_EQ(second.counts(), "0 compiled, 1 disk, 0 images compiled, 2 images disk, 0 corrupt");
}

TEST_F(CudaImages, AKernelOfAnotherPatternWithTheSameTextIsTakenFromTheDisk) {
  REQUIRE_NVRTC();
  jit::DiskCache disk(folder / "cache");
  jit::ImageCounts counts;
  Package package = handWritten(cudaTotalPackage());
  Package first = jit::withImages(package, architecturesOf({"sm_80"}), &disk, counts);
  package.signature.name = "another";
  package.sources[1].text += "// changed\n";
  Package second = jit::withImages(package, architecturesOf({"sm_80"}), &disk, counts);
  EXPECT_EQ(counts.compiled, 3);
  EXPECT_EQ(counts.disk_hits, 1);
  EXPECT_EQ(first.images[0], second.images[0]);
  package.prelude += "// changed\n";
  jit::withImages(package, architecturesOf({"sm_80"}), &disk, counts);
  EXPECT_EQ(counts.compiled, 5);
}

TEST_F(CudaImages, WhatIsCompiledBeforeAnotherKernelIsRefusedIsKept) {
  REQUIRE_NVRTC();
  jit::DiskCache disk(folder / "cache");
  jit::ImageCounts counts;
  Package package = handWritten(cudaTotalPackage());
  package.sources[1].text = "y";
  errorOf([&] { jit::withImages(package, architecturesOf({"sm_80"}), &disk, counts); });
  EXPECT_EQ(cubins().size(), 1u);
}

TEST_F(CudaImages, ADamagedImageIsCompiledAgain) {
  REQUIRE_NVRTC();
  Process().compile("cuda:sm_80");
  ASSERT_EQ(cubins().size(), 2u);
  std::string bytes = readBytes(cubins()[0]);
  bytes[bytes.size() / 2] ^= 1;
  writeBytes(cubins()[0], bytes);
  Process second;
  second.compile("cuda:sm_80");
  EXPECT_EQ(second.counts(), "0 compiled, 1 disk, 1 images compiled, 1 images disk, 1 corrupt");
  Process third;
  third.compile("cuda:sm_80");
  EXPECT_EQ(third.counts(), "0 compiled, 1 disk, 0 images compiled, 2 images disk, 0 corrupt");
}

TEST_F(CudaImages, WithoutNamesTheGpusAtHandAreCompiledFor) {
  REQUIRE_NVRTC();
  Kernel kernel = Process().compile("cuda");
  ASSERT_EQ(kernel.package().images.size(), 2u); // of two kernels; two devices of one architecture
  for (const PackageImage &image : kernel.package().images)
    EXPECT_EQ(image.architecture, "sm_90a");
}

TEST(CudaArchitecture, SaysHowMuchSharedMemoryABlockMayHave) {
  auto kibibytes = [](const char *name) { return cuda::Architecture::parse(name)->sharedBytes() / 1024; };
  EXPECT_EQ(kibibytes("sm_80"), 163);
  EXPECT_EQ(kibibytes("sm_86"), 99);
  EXPECT_EQ(kibibytes("sm_89"), 99);
  EXPECT_EQ(kibibytes("sm_90a"), 227);
  EXPECT_EQ(kibibytes("sm_100a"), 227);
  EXPECT_EQ(kibibytes("sm_120"), 99);
}

TEST(CudaTarget, WhatIsNoneIsNamed) {
  const std::string expected =
      "target: expected cpu, cuda, cuda:ARCHITECTURE,... such as cuda:sm_90a,sm_80, or emulate, got ";
  for (const char *text : {"", "gpu", "CUDA", "cpu:sm_80"}) {
    Error error = errorOf([&] { jit::Target::parse(text); });
    EXPECT_EQ(error.code(), ErrorCode::invalidArgument);
    EXPECT_EQ(error.what(), expected + "'" + text + "'");
  }
  EXPECT_EQ(errorOf([] { jit::Target::parse("cuda:"); }).what(), expected + "the architecture ''");
  EXPECT_EQ(errorOf([] { jit::Target::parse("cuda:sm_80,"); }).what(), expected + "the architecture ''");
  EXPECT_EQ(errorOf([] { jit::Target::parse("cuda:sm_80,90"); }).what(), expected + "the architecture '90'");
  EXPECT_EQ(jit::Target::parse("cuda:sm_80,sm_90a,sm_80").name(), "cuda:sm_80,sm_90a");
  EXPECT_EQ(jit::Target::parse("cpu").name(), "cpu");
}

} // namespace
