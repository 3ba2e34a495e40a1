#include "runtime/core/cuda/loaded_package.h"
#include "runtime/core/cuda/arguments.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <map>
#include <optional>

namespace linmu::cuda {

namespace {

/// What a kernel can need of a block's shared memory without opting in.
constexpr std::int64_t shared_by_default = 48 << 10;

/// The architecture of the images that fit the device best: of those that run there, the one of the latest
/// capability.
std::string architectureFor(const Package &package, std::int32_t ordinal) {
  const DeviceInfo &device = deviceAt(ordinal);
  std::vector<std::string> names;
  for (const PackageImage &image : package.images)
    if (std::find(names.begin(), names.end(), image.architecture) == names.end())
      names.push_back(image.architecture);
  std::optional<Architecture> best;
  std::string all;
  for (const std::string &name : names) {
    all += (all.empty() ? "" : ", ") + name;
    Architecture architecture = *Architecture::parse(name);
    if (architecture.runsOn(device.major, device.minor) &&
        (!best || architecture.minor > best->minor ||
         (architecture.minor == best->minor && architecture.variant)))
      best = architecture;
  }
  if (!best)
    throw Error(ErrorCode::unsupported,
                "pattern '" + package.signature.name + "' has code for " + all + ", and cuda:" +
                    std::to_string(ordinal) + " (" + device.name + ") needs " + device.architecture().name(),
                "compile it for this GPU: linmuc --target=cuda:" + device.architecture().name());
  return best->name();
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

/// Modules on their way; where they do not all come through, none stays.
class Modules {
public:
  explicit Modules(const Driver &driver) : driver_(driver) {}
  ~Modules() {
    for (Module module : modules_)
      driver_.module_unload(module);
  }
  Modules(const Modules &) = delete;
  Modules &operator=(const Modules &) = delete;

  Module load(const PackageImage &image, const std::string &what) {
    Module module = nullptr;
    driver_.check(driver_.module_load(&module, image.code.data()), what);
    modules_.push_back(module);
    return module;
  }
  void keep() { modules_.clear(); }

private:
  const Driver &driver_;
  std::vector<Module> modules_;
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
  const std::string architecture = architectureFor(package_, ordinal);
  const std::string there = ", compiled for " + architecture + ", on cuda:" + std::to_string(ordinal) +
                            " with a driver of CUDA " + versionOf(driver);
  RelaxedCapture relaxed(driver);
  Modules modules(driver);
  std::map<std::string, Function> functions;
  for (const PackageImage &image : package_.images)
    if (image.architecture == architecture) {
      Module module = modules.load(image, "loading " + named(image.kernel) + there);
      functions[image.kernel] = prepare(module, image.kernel, deviceAt(ordinal));
    }
  auto loaded = std::make_unique<LoadedPackage>();
  loaded->context = context;
  for (const Variant &variant : package_.variants)
    for (const Launch &launch : variant.launches) {
      requireArguments(launch, functions.at(launch.kernel));
      loaded->functions.push_back(functions.at(launch.kernel));
    }
  modules.keep();
  return loaded;
}

std::string LoadedPackages::named(const std::string &kernel) const {
  return "kernel '" + kernel + "' of pattern '" + package_.signature.name + "'";
}

Function LoadedPackages::prepare(Module module, const std::string &kernel, const DeviceInfo &device) const {
  const Driver &driver = Driver::instance();
  std::int64_t shared_bytes = 0; // the most that any launch of the kernel needs
  int threads = 0;
  for (const Variant &variant : package_.variants)
    for (const Launch &launch : variant.launches)
      if (launch.kernel == kernel) {
        shared_bytes = std::max(shared_bytes, launch.shared_bytes);
        threads = std::max(threads, int(launch.threads));
      }
  const std::string what = "preparing " + named(kernel);
  Function function = nullptr;
  driver.check(driver.module_function(&function, module, kernel.c_str()), what);
  // The question also loads what the driver would load with the first launch, inside a capture perhaps.
  int most_threads = 0;
  driver.check(driver.function_attribute(&most_threads, abi::function_most_threads, function), what);
  if (threads > most_threads)
    throw Error(ErrorCode::corruptFile, named(kernel) + " is launched in blocks of " +
                                            std::to_string(threads) + " threads, and its code allows " +
                                            std::to_string(most_threads));
  // What is too much for this device is said of the launch that needs it.
  if (std::int64_t most = std::min(shared_bytes, device.shared_per_block); most > shared_by_default)
    driver.check(driver.function_set_attribute(function, abi::function_shared_dynamic, int(most)), what);
  return function;
}

void LoadedPackages::requireArguments(const Launch &launch, Function function) const {
  const Driver &driver = Driver::instance();
  std::size_t offset = 0, takes = 0, given = 8 * argumentWords(package_, launch);
  if (driver.function_parameter && driver.function_parameter(function, 0, &offset, &takes) == 0 &&
      takes != given)
    throw Error(ErrorCode::corruptFile, named(launch.kernel) + " takes " + std::to_string(takes) +
                                            " bytes of arguments, and its launch gives " +
                                            std::to_string(given));
}

} // namespace linmu::cuda
