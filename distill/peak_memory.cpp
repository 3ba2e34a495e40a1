#include "distill/peak_memory.h"
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <sys/resource.h>

namespace linmu::distill {

double peakMemory(torch::Device device) {
  // Null where it is not torch's: somebody may have put another in its place, which does not count.
  auto *counting =
      device.is_cuda() ? dynamic_cast<c10::DeviceAllocator *>(c10::GetAllocator(device.type())) : nullptr;
  if (counting) {
    const auto index =
        device.has_index() ? device.index() : c10::impl::VirtualGuardImpl(device.type()).getDevice().index();
    const auto stats = counting->getDeviceStats(index);
    return double(stats.allocated_bytes[std::size_t(c10::CachingAllocator::StatType::AGGREGATE)].peak);
  }
  struct rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) * 1024;
}

} // namespace linmu::distill
