// Holds every function of the device prelude against its portable version: both run the same kernels. Bit for
// bit for what moves data, converts, or multiplies small integers; within stated tolerances for sums of
// tensor cores and for exponentials. One program, from the root of the sources:
//
//   nvcc -std=c++20 -O2 -arch=sm_90a -I. -o prelude_test tests/gpu/prelude_{test.cu,cases.cpp,portable.cpp} \
//     compiler/target/cuda/emulation/{Block,BlockMemory,Clocks,Emulation,Fibers,MatrixAccess}.cpp \
//     compiler/target/cuda/emulation/{Memory,Scheduler,Shadow,WarpInstructions}.cpp
//   ./prelude_test                 (--emulate-only: without a GPU; only that the emulation finds no fault)
//
// -arch=sm_80 (to sm_89) runs the stores of matrices that have no instruction there; give --architecture=80
// as well. The last line is `N passed, N failed`.
#define LINMU_FUNCTION __device__ __forceinline__
// clang-format off: each builds on those before it
#include "compiler/target/cuda/prelude/types.cuh"
#include "compiler/target/cuda/prelude/device/index.cuh"
#include "compiler/target/cuda/prelude/device/memory.cuh"
#include "compiler/target/cuda/prelude/device/copy.cuh"
#include "compiler/target/cuda/prelude/device/warp.cuh"
#include "compiler/target/cuda/prelude/device/barrier.cuh"
#include "compiler/target/cuda/prelude/device/matrix.cuh"
#include "compiler/target/cuda/prelude/device/product.cuh"
#include "compiler/target/cuda/prelude/device/math.cuh"
#include "compiler/target/cuda/prelude/device/target.cuh"
#include "compiler/target/cuda/prelude/device/functions.cuh"
#include "compiler/target/cuda/prelude/integers.cuh"
#include "compiler/target/cuda/prelude/floats.cuh"
#include "compiler/target/cuda/prelude/conversions.cuh"
#include "compiler/target/cuda/prelude/vector.cuh"
#include "compiler/target/cuda/prelude/operands.cuh"
#include "compiler/target/cuda/prelude/fragments.cuh"
// clang-format on

using namespace prelude;

template <class To, class From> LINMU_FUNCTION To *same_place(Global<From> from) {
  return reinterpret_cast<To *>(from.pointer);
}
template <class T> LINMU_FUNCTION i64 word_of_place(Global<T> first) { return reinterpret_cast<i64>(first.pointer); }
#define LINMU_TEST_KERNEL static __global__ void
#include "tests/gpu/prelude_functions.cuh"
#include "tests/gpu/prelude_kernels.cuh"
#include "tests/unit/kernels/handover.cu"
#include "tests/unit/kernels/matmul.cu"
#include "tests/unit/kernels/row_sums.cu"

#include "compiler/target/cuda/emulation/Numbers.h"
#include "tests/gpu/prelude_cases.h"
#include <cstdio>
#include <cstring>

namespace emulation = linmu::emulation;
using linmu::prelude_test::Case;
using linmu::prelude_test::Words;

namespace {

std::map<std::string, const void *> deviceKernels() {
  auto pointer = [](auto *kernel) { return reinterpret_cast<const void *>(kernel); };
  return {
      {"indices", pointer(indices)},         {"accesses", pointer(accesses)},
      {"halves", pointer(halves)},           {"bytes", pointer(bytes)},
      {"copies", pointer(copies)},           {"warps", pointer(warps)},
      {"matrices", pointer(matrices)},       {"products", pointer(products)},
      {"conversions", pointer(conversions)}, {"exponentials", pointer(exponentials)},
      {"handover", pointer(handover)},       {"matmul", pointer(matmul)},
      {"row_sums", pointer(row_sums)},       {"approximations", pointer(approximations)},
      {"powers", pointer(powers)},           {"roundings", pointer(roundings)},
      {"arithmetic", pointer(arithmetic)},   {"integers", pointer(integers)},
      {"places", pointer(places)},           {"conversions_of_types", pointer(conversions_of_types)},
      {"fragments", pointer(fragments)},     {"operands", pointer(operands)},
      {"fences", pointer(fences)},
  };
}

bool succeeded(cudaError_t status, const char *what) {
  if (status != cudaSuccess)
    std::printf("  %s: %s\n", what, cudaGetErrorString(status));
  return status == cudaSuccess;
}

bool runDevice(const Case &test, Words &result) {
  std::vector<void *> memories;
  std::vector<i32> scalars = test.scalars;
  std::vector<void *> arguments;
  bool good = true;
  for (std::size_t index = 0; index <= test.inputs.size(); ++index) {
    bool out = index == test.inputs.size();
    std::size_t size = (out ? test.outWords : test.inputs[index].size()) * 4;
    void *memory = nullptr;
    good = good && succeeded(cudaMalloc(&memory, size), "cudaMalloc");
    good =
        good && succeeded(out ? cudaMemset(memory, 0xff, size)
                              : cudaMemcpy(memory, test.inputs[index].data(), size, cudaMemcpyHostToDevice),
                          "filling memory");
    memories.push_back(memory);
  }
  for (void *&memory : memories)
    arguments.push_back(&memory);
  for (i32 &scalar : scalars)
    arguments.push_back(&scalar);
  const auto &grid = test.launch.grid;
  good = good && succeeded(cudaLaunchKernel(deviceKernels().at(test.name), dim3(grid[0], grid[1], grid[2]),
                                            dim3(test.launch.threads), arguments.data(),
                                            test.launch.sharedBytes, nullptr),
                           "launch");
  good = good && succeeded(cudaDeviceSynchronize(), "kernel");
  result.resize(test.outWords);
  good =
      good && succeeded(cudaMemcpy(result.data(), memories.back(), test.outWords * 4, cudaMemcpyDeviceToHost),
                        "reading");
  for (void *memory : memories)
    cudaFree(memory);
  return good;
}

bool compare(const Case &test, const Words &got, const Words &expected) {
  int wrong = 0;
  for (std::size_t index = 0; index < expected.size(); ++index) {
    std::string fault = test.compare(test, index, got[index], expected[index]);
    if (!fault.empty() && ++wrong <= 5)
      std::printf("  word %zu: device %08x (%g), portable %08x (%g): %s\n", index, got[index],
                  double(emulation::floatOf(got[index])), expected[index],
                  double(emulation::floatOf(expected[index])), fault.c_str());
  }
  if (wrong > 5)
    std::printf("  and %d more\n", wrong - 5);
  return wrong == 0;
}

} // namespace

int main(int argc, char **argv) {
  bool emulateOnly = false;
  unsigned architecture = 90;
  for (int index = 1; index < argc; ++index) {
    if (std::strcmp(argv[index], "--emulate-only") == 0)
      emulateOnly = true;
    else if (std::sscanf(argv[index], "--architecture=%u", &architecture) != 1) {
      std::printf("unknown argument '%s': --emulate-only and --architecture=80 are known\n", argv[index]);
      return 2;
    }
  }
  int passed = 0, failed = 0;
  for (const Case &test : linmu::prelude_test::allCases(architecture)) {
    Words got, expected;
    emulation::Verdict verdict = linmu::prelude_test::runPortable(test, expected);
    bool good = verdict.outcome == emulation::Outcome::clean;
    if (!good)
      std::printf("  emulation: %s\n", emulation::toString(verdict).c_str());
    if (good && !emulateOnly)
      good = runDevice(test, got) && compare(test, got, expected);
    std::printf("%s %s%s (%zu words)\n", good ? "ok    " : "FAILED", test.name, test.title, expected.size());
    ++(good ? passed : failed);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
