// Tensors by name in a safetensors file, bit for bit.
#pragma once
#include "runtime/io/safetensors_file.h"
#include <filesystem>
#include <map>
#include <string>
#include <torch/torch.h>

namespace linmu::distill {

using NamedTensors = std::map<std::string, torch::Tensor>;

/// Of f32, bf16, f64, i64 and u8, on any device. Throws Error(unsupported) naming a tensor of another type,
/// Error(io) if the file system refuses.
void writeTensors(const std::filesystem::path &path, const NamedTensors &tensors,
                  const std::map<std::string, std::string> &metadata = {});

/// On the CPU. Throws as SafetensorsFile::open.
NamedTensors readTensors(const std::filesystem::path &path);

/// Copies `from` into the tensors of the same names. Throws Error(corruptFile) naming `origin` and the first
/// tensor that one side lacks or that has another shape or type; nothing is copied then.
void copyTensors(const NamedTensors &from, const NamedTensors &to, const std::string &origin);

} // namespace linmu::distill
