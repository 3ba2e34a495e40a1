#include "runtime/core/cuda/device_buffer.h"
#include "runtime/core/cuda/devices.h"
#include <string>
#include <utility>

namespace linmu::cuda {

namespace {

DevicePointer addressOf(const void *memory) { return reinterpret_cast<DevicePointer>(memory); }

} // namespace

DeviceBuffer::DeviceBuffer(std::int32_t ordinal, std::int64_t bytes) : ordinal_(ordinal) {
  CurrentContext context(ordinal);
  const Driver &driver = Driver::instance();
  DevicePointer memory = 0;
  if (bytes > 0) // the driver refuses nothing less
    driver.check(driver.allocate_async(&memory, std::size_t(bytes), nullptr),
                 "allocating " + std::to_string(bytes) + " bytes on cuda:" + std::to_string(ordinal));
  data_ = reinterpret_cast<void *>(memory);
}

DeviceBuffer::~DeviceBuffer() {
  if (!data_)
    return;
  try {
    CurrentContext context(ordinal_);
    Driver::instance().free_async(addressOf(data_), nullptr);
  } catch (...) { // the driver is gone, and the memory with it
  }
}

DeviceBuffer::DeviceBuffer(DeviceBuffer &&other) noexcept
    : ordinal_(other.ordinal_), data_(std::exchange(other.data_, nullptr)) {}

void DeviceBuffer::upload(std::span<const std::byte> host) {
  if (host.empty())
    return;
  CurrentContext context(ordinal_);
  const Driver &driver = Driver::instance();
  const std::string what = "copying to cuda:" + std::to_string(ordinal_);
  driver.check(driver.copy_to_device_async(addressOf(data_), host.data(), host.size(), nullptr), what);
  driver.check(driver.stream_synchronize(nullptr), what);
}

void DeviceBuffer::download(std::span<std::byte> host) const {
  if (host.empty())
    return;
  CurrentContext context(ordinal_);
  const Driver &driver = Driver::instance();
  const std::string what = "copying from cuda:" + std::to_string(ordinal_);
  driver.check(driver.copy_to_host_async(host.data(), addressOf(data_), host.size(), nullptr), what);
  driver.check(driver.stream_synchronize(nullptr), what);
}

TensorView DeviceBuffer::view(TensorView host) const {
  host.data = data_;
  host.device = {Device::cuda, ordinal_};
  return host;
}

} // namespace linmu::cuda
