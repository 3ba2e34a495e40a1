#include "runtime/core/cuda/cuda_executor.h"
#include "runtime/core/cuda/access_check.h"
#include "runtime/core/cuda/loaded_package.h"
#include "runtime/core/cuda/profiler_range.h"
#include "runtime/core/cuda/table_check.h"
#include "runtime/core/cuda/workspace.h"
#include "runtime/core/error.h"
#include "runtime/core/launch_frame.h"
#include "runtime/core/settings.h"
#include <limits>

namespace linmu::cuda {

namespace {

constexpr std::int64_t most_blocks = std::numeric_limits<std::int32_t>::max(); // along x, on every GPU

class CudaExecutor final : public Executor {
public:
  explicit CudaExecutor(const Package &package) : package_(package), loaded_(package) {
    for (const Variant &variant : package.variants) {
      first_launch_.push_back(names_.size());
      uses_temporaries_.push_back(usesTemporaries(variant));
      for (const Launch &launch : variant.launches)
        names_.push_back(package.signature.name + "." + launch.kernel);
    }
  }

  Device::Kind deviceKind() const override { return Device::cuda; }
  bool readsTables() const override { return false; }

  void run(std::size_t variant, const Symbols &symbols, std::span<const TensorView> inputs,
           std::span<const TensorView> results, const LaunchOptions &options) const override {
    checkAccess(package_.signature, inputs, results);
    const std::vector<Launch> &launches = package_.variants[variant].launches;
    std::int32_t ordinal = (inputs.empty() ? results : inputs).front().device.index;
    CurrentContext context(ordinal);
    if (Settings::current().check_tables)
      checkTables(package_.signature, symbols, inputs, options.stream);
    LaunchFrame &frame = LaunchFrame::ofThisThread();
    frame.fill(package_, symbols, inputs, results);
    // All that can be refused is refused before anything is written.
    for (const Launch &launch : launches)
      require(launch, frame, symbols, ordinal);
    const LoadedPackage &loaded = loaded_.in(context.get(), ordinal);
    Workspace workspace(package_.signature, uses_temporaries_[variant] ? frame.temporaryBytes() : 0, ordinal,
                        options);
    frame.placeTemporaries(workspace.data());
    for (std::size_t i = 0; i < launches.size(); ++i)
      enqueue(launches[i], loaded.functions[first_launch_[variant] + i], names_[first_launch_[variant] + i],
              frame, options.stream);
  }

private:
  void require(const Launch &launch, const LaunchFrame &frame, const Symbols &symbols,
               std::int32_t ordinal) const {
    auto what = [&] {
      return "kernel '" + launch.kernel + "' of pattern '" + package_.signature.name + "' ";
    };
    if (std::int64_t blocks = frame.blocksOf(launch); blocks > most_blocks)
      throw Error(ErrorCode::unsupported,
                  what() + "needs " + (blocks == INT64_MAX ? "2^63 or more" : std::to_string(blocks)) +
                      " blocks for B=" + std::to_string(symbols.batch) +
                      ", N=" + std::to_string(symbols.tokens) + ", and CUDA runs at most " +
                      std::to_string(most_blocks),
                  "call it on parts of the batch");
    if (const DeviceInfo &device = deviceAt(ordinal); launch.shared_bytes > device.shared_per_block)
      throw Error(ErrorCode::unsupported,
                  what() + "needs " + std::to_string(launch.shared_bytes) +
                      " bytes of shared memory in a block, and cuda:" + std::to_string(ordinal) + " (" +
                      device.name + ") has " + std::to_string(device.shared_per_block));
  }

  void enqueue(const Launch &launch, Function function, const std::string &name, LaunchFrame &frame,
               void *stream) const {
    std::int64_t blocks = frame.blocksOf(launch);
    if (blocks == 0)
      return;
    void *parameter = frame.words(package_, launch).data();
    const Driver &driver = Driver::instance();
    ProfilerRange range(name);
    if (Status status =
            driver.launch(function, unsigned(blocks), 1, 1, unsigned(launch.threads), 1, 1,
                          unsigned(launch.shared_bytes), static_cast<Stream>(stream), &parameter, nullptr))
      driver.check(status,
                   "launching kernel '" + launch.kernel + "' of pattern '" + package_.signature.name + "'");
  }

  const Package &package_;
  mutable LoadedPackages loaded_;
  std::vector<std::size_t> first_launch_; // of each variant, among all launches
  std::vector<bool> uses_temporaries_;    // each variant
  std::vector<std::string> names_;        // of all launches, for profilers
};

} // namespace

std::unique_ptr<const Executor> openOnCuda(const Package &package) {
  if (package.images.empty())
    throw Error(ErrorCode::unsupported,
                "pattern '" + package.signature.name + "': the package holds CUDA source and no code to run",
                "make one with linmuc --target=cuda:ARCHITECTURE --package");
  return std::make_unique<const CudaExecutor>(package);
}

} // namespace linmu::cuda
