// Names launches for profilers that read NVTX, such as Nsight Systems.
#pragma once
#include <string>

namespace linmu::cuda {

/// A named range of this thread while it lives. Where no profiler is attached it costs two tests of a
/// pointer; in a build without NVTX's headers it is nothing.
class ProfilerRange {
public:
  explicit ProfilerRange(const std::string &name);
  ~ProfilerRange();
  ProfilerRange(const ProfilerRange &) = delete;
  ProfilerRange &operator=(const ProfilerRange &) = delete;
};

} // namespace linmu::cuda
