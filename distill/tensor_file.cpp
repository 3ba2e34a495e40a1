#include "distill/tensor_file.h"
#include "runtime/core/error.h"
#include "runtime/io/safetensors_writer.h"
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace linmu::distill {

using torch::Tensor;

namespace {

struct Type {
  torch::ScalarType torch;
  StoredType stored;
};
constexpr Type types[] = {{torch::kFloat32, StoredType::f32},
                          {torch::kBFloat16, StoredType::bf16},
                          {torch::kFloat64, StoredType::f64},
                          {torch::kInt64, StoredType::i64},
                          {torch::kUInt8, StoredType::u8}};

StoredType storedType(const std::string &name, const Tensor &tensor) {
  for (const Type &type : types)
    if (type.torch == tensor.scalar_type())
      return type.stored;
  throw Error(ErrorCode::unsupported,
              fmt::format("tensor '{}': expected f32, bf16, f64, i64 or u8 to store, got {}", name,
                          c10::toString(tensor.scalar_type())));
}

torch::ScalarType torchType(const std::string &name, StoredType stored) {
  for (const Type &type : types)
    if (type.stored == stored)
      return type.torch;
  throw Error(ErrorCode::unsupported, fmt::format("tensor '{}': expected F32, BF16, F64, I64 or U8, got {}",
                                                  name, linmu::name(stored)));
}

} // namespace

void writeTensors(const std::filesystem::path &path, const NamedTensors &tensors,
                  const std::map<std::string, std::string> &metadata) {
  std::vector<Tensor> kept;
  std::vector<TensorToStore> stored;
  for (const auto &[name, tensor] : tensors) {
    kept.push_back(tensor.detach().cpu().contiguous());
    const Tensor &flat = kept.back();
    stored.push_back({name,
                      storedType(name, flat),
                      flat.sizes().vec(),
                      {static_cast<const std::byte *>(flat.data_ptr()), flat.nbytes()}});
  }
  writeSafetensors(path, stored, metadata);
}

NamedTensors readTensors(const std::filesystem::path &path) {
  SafetensorsFile file = SafetensorsFile::open(path);
  NamedTensors tensors;
  for (const auto &[name, stored] : file.tensors()) {
    Tensor tensor = torch::empty(stored.shape, torchType(name, stored.type));
    if (!stored.bytes.empty())
      std::memcpy(tensor.data_ptr(), stored.bytes.data(), stored.bytes.size());
    tensors.emplace(name, std::move(tensor));
  }
  return tensors;
}

void copyTensors(const NamedTensors &from, const NamedTensors &to, const std::string &origin) {
  auto refuse = [&](const std::string &message) {
    throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", origin, message));
  };
  for (const auto &[name, source] : from)
    if (!to.contains(name))
      refuse(fmt::format("holds the tensor '{}', which the model does not have", name));
  for (const auto &[name, target] : to) {
    auto found = from.find(name);
    if (found == from.end())
      refuse(fmt::format("requires the tensor '{}'", name));
    const Tensor &source = found->second;
    if (source.sizes() != target.sizes() || source.scalar_type() != target.scalar_type())
      refuse(fmt::format("tensor '{}' must be {} [{}], got {} [{}]", name,
                         c10::toString(target.scalar_type()), fmt::join(target.sizes(), ", "),
                         c10::toString(source.scalar_type()), fmt::join(source.sizes(), ", ")));
  }
  torch::NoGradGuard guard;
  for (const auto &[name, target] : to)
    Tensor(target).copy_(from.at(name));
}

} // namespace linmu::distill
