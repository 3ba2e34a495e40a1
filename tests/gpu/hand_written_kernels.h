// CUDA kernels by hand, with the arguments that package.h states: what the runtime is tested with apart from
// the compiler.
#pragma once
#include "runtime/core/package.h"

namespace linmu::test {

/// What stands before each of them.
inline constexpr char hand_written_prelude[] = R"cuda(
template <int count> struct Arguments {
  long long words[count];
};

// Element 0, 0 of a token of the tensor of rank 4 whose words begin at `words`.
__device__ float *tokenOf(const long long *words, long long batch, long long token) {
  return reinterpret_cast<float *>(words[0]) + batch * words[5] + token * words[6];
}
)cuda";

/// The kernels of the packages of tests/unit/runtime_fixture.h: of 'sum2' add, of 'total' sum_part and
/// sum_whole.
inline const std::vector<KernelSource> hand_written_kernels = {{"add", R"cuda(
extern "C" __global__ void __launch_bounds__(128) add(const __grid_constant__ Arguments<30> arguments) {
  const long long *x = arguments.words, *y = x + 9, *o = x + 18, *grid = x + 27;
  long long token = blockIdx.x % grid[0], batch = blockIdx.x / grid[0];
  for (long long i = threadIdx.x; i < x[3] * x[4]; i += blockDim.x) {
    long long head = i / x[4], feature = i % x[4];
    tokenOf(o, batch, token)[head * o[7] + feature] =
        tokenOf(x, batch, token)[head * x[7] + feature] + tokenOf(y, batch, token)[head * y[7] + feature];
  }
}
)cuda"},
                                                               {"sum_part", R"cuda(
extern "C" __global__ void sum_part(const __grid_constant__ Arguments<21> arguments) {
  const long long *x = arguments.words, *parts = x + 9, *grid = x + 18;
  long long part = blockIdx.x % grid[0], batch = blockIdx.x / grid[0];
  if (threadIdx.x != 0)
    return;
  float sum = 0;
  for (long long token = 4 * part; token < 4 * part + 4 && token < x[2]; ++token)
    sum += *tokenOf(x, batch, token);
  *tokenOf(parts, batch, part) = sum;
}
)cuda"},
                                                               {"sum_whole", R"cuda(
extern "C" __global__ void sum_whole(const __grid_constant__ Arguments<21> arguments) {
  const long long *parts = arguments.words, *o = parts + 9;
  if (threadIdx.x != 0)
    return;
  float sum = 0;
  for (long long part = 0; part < parts[2]; ++part)
    sum += *tokenOf(parts, blockIdx.x, part);
  *tokenOf(o, blockIdx.x, 0) = sum;
}
)cuda"}};

/// `package` as the compiler hands it over, with the sources of its kernels in the place of images.
inline Package handWritten(Package package) {
  package.prelude = hand_written_prelude;
  for (const PackageImage &image : package.images)
    for (const KernelSource &source : hand_written_kernels)
      if (source.kernel == image.kernel)
        package.sources.push_back(source);
  package.images.clear();
  return package;
}

} // namespace linmu::test
