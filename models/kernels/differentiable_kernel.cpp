#include "models/kernels/differentiable_kernel.h"
#include "compiler/api/fork_guard.h"
#include "models/kernels/tensor_view.h"
#include "runtime/core/error.h"
#include "runtime/core/operand_check.h"
#include <algorithm>
#include <map>
#include <mutex>

namespace linmu::models {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

torch::ScalarType scalarType(DType type) {
  switch (type) {
  case DType::bf16:
    return torch::kBFloat16;
  case DType::f16:
    return torch::kFloat16;
  case DType::i32:
    return torch::kInt32;
  case DType::i1:
    return torch::kBool;
  default:
    return torch::kFloat32;
  }
}

std::vector<Tensor> run(const Kernel &kernel, const std::vector<Tensor> &inputs) {
  const Signature &signature = kernel.signature();
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    views.push_back(toView(inputs[i], i < signature.inputs.size() ? signature.inputs[i].name : "?"));
  Symbols symbols = checkOperands({signature.name, signature.inputs, {}}, views, {});
  std::vector<Tensor> results;
  for (const OperandSpec &spec : signature.results)
    results.push_back(torch::empty(shapeOf(spec, symbols),
                                   torch::dtype(scalarType(spec.dtype)).device(inputs.front().device())));
  launch(kernel, inputs, results);
  return results;
}

/// Kernels need rows without gaps, which what autograd hands over, repeated as it may be, does not have.
Tensor withDenseRows(const Tensor &tensor) {
  bool dense = tensor.dim() == 0 || tensor.size(-1) == 1 || tensor.stride(-1) == 1;
  return dense ? tensor : tensor.contiguous();
}

} // namespace

struct DifferentiableKernel::State {
  using Names = std::vector<std::string>;

  State(std::string source, CompileOptions options)
      : source(std::move(source)), options(std::move(options)),
        forward(compile(this->source, this->options)) {}

  const Kernel &gradient(const Names &wrt, const Names &of) {
    compiler::ForkGuard guard; // the outermost of all locks
    std::lock_guard lock(mutex);
    auto found = gradients.find({wrt, of});
    if (found != gradients.end())
      return found->second;
    CompileOptions differentiated = options;
    differentiated.gradient = {wrt, of};
    return gradients.emplace(std::pair(wrt, of), compile(source, differentiated)).first->second;
  }

  const std::string source;
  const CompileOptions options;
  const Kernel forward;

private:
  std::mutex mutex;
  std::map<std::pair<Names, Names>, Kernel> gradients;
};

namespace {

/// The gradients of a call: what a backward of the backward finds.
class GradientFunction : public Function<GradientFunction> {
public:
  static variable_list forward(AutogradContext *context, const Kernel &kernel, torch::TensorList operands) {
    context->saved_data["name"] = kernel.signature().name;
    return run(kernel, operands.vec());
  }

  static variable_list backward(AutogradContext *context, const variable_list &) {
    throw Error(
        ErrorCode::unsupported,
        "pattern '" + context->saved_data["name"].toStringRef() +
            "' is a gradient, which has no gradient: derivatives of the second order are not supported",
        "detach() what is not to be differentiated again");
  }
};

} // namespace

class PatternFunction : public Function<PatternFunction> {
public:
  using State = DifferentiableKernel::State;
  /// What a context can hold.
  struct Holder : torch::CustomClassHolder {
    explicit Holder(std::shared_ptr<State> held) : state(std::move(held)) {}
    std::shared_ptr<State> state;
  };

  static variable_list forward(AutogradContext *context, const std::shared_ptr<State> &state,
                               torch::TensorList inputs) {
    variable_list results = run(state->forward, inputs.vec()), whole;
    context->saved_data["kernel"] = c10::IValue::make_capsule(c10::make_intrusive<Holder>(state));
    context->save_for_backward(inputs.vec());
    context->set_materialize_grads(false);
    for (const Tensor &result : results)
      if (!result.is_floating_point())
        whole.push_back(result);
    context->mark_non_differentiable(whole);
    return results;
  }

  static variable_list backward(AutogradContext *context, const variable_list &cotangents) {
    auto holder = context->saved_data["kernel"].toCapsule();
    const std::shared_ptr<State> &state = c10::static_intrusive_pointer_cast<Holder>(holder)->state;
    const Signature &signature = state->forward.signature();
    variable_list operands = context->get_saved_variables();
    std::size_t inputs = operands.size();
    State::Names wrt, of;
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < inputs; ++i)
      if (context->needs_input_grad(i)) {
        wrt.push_back(signature.inputs[i].name);
        wanted.push_back(i);
      }
    for (std::size_t i = 0; i < cotangents.size(); ++i)
      if (cotangents[i].defined() && cotangents[i].is_floating_point()) {
        of.push_back(signature.results[i].name);
        operands.push_back(withDenseRows(cotangents[i]));
      }
    variable_list gradients(1 + inputs); // none of the kernel itself
    if (wrt.empty() || of.empty())
      return gradients;
    variable_list found = GradientFunction::apply(state->gradient(wrt, of), torch::TensorList(operands));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      bool shared = found[i].size(0) != operands[wanted[i]].size(0);
      gradients[1 + wanted[i]] = shared ? found[i].sum(0, /*keepdim=*/true) : found[i];
    }
    return gradients;
  }
};

DifferentiableKernel::DifferentiableKernel(std::string source, CompileOptions options)
    : state_(std::make_shared<State>(std::move(source), std::move(options))) {}

std::vector<Tensor> DifferentiableKernel::operator()(const std::vector<Tensor> &inputs) const {
  bool recorded =
      torch::GradMode::is_enabled() &&
      std::any_of(inputs.begin(), inputs.end(), [](const Tensor &x) { return x.requires_grad(); });
  return recorded ? PatternFunction::apply(state_, torch::TensorList(inputs)) : run(state_->forward, inputs);
}

const Kernel &DifferentiableKernel::kernel() const { return state_->forward; }

} // namespace linmu::models
