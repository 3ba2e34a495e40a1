// linmu doctor: what this machine offers, and what is missing for what.
#include "models/tools/commands.h"
#include "models/tools/gpu_libraries.h"
#include "models/tools/machine_facts.h"
#include "models/tools/torch_library.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include "runtime/core/version.h"
#include "runtime/jit/compile.h"
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
  std::string found =
      "none in " + fmt::format("{}", fmt::join(
                                         [] {
                                           std::vector<std::string> folders;
                                           for (const std::filesystem::path &folder : torchFolders())
                                             folders.push_back(folder.string());
                                           return folders;
                                         }(),
                                         ", "));
  if (torch)
    found = fmt::format("{} in {}", torch->version.empty() ? "unknown version" : torch->version,
                        torch->folder.string());
  report.libraries.push_back({"torch", found});
  if (!torch || !suits(torch->version))
    report.missing.push_back({"torch " + torchVersionNeeded(), "linmu demo, linmu generate",
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
                              "linmu demo, which reads a video", error.hint()});
  }
#else
  report.libraries.push_back({"FFmpeg", "this build was configured without it"});
  report.missing.push_back({"a build with FFmpeg", "linmu demo, which reads a video",
                            "install libavformat, libavcodec, libswscale and libavutil, and build again"});
#endif
}

void examineCuda(Report &report, const std::optional<TorchPackage> &torch) {
  const std::optional<CudaDriver> driver = findCudaDriver();
  const std::optional<Nvrtc> nvrtc = findNvrtc(torch ? std::optional(torch->folder) : std::nullopt);
  report.libraries.push_back(
      {"CUDA driver",
       !driver ? "none"
               : fmt::format("{}, {}", driver->version,
                             driver->devices.empty() ? "no device"
                                                     : fmt::format("{}", fmt::join(driver->devices, ", ")))});
  report.libraries.push_back({"NVRTC", nvrtc ? nvrtc->version + " from " + nvrtc->library : "none"});
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
  return text + "\nKernels run on the CPU; this version uses no GPU.\n";
}

void run() {
  Report report;
  const std::optional<TorchPackage> torch = findTorch();
  examineMachine(report);
  examineCompiler(report);
  examineCache(report);
  examineTorch(report, torch);
  examineFfmpeg(report);
  examineCuda(report, torch);
  fmt::print("{}", formatted(report));
}

} // namespace

void addDoctor(CLI::App &app) {
  CLI::App *command = app.add_subcommand("doctor", "What this machine offers, and what is missing for what");
  command->callback(run);
}

} // namespace linmu::tools
