// NVRTC, loaded from a CUDA toolkit or from torch's wheels: CUDA C++ to machine code, on machines without a
// GPU.
#pragma once
#include <string>
#include <vector>

namespace linmu {

struct NvrtcResult {
  bool compiled = false;
  std::string log;
  std::vector<char> cubin;
};

/// For an architecture like "sm_90a". Where NVRTC is missing the log says where it was looked for.
NvrtcResult compileWithNvrtc(const std::string &text, const std::string &architecture,
                             const std::vector<std::string> &options = {});

} // namespace linmu
