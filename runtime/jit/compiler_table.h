// The compiler as a table of functions, so that the cache can be tested without one.
#pragma once
#include "compiler/api/compiler_api.h"

namespace linmu::jit {

struct CompilerTable {
  decltype(&compiler::signature) signature = nullptr;
  decltype(&compiler::compile) compile = nullptr;
  decltype(&compiler::explain) explain = nullptr;
  decltype(&compiler::buildIdentity) build_identity = nullptr;
};

} // namespace linmu::jit
