// The compiler is one library: no MLIR or LLVM library is needed to run it, and it shows its own API only.
// RUN: ldd %linmu_bin/linmuc | FileCheck %s --check-prefix=LIBRARIES
// RUN: ldd %linmu_lib/liblinmu_compiler.so | FileCheck %s --check-prefix=LIBRARIES
// RUN: nm --dynamic --defined-only --demangle %linmu_lib/liblinmu_compiler.so | FileCheck %s --check-prefix=SYMBOLS
// LIBRARIES-NOT: {{libMLIR|libLLVM}}
// SYMBOLS-NOT: {{ T (mlir|llvm)::}}
// SYMBOLS: linmu::compiler::compile(
