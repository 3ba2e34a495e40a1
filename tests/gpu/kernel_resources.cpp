// What kernels take of an architecture, without a GPU: `kernel_resources SOURCE.cu ARCHITECTURE...` compiles
// CUDA source, all kernels at once, as launches get it kernel by kernel, and prints a line for each
// architecture and kernel: architecture, kernel, registers of a thread, bytes that are stored to and loaded
// from memory because registers were too few. Needs NVRTC.
#include "runtime/core/cuda/architecture.h"
#include "runtime/core/error.h"
#include "runtime/jit/nvrtc.h"
#include <cstdio>
#include <fstream>
#include <regex>
#include <sstream>

using namespace linmu;

/// Reads ptxas's report: "Compiling entry function 'k' ...", "... N bytes spill stores, N bytes spill loads",
/// "Used N registers, ...", in this order for each kernel. The number of kernels found.
static int printReport(const std::string &log, const std::string &architecture) {
  static const std::regex entry("Compiling entry function '([^']*)'");
  static const std::regex spills("([0-9]+) bytes spill stores, ([0-9]+) bytes spill loads");
  static const std::regex registers("Used ([0-9]+) registers");
  std::istringstream lines(log);
  std::string kernel, stored, loaded;
  int kernels = 0;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, match, entry))
      kernel = match[1];
    else if (std::regex_search(line, match, spills))
      stored = match[1], loaded = match[2];
    else if (std::regex_search(line, match, registers)) {
      std::printf("%s %s %s %s %s\n", architecture.c_str(), kernel.c_str(), match[1].str().c_str(),
                  stored.c_str(), loaded.c_str());
      ++kernels;
    }
  }
  return kernels;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: kernel_resources SOURCE.cu ARCHITECTURE...\n");
    return 2;
  }
  std::ifstream file(argv[1]);
  std::stringstream source;
  source << file.rdbuf();
  try {
    const jit::Nvrtc nvrtc = jit::Nvrtc::find();
    for (int index = 2; index < argc; ++index) {
      auto architecture = cuda::Architecture::parse(argv[index]);
      if (!architecture) {
        std::fprintf(stderr, "unknown architecture '%s'\n", argv[index]);
        return 2;
      }
      auto result = nvrtc.compile(source.str(), "kernels.cu", *architecture, {"--ptxas-options=-v"});
      if (printReport(result.log, argv[index]) == 0) {
        std::fprintf(stderr, "ptxas reports no kernel:\n%s\n", result.log.c_str());
        return 1;
      }
    }
  } catch (const Error &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
