// A stand-in for libcuda.so.1: it records what it is asked for, and runs kernels as functions of the host.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace linmu::test {

/// The state of the stand-in, which tests set and read. An image is the names of its kernels, with blanks
/// between and a zero behind; device memory is the host's.
struct FakeCuda {
  struct FakeDevice {
    std::string name = "Fake H200";
    int major = 9, minor = 0;
    int shared_per_block = 227 << 10;
  };
  /// `words` are the kernel's arguments, `block` is blockIdx.x.
  using Kernel = std::function<void(std::span<const long long> words, unsigned block)>;

  std::mutex mutex;
  std::vector<FakeDevice> devices{{}, {}};
  std::vector<std::string> calls; ///< in order, each with what matters of its arguments
  std::map<std::string, Kernel> kernels;
  std::map<std::string, std::size_t> argument_bytes; ///< what cuFuncGetParamInfo says of a kernel; 0: fails
  std::map<std::string, int> failures;               ///< what a function returns instead of doing its work
  std::set<void *> capturing;                        ///< streams
  int most_threads = 1024;                           ///< that a block of any kernel can have
  std::size_t live_allocations = 0;

  /// Those calls since the last time that are not of the error functions.
  std::vector<std::string> take();
  void reset();
};

/// The state of the library that LINMU_CUDA_DRIVER names.
FakeCuda &fakeCuda();

} // namespace linmu::test
