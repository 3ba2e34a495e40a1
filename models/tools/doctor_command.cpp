// linmu doctor: what this machine offers, and what is missing for what.
#include "models/tools/commands.h"
#include "models/tools/machine_facts.h"
#include "models/tools/torch_library.h"
#include "runtime/core/cuda/devices.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include "runtime/core/version.h"
#include "runtime/io/standard_streams.h"
#include "runtime/jit/compile.h"
#include "runtime/jit/nvrtc.h"
#include <chrono>
#include <fmt/format.h>
#include <fmt/ranges.h>
#ifdef LINMU_HAS_MEDIA
#include "models/media/ffmpeg_library.h"
#endif

namespace linmu::tools {
namespace {

struct Line {
  std::string name, value;
};

struct Missing {
  std::string what, needed_for, remedy;
};

struct Report {
  std::vector<Line> machine, linmu, libraries;
  std::vector<Missing> missing;
};

/// Compiles a pattern, past the caches, and runs it. Throws Error.
double secondsToFirstResult() {
  constexpr const char *pattern = R"(
func.func @double(%x: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %y = pattern.map tokens(%xt = %x : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
    %z = arith.addf %xt, %xt : f32
    pattern.yield outputs(%z : f32)
  }
  return %y : tensor<?x?x8xf32>
}
)";
  const auto start = std::chrono::steady_clock::now();
  CompileOptions options;
  options.use_disk_cache = false;
  const Kernel kernel = compile(pattern, options);
  std::vector<float> x(16, 1), y(16, 0);
  auto view = [](std::vector<float> &values) {
    return TensorView{values.data(), DType::f32, 3, {1, 2, 8}, {16, 8, 1}};
  };
  kernel(std::vector{view(x)}, std::vector{view(y)});
  if (y != std::vector<float>(16, 2))
    throw Error(ErrorCode::internal, "a compiled kernel gave wrong results");
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void examineMachine(Report &report) {
  const int threads = Settings::current().threads;
  report.machine = {
      {"processor", processorName()},
      {"instructions", instructionSets()},
      {"threads",
       threads ? fmt::format("{}, as LINMU_THREADS says; {}", threads, processorCount()) : processorCount()},
      {"caches", cacheSizes()},
      {"memory", memorySize()},
  };
}

void examineCompiler(Report &report) {
  try {
    report.linmu.push_back(
        {"compiler", fmt::format("compiled and ran a kernel in {:.0f} ms", 1000 * secondsToFirstResult())});
  } catch (const Error &error) {
    report.linmu.push_back({"compiler", error.what()});
    report.missing.push_back({"a working compiler", "everything", "see the line 'compiler' above"});
  }
}

void examineCache(Report &report) {
  const Settings &settings = Settings::current();
  std::string found = settings.disk_cache ? settings.cache_dir.string() : "turned off by LINMU_DISK_CACHE=0";
  std::error_code status;
  if (settings.disk_cache && std::filesystem::is_directory(settings.cache_dir, status)) {
    std::uintmax_t bytes = 0, files = 0;
    for (const auto &entry : std::filesystem::directory_iterator(settings.cache_dir, status))
      if (std::error_code ignored; entry.is_regular_file(ignored)) {
        bytes += entry.file_size(ignored);
        ++files;
      }
    found +=
        status ? ": " + status.message() : fmt::format(": {} files, {}", files, bytesText(double(bytes)));
  } else if (settings.disk_cache) {
    found += ": nothing yet";
  }
  report.linmu.push_back({"kernels on disk", found});
}

void examineTorch(Report &report, const std::optional<TorchPackage> &torch) {
  std::vector<std::string> folders;
  for (const std::filesystem::path &folder : torchFolders())
    folders.push_back(folder.string());
  std::string found = fmt::format("none in {}", fmt::join(folders, ", "));
  if (torch)
    found = fmt::format("{} in {}", torch->version.empty() ? "unknown version" : torch->version,
                        torch->folder.string());
  report.libraries.push_back({"torch", found});
  if (!torch || !suits(torch->version))
    report.missing.push_back({"torch " + torchVersionNeeded(),
                              "linmu answer, chat, data, demo, eval, generate, init",
                              "pip install 'linmu[torch]', or LINMU_TORCH_DIR"});
}

void examineFfmpeg(Report &report) {
#ifdef LINMU_HAS_MEDIA
  try {
    const unsigned version = media::ffmpeg().avformat_version();
    report.libraries.push_back(
        {"FFmpeg", fmt::format("libavformat {}.{}.{}", version >> 16, version >> 8 & 0xff, version & 0xff)});
  } catch (const Error &error) {
    report.libraries.push_back({"FFmpeg", error.what()});
    report.missing.push_back({fmt::format("{}", fmt::join(media::ffmpegLibraryNames(), ", ")),
                              "linmu answer, demo and eval, which read videos", error.hint()});
  }
#else
  report.libraries.push_back({"FFmpeg", "this build was configured without it"});
  report.missing.push_back({"a build with FFmpeg", "linmu answer, demo and eval, which read videos",
                            "install libavformat, libavcodec, libswscale and libavutil, and build again"});
#endif
}

void examineDevices(Report &report) {
  try {
    std::vector<std::string> devices;
    for (const cuda::DeviceInfo &device : cuda::devices())
      devices.push_back(fmt::format("{} ({})", device.name, device.architecture().name()));
    int version = 0;
    const cuda::Driver &driver = cuda::Driver::instance();
    driver.check(driver.driver_version(&version), "asking for the driver's version");
    report.libraries.push_back({"CUDA driver", fmt::format("of CUDA {}.{}: {}", version / 1000,
                                                           version % 1000 / 10, fmt::join(devices, ", "))});
  } catch (const Error &error) {
    report.libraries.push_back({"CUDA driver", error.what()});
    report.missing.push_back(
        {"a GPU and NVIDIA's driver", "running packages for CUDA",
         error.hint().empty() ? "LINMU_CUDA_DRIVER names the driver's library" : error.hint()});
  }
}

/// A process that has loaded torch takes the NVRTC that torch brings along.
std::filesystem::path nvrtcBeside(const TorchPackage &torch) {
  std::error_code none;
  for (const auto &package : std::filesystem::directory_iterator(torch.folder.parent_path() / "nvidia", none))
    for (const auto &file : std::filesystem::directory_iterator(package.path() / "lib", none))
      if (file.path().filename().string().starts_with("libnvrtc.so."))
        return file.path();
  return {};
}

void examineNvrtc(Report &report, const std::optional<TorchPackage> &torch) {
  try {
    report.libraries.push_back({"NVRTC", jit::Nvrtc::find().file().string()});
  } catch (const Error &error) {
    if (const std::filesystem::path beside = torch ? nvrtcBeside(*torch) : ""; !beside.empty()) {
      report.libraries.push_back({"NVRTC", beside.string() + ", with torch"});
      return;
    }
    report.libraries.push_back({"NVRTC", "none"});
    report.missing.push_back({"NVRTC", "compiling for CUDA", error.hint()});
  }
}

std::string section(const char *title, const std::vector<Line> &lines) {
  std::string text = fmt::format("\n{}\n", title);
  for (const Line &line : lines)
    text += fmt::format("  {:<16} {}\n", line.name, line.value);
  return text;
}

std::string formatted(const Report &report) {
  std::string text = fmt::format("LinMU {}\n", version());
  text += section("machine", report.machine) + section("kernels", report.linmu) +
          section("libraries", report.libraries) + "\nmissing\n";
  for (const Missing &missing : report.missing)
    text +=
        fmt::format("  {}\n    for    {}\n    get it {}\n", missing.what, missing.needed_for, missing.remedy);
  if (report.missing.empty())
    text += "  nothing\n";
  return text;
}

void run() {
  Report report;
  const std::optional<TorchPackage> torch = findTorch();
  examineMachine(report);
  examineCompiler(report);
  examineCache(report);
  examineTorch(report, torch);
  examineFfmpeg(report);
  examineDevices(report);
  examineNvrtc(report, torch);
  writeStandardOutput(formatted(report));
}

} // namespace

void addDoctor(CLI::App &app) {
  CLI::App *command = app.add_subcommand("doctor", "What this machine offers, and what is missing for what");
  command->callback(run);
}

} // namespace linmu::tools
