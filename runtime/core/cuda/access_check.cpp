#include "runtime/core/cuda/access_check.h"
#include "runtime/core/error.h"
#include <cstdlib>
#include <limits>
#include <string>

namespace linmu::cuda {

namespace {

/// The widest access of an operand's rows: a power of two of bytes.
std::int64_t widestAccess(const OperandSpec &spec) {
  std::int64_t bytes = std::int64_t(sizeOf(spec.dtype));
  if (spec.shape.empty() || spec.shape.back().kind != Extent::constant)
    return bytes;
  std::int64_t row = bytes * spec.shape.back().value;
  while (bytes < 16 && row % (2 * bytes) == 0)
    bytes *= 2;
  return bytes;
}

void check(const Signature &signature, const OperandSpec &spec, const TensorView &view, bool input) {
  auto fail = [&](const std::string &expected, const std::string &actual) {
    throw Error(ErrorCode::invalidArgument,
                std::string(input ? "operand '" : "result '") + spec.name + "' of pattern '" +
                    signature.name + "': expected " + expected + ", got " + actual,
                input ? "pass a contiguous copy" : "");
  };
  std::int64_t width = widestAccess(spec), bytes = std::int64_t(sizeOf(view.dtype));
  if (auto past = std::int64_t(reinterpret_cast<std::uintptr_t>(view.data) % std::uintptr_t(width)))
    fail("data aligned to " + std::to_string(width) + " bytes",
         "an address that is " + std::to_string(past) + " bytes past it");
  for (int axis = 0; axis + 1 < view.rank; ++axis) {
    if (view.sizes[axis] < 2)
      continue;
    std::string where = " along dimension " + std::to_string(axis);
    if (view.strides[axis] % (width / bytes) != 0)
      fail("a stride that is a multiple of " + std::to_string(width / bytes) + where,
           std::to_string(view.strides[axis]));
    std::int64_t most = std::numeric_limits<std::int32_t>::max() / bytes;
    if (axis == 1 && std::abs(view.strides[axis]) > most)
      fail("a stride of at most " + std::to_string(most) + where, std::to_string(view.strides[axis]));
  }
}

} // namespace

void checkAccess(const Signature &signature, std::span<const TensorView> inputs,
                 std::span<const TensorView> results) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check(signature, signature.inputs[i], inputs[i], true);
  for (std::size_t i = 0; i < results.size(); ++i)
    check(signature, signature.results[i], results[i], false);
}

} // namespace linmu::cuda
