#include "distill/peak_memory.h"
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <sys/resource.h>

namespace linmu::distill {

MemoryCount memoryCountOf(torch::Device device) {
  if (!device.is_cuda())
    return {};
  return {dynamic_cast<c10::DeviceAllocator *>(c10::GetAllocator(device.type())),
          device.has_index() ? device.index()
                             : c10::impl::VirtualGuardImpl(device.type()).getDevice().index()};
}

double peakMemory(torch::Device device) {
  if (const auto [counting, index] = memoryCountOf(device); counting) {
    const auto stats = counting->getDeviceStats(index);
    return double(stats.allocated_bytes[std::size_t(c10::CachingAllocator::StatType::AGGREGATE)].peak);
  }
  struct rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) * 1024;
}

} // namespace linmu::distill
