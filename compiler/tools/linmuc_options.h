// The command line of linmuc.
#pragma once
#include "compiler/api/compiler_api.h"
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace linmu::linmuc {

enum class Report { none, text, json };
enum class RunTarget { cpu, interpreter, cuda, emulate };

struct CommandLine {
  bool help = false;
  bool version = false;
  bool show = false; ///< FILE is a package, and nothing else is asked for
  std::filesystem::path file;
  compiler::Options options;    ///< filename, function, aliases, schedule, cpu, target
  bool gradient = false;        ///< everything is of the gradient instead of the pattern
  compiler::Gradient gradients; ///< which
  Report explain = Report::none;
  std::optional<compiler::Emit> emit;
  std::optional<std::filesystem::path> package; ///< where to write the kernel package
  std::optional<std::filesystem::path> run;     ///< the operands, safetensors
  std::filesystem::path out;                    ///< the results of `run`
  RunTarget target = RunTarget::cpu;
  std::string cuda; ///< with RunTarget::cuda: "cuda" or "cuda:ARCHITECTURE,..."
};

extern const char *const helpText;

/// Throws Error(invalidArgument) with one message for anything unknown, repeated, malformed or missing.
CommandLine parseCommandLine(const std::vector<std::string> &arguments);

} // namespace linmu::linmuc
