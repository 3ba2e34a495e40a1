#include "distill/parameters.h"
#include "runtime/core/error.h"
#include <array>
#include <fmt/format.h>

namespace linmu::distill {

static constexpr std::array<std::string_view, 6> partNames = {"backbone", "vision", "flex",
                                                              "swin",     "fusion", "adapters"};

std::string_view name(Part part) { return partNames[std::size_t(part)]; }

Part partNamed(std::string_view wanted) {
  for (std::size_t i = 0; i < partNames.size(); ++i)
    if (partNames[i] == wanted)
      return Part(i);
  throw Error(ErrorCode::invalidArgument,
              fmt::format("a part of the model must be 'backbone', 'vision', 'flex', 'swin', 'fusion' or "
                          "'adapters', got '{}'",
                          wanted));
}

void Parameters::add(std::string name, torch::Tensor tensor, Part part) {
  if (!names_.insert(name).second)
    throw Error(ErrorCode::invalidArgument, fmt::format("there is a parameter '{}' already", name));
  all_.push_back({std::move(name), std::move(tensor), part});
}

void Parameters::train(const std::set<Part> &parts) {
  for (Parameter &parameter : all_) {
    parameter.tensor.mutable_grad() = torch::Tensor();
    parameter.tensor.requires_grad_(parts.contains(parameter.part));
  }
}

std::vector<Parameter> Parameters::trained() const {
  std::vector<Parameter> trained;
  for (const Parameter &parameter : all_)
    if (parameter.tensor.requires_grad())
      trained.push_back(parameter);
  return trained;
}

} // namespace linmu::distill
