#include "distill/recompute.h"

namespace linmu::distill {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

class Recomputed : public torch::autograd::Function<Recomputed> {
public:
  /// What a context can hold.
  struct Holder : torch::CustomClassHolder {
    explicit Holder(Body held) : body(std::move(held)) {}
    Body body;
  };

  static variable_list forward(AutogradContext *context, const Body &body, const Tensor &input) {
    context->saved_data["body"] = c10::IValue::make_capsule(c10::make_intrusive<Holder>(body));
    context->save_for_backward({input});
    context->set_materialize_grads(false);
    return body(input);
  }

  static variable_list backward(AutogradContext *context, const variable_list &cotangents) {
    auto holder = context->saved_data["body"].toCapsule();
    Tensor input = context->get_saved_variables()[0].detach().requires_grad_();
    variable_list results, given, known;
    {
      torch::AutoGradMode recorded(true);
      results = c10::static_intrusive_pointer_cast<Holder>(holder)->body(input);
    }
    for (std::size_t i = 0; i < results.size(); ++i)
      if (cotangents[i].defined() && results[i].requires_grad()) {
        given.push_back(results[i]);
        known.push_back(cotangents[i]);
      }
    if (!given.empty())
      torch::autograd::backward(given, known);
    return {Tensor(), input.grad()};
  }
};

} // namespace

variable_list recompute(const Body &body, const Tensor &input) { return Recomputed::apply(body, input); }

} // namespace linmu::distill
