// Packages around hand-made kernels, and tensors for them.
#pragma once
#include "runtime/core/error.h"
#include "runtime/core/package.h"
#include "runtime/core/tensor_view.h"
#include <functional>
#include <initializer_list>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace linmu::test {

/// The code of one function of runtime_kernels.c.
std::vector<std::byte> image(const std::string &kernel);

/// Pattern 'sum2': o = x + y, each [B, N, 3, 4] of f32, one block a token.
Package addPackage();

/// Pattern 'total': two launches with a temporary of ceil(N / 4) rows between them; o[B, 1, 1, 1] = sum over
/// N of x[B, N, 1, 1].
Package totalPackage();

/// One result [B, N, 1, 1] of f32, one block a token, no inputs.
Package resultOnlyPackage(const std::string &kernel, std::int64_t workspace_bytes = 0);

/// addPackage() for CUDA: one image, for sm_90a, whose code is the text "add" with a zero behind, and blocks
/// of 128 threads.
Package cudaAddPackage();

/// totalPackage() for CUDA likewise, with images of "sum_part" and "sum_whole".
Package cudaTotalPackage();

/// An image whose code is `names`, by default the name of its kernel, with a zero behind: what the stand-in
/// for the driver takes.
PackageImage fakeImage(const std::string &architecture, const std::string &kernel,
                       const std::string &names = {});

/// A package for CUDA as the compiler hands it over: in the place of each image a source, all of them `text`.
Package withoutImages(Package package, const std::string &text);

/// A contiguous f32 view.
TensorView view(float *data, std::initializer_list<std::int64_t> sizes);

/// The error that `body` throws. Fails the test if it throws none.
Error errorOf(const std::function<void()> &body);

/// "cpu:<architecture>" as of this machine.
std::string hostTarget();

/// While one lives, the process gets at most `more` bytes of address space.
class AddressSpaceLimit {
public:
  explicit AddressSpaceLimit(std::size_t more);
  ~AddressSpaceLimit() { setrlimit(RLIMIT_AS, &before_); }
  AddressSpaceLimit(const AddressSpaceLimit &) = delete;
  AddressSpaceLimit &operator=(const AddressSpaceLimit &) = delete;

private:
  rlimit before_{};
};

} // namespace linmu::test
