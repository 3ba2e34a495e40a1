#include "runtime/jit/compile.h"
#include "compiler/api/fork_guard.h"
#include "runtime/jit/jit.h"
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace linmu {

namespace {

jit::Jit &processJit() {
  // Never destroyed: kernels may be compiled and launched by other threads until the process ends.
  static auto *the_jit = new jit::Jit(jit::CompilerTable{&compiler::signature, &compiler::compile,
                                                         &compiler::explain, &compiler::buildIdentity});
  return *the_jit;
}

} // namespace

Kernel compile(std::string_view source, const CompileOptions &options) {
  compiler::ForkGuard guard; // before the locks of the caches
  return processJit().compile(source, options);
}

Kernel compileFile(const std::filesystem::path &path, CompileOptions options) {
  errno = 0; // that of an earlier call would be taken for this one's
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    throw Error(ErrorCode::io, "cannot read the pattern file '" + path.string() +
                                   "': " + (errno ? std::strerror(errno) : "it is empty"));
  options.filename = path.string();
  return compile(text.str(), options);
}

std::string explain(std::string_view source, const CompileOptions &options, bool json) {
  compiler::ForkGuard guard;
  return processJit().explain(source, options, json);
}

CompileStatistics compileStatistics() {
  compiler::ForkGuard guard;
  return processJit().statistics();
}

} // namespace linmu
