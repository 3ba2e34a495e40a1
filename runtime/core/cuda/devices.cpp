#include "runtime/core/cuda/devices.h"
#include "runtime/core/error.h"
#include <atomic>
#include <memory>

namespace linmu::cuda {

namespace {

DeviceInfo readDevice(const Driver &driver, int ordinal) {
  const std::string what = "reading what cuda:" + std::to_string(ordinal) + " is";
  DeviceInfo info;
  driver.check(driver.device_get(&info.handle, ordinal), what);
  char name[256] = {};
  driver.check(driver.device_name(name, sizeof name - 1, info.handle), what);
  info.name = name;
  auto read = [&](int attribute) {
    int value = 0;
    driver.check(driver.device_attribute(&value, attribute, info.handle), what);
    return value;
  };
  info.major = read(abi::compute_major);
  info.minor = read(abi::compute_minor);
  info.multiprocessors = read(abi::multiprocessor_count);
  info.shared_per_block = read(abi::shared_per_block_opt_in);
  info.shared_per_multiprocessor = read(abi::shared_per_multiprocessor);
  return info;
}

std::vector<DeviceInfo> readDevices() {
  const Driver &driver = Driver::instance();
  int count = 0;
  driver.check(driver.device_count(&count), "counting CUDA devices");
  std::vector<DeviceInfo> all;
  for (int ordinal = 0; ordinal < count; ++ordinal)
    all.push_back(readDevice(driver, ordinal));
  if (all.empty())
    throw Error(ErrorCode::unsupported, "CUDA needs a GPU, and the driver finds none");
  return all;
}

/// Retained at its first use and never released.
Context primaryContext(std::int32_t ordinal) {
  static const auto contexts = std::make_unique<std::atomic<Context>[]>(devices().size());
  std::atomic<Context> &known = contexts[std::size_t(ordinal)];
  Context context = known.load(std::memory_order_acquire);
  if (!context) {
    const Driver &driver = Driver::instance();
    driver.check(driver.primary_context_retain(&context, deviceAt(ordinal).handle),
                 "opening cuda:" + std::to_string(ordinal));
    known.store(context, std::memory_order_release);
  }
  return context;
}

} // namespace

const std::vector<DeviceInfo> &devices() {
  static const std::vector<DeviceInfo> all = readDevices();
  return all;
}

const DeviceInfo &deviceAt(std::int32_t ordinal) {
  const std::vector<DeviceInfo> &all = devices();
  if (ordinal < 0 || std::size_t(ordinal) >= all.size())
    throw Error(ErrorCode::invalidArgument, "expected a CUDA device from 0 to " +
                                                std::to_string(all.size() - 1) + ", got " +
                                                std::to_string(ordinal));
  return all[std::size_t(ordinal)];
}

std::int32_t deviceOf(const void *memory) {
  const Driver &driver = Driver::instance();
  int ordinal = 0;
  driver.check(driver.pointer_attribute(&ordinal, abi::pointer_device_ordinal,
                                        reinterpret_cast<DevicePointer>(memory)),
               "asking on which CUDA device memory lies");
  return ordinal;
}

CurrentContext::CurrentContext(std::int32_t ordinal) {
  const DeviceInfo &device = deviceAt(ordinal);
  const Driver &driver = Driver::instance();
  Context primary = primaryContext(ordinal);
  driver.check(driver.context_current(&context_), "reading the current CUDA context");
  if (context_ == primary)
    return;
  if (DeviceHandle of_current = 0;
      context_ && driver.context_device(&of_current) == 0 && of_current == device.handle)
    return;
  driver.check(driver.context_push(primary), "entering cuda:" + std::to_string(ordinal));
  context_ = primary;
  pushed_ = true;
}

CurrentContext::~CurrentContext() {
  if (Context popped = nullptr; pushed_)
    Driver::instance().context_pop(&popped);
}

} // namespace linmu::cuda
