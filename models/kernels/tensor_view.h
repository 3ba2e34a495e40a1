// Torch tensors as operands of kernels, without copies.
#pragma once
#include "runtime/core/error.h"
#include "runtime/core/kernel.h"
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

namespace linmu::models {

/// Borrows `tensor`, which must outlive the view. Throws Error(invalidArgument) naming `operand` for a dtype
/// that no pattern has or a tensor that is neither on the CPU nor on a CUDA device.
inline TensorView toView(const torch::Tensor &tensor, const std::string &operand) {
  TensorView view;
  switch (tensor.scalar_type()) {
  case torch::kFloat32:
    view.dtype = DType::f32;
    break;
  case torch::kBFloat16:
    view.dtype = DType::bf16;
    break;
  case torch::kFloat16:
    view.dtype = DType::f16;
    break;
  case torch::kInt32:
    view.dtype = DType::i32;
    break;
  case torch::kBool:
    view.dtype = DType::i1;
    break;
  default:
    throw Error(ErrorCode::invalidArgument,
                "operand '" + operand + "': expected elements of type f32, bf16, f16, i32 or bool, got " +
                    std::string(torch::toString(tensor.scalar_type())));
  }
  bool on_cuda = tensor.device().is_cuda();
  if ((!tensor.device().is_cpu() && !on_cuda) || tensor.dim() > TensorView::maxRank)
    throw Error(ErrorCode::invalidArgument,
                "operand '" + operand + "': expected a tensor on the CPU or a CUDA device of at most " +
                    std::to_string(TensorView::maxRank) + " axes, got one on " + tensor.device().str() +
                    " with " + std::to_string(tensor.dim()));
  if (on_cuda)
    view.device = {Device::cuda, tensor.device().index()};
  view.data = tensor.data_ptr();
  view.rank = int(tensor.dim());
  for (int axis = 0; axis < view.rank; ++axis) {
    view.sizes[axis] = tensor.size(axis);
    view.strides[axis] = tensor.stride(axis);
  }
  return view;
}

/// Torch's caching allocator, which knows about streams and graphs that are being captured. Memory is of the
/// current stream.
class TorchAllocator final : public DeviceAllocator {
public:
  void *allocate(std::int64_t bytes, std::int32_t device, void *) override {
    memory_ =
        torch::empty({bytes}, torch::dtype(torch::kUInt8).device(torch::kCUDA, c10::DeviceIndex(device)));
    return memory_.data_ptr();
  }
  void release(void *, std::int32_t, void *) noexcept override { memory_.reset(); }

private:
  torch::Tensor memory_;
};

/// Launches `kernel` on tensors in the order of its signature; on a CUDA device on torch's current stream.
inline void launch(const Kernel &kernel, const std::vector<torch::Tensor> &inputs,
                   const std::vector<torch::Tensor> &results) {
  const Signature &signature = kernel.signature();
  auto views = [](const std::vector<torch::Tensor> &tensors, const std::vector<OperandSpec> &specs) {
    std::vector<TensorView> result;
    for (std::size_t i = 0; i < tensors.size(); ++i)
      result.push_back(toView(tensors[i], i < specs.size() ? specs[i].name : "?"));
    return result;
  };
  TorchAllocator allocator;
  LaunchOptions options;
  if (kernel.deviceKind() == Device::cuda) {
    for (const torch::Tensor &tensor : inputs.empty() ? results : inputs)
      if (tensor.is_cuda()) {
        const c10::impl::VirtualGuardImpl devices(c10::DeviceType::CUDA);
        options.stream = devices.getStream(tensor.device()).native_handle();
        break;
      }
    options.allocator = &allocator;
  }
  kernel(views(inputs, signature.inputs), views(results, signature.results), options);
}

} // namespace linmu::models
