#include "runtime/jit/target.h"
#include "runtime/core/cuda/devices.h"
#include "runtime/core/error.h"
#include <algorithm>

namespace linmu::jit {

namespace {

void addOnce(std::vector<cuda::Architecture> &architectures, const cuda::Architecture &architecture) {
  if (std::find(architectures.begin(), architectures.end(), architecture) == architectures.end())
    architectures.push_back(architecture);
}

std::vector<cuda::Architecture> architecturesAtHand() {
  std::vector<cuda::Architecture> architectures;
  try {
    for (const cuda::DeviceInfo &device : cuda::devices())
      addOnce(architectures, device.architecture());
  } catch (const Error &error) {
    throw Error(error.code(), error.what(), "name what to compile for, e.g. cuda:sm_90a");
  }
  return architectures;
}

} // namespace

Target Target::parse(std::string_view text) {
  constexpr std::string_view prefix = "cuda:";
  if (text == "cpu")
    return {};
  if (text == "cuda")
    return {.cuda = true, .architectures = architecturesAtHand()};
  if (text == "emulate")
    return {.cuda = true, .emulate = true};
  auto refuse = [&](const std::string &got) {
    throw Error(
        ErrorCode::invalidArgument,
        "target: expected cpu, cuda, cuda:ARCHITECTURE,... such as cuda:sm_90a,sm_80, or emulate, got " +
            got);
  };
  if (!text.starts_with(prefix))
    refuse("'" + std::string(text) + "'");
  Target target{.cuda = true};
  for (std::string_view rest = text.substr(prefix.size());;) {
    std::size_t comma = std::min(rest.find(','), rest.size());
    auto architecture = cuda::Architecture::parse(rest.substr(0, comma));
    if (!architecture)
      refuse("the architecture '" + std::string(rest.substr(0, comma)) + "'");
    addOnce(target.architectures, *architecture);
    if (comma == rest.size())
      return target;
    rest.remove_prefix(comma + 1);
  }
}

std::string Target::name() const {
  if (!cuda)
    return "cpu";
  if (emulate)
    return "emulate";
  std::string text;
  for (const cuda::Architecture &architecture : architectures)
    text += (text.empty() ? "cuda:" : ",") + architecture.name();
  return text;
}

std::int64_t Target::sharedBytes() const {
  if (architectures.empty())
    return cuda::Architecture{.major = 8}.sharedBytes();
  std::int64_t least = architectures.front().sharedBytes();
  for (const cuda::Architecture &architecture : architectures)
    least = std::min(least, architecture.sharedBytes());
  return least;
}

} // namespace linmu::jit
