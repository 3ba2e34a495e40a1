#include "runtime/core/dlpack_view.h"
#include "runtime/core/error.h"
#include <iterator>

namespace linmu {

namespace {

constexpr DType every_type[] = {DType::f32, DType::bf16, DType::f16, DType::i32, DType::i1};

std::string nameOf(DLDataType type) {
  static constexpr const char *kinds[] = {"int", "uint", "float", "opaque", "bfloat", "complex", "bool"};
  std::string kind = type.code < std::size(kinds) ? kinds[type.code] : "kind" + std::to_string(type.code);
  return kind + std::to_string(type.bits) + (type.lanes == 1 ? "" : "x" + std::to_string(type.lanes));
}

/// "device type 2 (CUDA)", by DLPack's numbers.
std::string nameOf(DLDevice device) {
  static constexpr const char *names[] = {nullptr,  "CPU",
                                          "CUDA",   "CUDA's host memory",
                                          "OpenCL", nullptr,
                                          nullptr,  "Vulkan",
                                          "Metal",  "VPI",
                                          "ROCm",   "ROCm's host memory",
                                          nullptr,  "CUDA's managed memory",
                                          "oneAPI"};
  const std::int32_t type = device.device_type;
  const char *known = type >= 0 && type < std::int32_t(std::size(names)) ? names[type] : nullptr;
  return "device type " + std::to_string(type) + (known ? std::string(" (") + known + ")" : "");
}

DType typeOf(DLDataType type, const std::string &who, DType expected) {
  for (DType candidate : every_type) {
    const DLDataType known = dlpackType(candidate);
    if (type.code == known.code && type.bits == known.bits && type.lanes == known.lanes)
      return candidate;
  }
  throw Error(ErrorCode::invalidArgument, who + ": expected elements of type " + std::string(name(expected)) +
                                              (expected == DType::i1 ? " (bool)" : "") + ", got " +
                                              nameOf(type));
}

} // namespace

DLDataType dlpackType(DType type) {
  enum : std::uint8_t { integer = 0, floating = 2, bfloat = 4, boolean = 6 };
  const auto bits = std::uint8_t(8 * sizeOf(type));
  switch (type) {
  case DType::f32:
  case DType::f16:
    return {floating, bits, 1};
  case DType::bf16:
    return {bfloat, bits, 1};
  case DType::i32:
    return {integer, bits, 1};
  case DType::i1:
    return {boolean, bits, 1};
  }
  throw Error(ErrorCode::internal, "unknown element type");
}

TensorView viewOf(const DLTensor &tensor, const std::string &who, DType expected) {
  TensorView view;
  if (tensor.device.device_type == dlpack_cuda || tensor.device.device_type == dlpack_cuda_managed)
    view.device = {Device::cuda, tensor.device.device_id};
  else if (tensor.device.device_type != dlpack_cpu)
    throw Error(ErrorCode::unsupported,
                who + ": expected a tensor on the CPU or a CUDA device, got " + nameOf(tensor.device));
  if (tensor.ndim < 0 || tensor.ndim > TensorView::maxRank)
    throw Error(ErrorCode::invalidArgument, who + ": expected at most " +
                                                std::to_string(TensorView::maxRank) + " axes, got " +
                                                std::to_string(tensor.ndim));
  if (tensor.ndim > 0 && !tensor.shape)
    throw Error(ErrorCode::invalidArgument, who + ": expected a shape, got a null pointer");
  if (tensor.data)
    view.data = static_cast<char *>(tensor.data) + tensor.byte_offset;
  view.dtype = typeOf(tensor.dtype, who, expected);
  view.rank = tensor.ndim;
  // Extents that make no sense are refused with the operand's check; the product must not overflow before.
  std::uint64_t contiguous = 1;
  for (int axis = tensor.ndim - 1; axis >= 0; --axis) {
    view.sizes[axis] = tensor.shape[axis];
    view.strides[axis] = tensor.strides ? tensor.strides[axis] : std::int64_t(contiguous);
    contiguous *= std::uint64_t(tensor.shape[axis]);
  }
  return view;
}

} // namespace linmu
