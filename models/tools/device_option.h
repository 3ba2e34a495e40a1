// The option --device of commands that compute by themselves.
#pragma once
#include "runtime/core/error.h"
#include <CLI/CLI.hpp>
#include <string>
#include <torch/torch.h>

namespace linmu::tools {

inline CLI::Option *addDevice(CLI::App &command, std::string &value) {
  return command.add_option("--device", value, "cpu (default) or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}));
}

/// What the option names. Throws Error(unsupported) for a GPU where there is none.
inline torch::DeviceType deviceOf(const std::string &value) {
  if (value != "cuda")
    return torch::kCPU;
  if (!torch::cuda::is_available())
    throw Error(ErrorCode::unsupported, "--device cuda: torch finds no GPU here",
                "--device cpu runs anywhere");
  return torch::kCUDA;
}

} // namespace linmu::tools
