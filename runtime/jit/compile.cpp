#include "runtime/jit/compile.h"
#include "compiler/api/fork_guard.h"
#include "runtime/io/input_text.h"
#include "runtime/jit/jit.h"

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
  std::string text = readInputText(path);
  if (text.empty())
    throw Error(ErrorCode::io, "cannot read " + path.string() + ": it is empty");
  options.filename = path.string();
  return compile(text, options);
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
