#include "runtime/core/cuda/loaded_package.h"
#include "runtime/core/cuda/arguments.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <map>

namespace linmu::cuda {

namespace {

/// What a kernel can need of a block's shared memory without opting in.
constexpr std::int64_t shared_by_default = 48 << 10;

/// The image that fits the device best: of those that run there, the one of the latest capability.
const PackageImage &imageFor(const Package &package, std::int32_t ordinal) {
  const DeviceInfo &device = deviceAt(ordinal);
  const PackageImage *best = nullptr;
  Architecture of_best;
  std::string names;
  for (const PackageImage &image : package.images) {
    names += (names.empty() ? "" : ", ") + image.architecture;
    Architecture architecture = *Architecture::parse(image.architecture);
    if (!architecture.runsOn(device.major, device.minor))
      continue;
    if (!best || architecture.minor > of_best.minor ||
        (architecture.minor == of_best.minor && architecture.variant)) {
      best = &image;
      of_best = architecture;
    }
  }
  if (!best)
    throw Error(ErrorCode::unsupported,
                "pattern '" + package.signature.name + "' has code for " + names + ", and cuda:" +
                    std::to_string(ordinal) + " (" + device.name + ") needs " + device.architecture().name(),
                "compile it for this GPU: linmuc --target=cuda:" + device.architecture().name());
  return *best;
}

/// "13.0"; what a later NVRTC made may be new to it.
std::string versionOf(const Driver &driver) {
  int version = 0;
  driver.driver_version(&version);
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// While it lives, this thread may call what a capturing stream elsewhere forbids: loading code touches no
/// stream.
class RelaxedCapture {
public:
  explicit RelaxedCapture(const Driver &driver) : driver_(driver) { driver.exchange_capture_mode(&mode_); }
  ~RelaxedCapture() { driver_.exchange_capture_mode(&mode_); }
  RelaxedCapture(const RelaxedCapture &) = delete;
  RelaxedCapture &operator=(const RelaxedCapture &) = delete;

private:
  const Driver &driver_;
  int mode_ = abi::capture_mode_relaxed;
};

} // namespace

const LoadedPackage &LoadedPackages::in(Context context, std::int32_t ordinal) {
  auto find = [&](const LoadedPackage *loaded) {
    while (loaded && loaded->context != context)
      loaded = loaded->next.get();
    return loaded;
  };
  if (const LoadedPackage *loaded = find(first_.load(std::memory_order_acquire)))
    return *loaded;
  std::lock_guard lock(loading_);
  if (const LoadedPackage *loaded = find(owned_.get()))
    return *loaded;
  std::unique_ptr<LoadedPackage> loaded = load(context, ordinal);
  loaded->next = std::move(owned_);
  owned_ = std::move(loaded);
  first_.store(owned_.get(), std::memory_order_release);
  return *owned_;
}

std::unique_ptr<LoadedPackage> LoadedPackages::load(Context context, std::int32_t ordinal) const {
  const Driver &driver = Driver::instance();
  const PackageImage &image = imageFor(package_, ordinal);
  RelaxedCapture relaxed(driver);
  Module module = nullptr;
  driver.check(driver.module_load(&module, image.code.data()),
               "loading pattern '" + package_.signature.name + "', compiled for " + image.architecture +
                   ", on cuda:" + std::to_string(ordinal) + " with a driver of CUDA " + versionOf(driver));
  auto loaded = std::make_unique<LoadedPackage>();
  loaded->context = context;
  resolve(module, deviceAt(ordinal), *loaded);
  return loaded;
}

void LoadedPackages::resolve(Module module, const DeviceInfo &device, LoadedPackage &loaded) const {
  const Driver &driver = Driver::instance();
  struct Needs { // the most that any launch of a kernel does
    std::int64_t shared_bytes = 0;
    int threads = 0;
  };
  std::map<std::string, Needs> kernels;
  for (const Variant &variant : package_.variants)
    for (const Launch &launch : variant.launches) {
      Needs &needs = kernels[launch.kernel];
      needs.shared_bytes = std::max(needs.shared_bytes, launch.shared_bytes);
      needs.threads = std::max(needs.threads, int(launch.threads));
    }
  std::map<std::string, Function> functions;
  for (const auto &[kernel, needs] : kernels) {
    const std::string named = "kernel '" + kernel + "' of pattern '" + package_.signature.name + "'";
    const std::string what = "preparing " + named;
    Function &function = functions[kernel];
    driver.check(driver.module_function(&function, module, kernel.c_str()), what);
    // The question also loads what the driver would load with the first launch, inside a capture perhaps.
    int threads = 0;
    driver.check(driver.function_attribute(&threads, abi::function_most_threads, function), what);
    if (needs.threads > threads)
      throw Error(ErrorCode::corruptFile, named + " is launched in blocks of " +
                                              std::to_string(needs.threads) +
                                              " threads, and its code allows " + std::to_string(threads));
    // What is too much for this device is said of the launch that needs it.
    if (std::int64_t most = std::min(needs.shared_bytes, device.shared_per_block); most > shared_by_default)
      driver.check(driver.function_set_attribute(function, abi::function_shared_dynamic, int(most)), what);
  }
  for (const Variant &variant : package_.variants)
    for (const Launch &launch : variant.launches) {
      Function function = functions.at(launch.kernel);
      std::size_t offset = 0, takes = 0, given = 8 * argumentWords(package_, launch);
      if (driver.function_parameter && driver.function_parameter(function, 0, &offset, &takes) == 0 &&
          takes != given)
        throw Error(ErrorCode::corruptFile, "kernel '" + launch.kernel + "' of pattern '" +
                                                package_.signature.name + "' takes " + std::to_string(takes) +
                                                " bytes of arguments, and its launch gives " +
                                                std::to_string(given));
      loaded.functions.push_back(function);
    }
}

} // namespace linmu::cuda
