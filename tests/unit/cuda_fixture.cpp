#include "tests/unit/cuda_fixture.h"
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>

namespace linmu::test {

namespace {

// Before anything reads the settings of the environment.
[[maybe_unused]] const int named = setenv("LINMU_CUDA_DRIVER", LINMU_FAKE_CUDA_DRIVER, 1);

/// The four-dimensional tensor of f32 whose words begin at `at`.
float *element(std::span<const long long> words, std::size_t at, std::int64_t batch, std::int64_t token) {
  return reinterpret_cast<float *>(words[at]) + batch * words[at + 5] + token * words[at + 6];
}

void add(std::span<const long long> words, unsigned block) {
  std::int64_t token = block % words[27], batch = block / words[27];
  for (std::int64_t head = 0; head < 3; ++head)
    for (std::int64_t feature = 0; feature < 4; ++feature) {
      auto at = [&](std::size_t operand) {
        return element(words, operand, batch, token) + head * words[operand + 7] + feature;
      };
      *at(18) = *at(0) + *at(9);
    }
}

/// Words: x[B, N, 1, 1], parts[B, P, 1, 1], the grid (P, B).
void sumPart(std::span<const long long> words, unsigned block) {
  std::int64_t part = block % words[18], batch = block / words[18];
  float sum = 0;
  for (std::int64_t token = 4 * part; token < std::min<std::int64_t>(4 * part + 4, words[2]); ++token)
    sum += *element(words, 0, batch, token);
  *element(words, 9, batch, part) = sum;
}

/// Words: parts[B, P, 1, 1], o[B, 1, 1, 1], the grid (B).
void sumWhole(std::span<const long long> words, unsigned block) {
  float sum = 0;
  for (std::int64_t part = 0; part < words[2]; ++part)
    sum += *element(words, 0, block, part);
  *element(words, 9, block, 0) = sum;
}

} // namespace

FakeCuda &fakeCuda() {
  static FakeCuda *state = [] {
    void *library = dlopen(LINMU_FAKE_CUDA_DRIVER, RTLD_NOW | RTLD_LOCAL);
    auto open = library ? reinterpret_cast<FakeCuda *(*)()>(dlsym(library, "linmu_fake_cuda")) : nullptr;
    if (!open)
      std::abort();
    return open();
  }();
  return *state;
}

std::vector<std::string> FakeCuda::take() {
  std::lock_guard lock(mutex);
  return std::exchange(calls, {});
}

void FakeCuda::reset() {
  std::lock_guard lock(mutex);
  calls.clear();
  kernels.clear();
  argument_bytes.clear();
  failures.clear();
  capturing.clear();
  most_threads = 1024;
}

void CudaTest::SetUp() {
  cuda.reset();
  cuda.kernels = {{"add", add}, {"sum_part", sumPart}, {"sum_whole", sumWhole}};
}

std::size_t CudaTest::count(const std::string &function) const {
  std::lock_guard lock(cuda.mutex);
  return std::size_t(std::count_if(cuda.calls.begin(), cuda.calls.end(), [&](const std::string &call) {
    return call == function || call.starts_with(function + " ");
  }));
}

TensorView deviceView(float *data, std::initializer_list<std::int64_t> sizes, int device) {
  TensorView result = view(data, sizes);
  result.device = {Device::cuda, device};
  return result;
}

} // namespace linmu::test
