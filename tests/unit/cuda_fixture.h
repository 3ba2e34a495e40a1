// Tests against the stand-in for the driver.
#pragma once
#include "runtime/core/kernel.h"
#include "tests/unit/fake_cuda_driver.h"
#include "tests/unit/runtime_fixture.h"
#include <gtest/gtest.h>

namespace linmu::test {

/// Each test begins with two devices, no calls and kernels that compute what their packages say.
class CudaTest : public testing::Test {
protected:
  void SetUp() override;
  FakeCuda &cuda = fakeCuda();

  /// The calls so far that begin with `function`.
  std::size_t count(const std::string &function) const;
};

/// A contiguous f32 view that claims to lie on cuda:`device`.
TensorView deviceView(float *data, std::initializer_list<std::int64_t> sizes, int device = 0);

} // namespace linmu::test
