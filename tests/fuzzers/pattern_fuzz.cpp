// Pattern text, up to its signature and its hash.
#include "compiler/frontend/Frontend.h"
#include "tests/fuzzers/fuzz_input.h"

void linmu::test::fuzz(Bytes bytes) {
  static const mlir::DialectRegistry registry = [] {
    mlir::DialectRegistry all;
    frontend::registerDialects(all);
    return all;
  }();
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  frontend::DiagnosticCollector diagnostics(context);
  // In its own place, where a read behind its end is seen; frontend::parse needs no null byte there.
  auto module = frontend::parse({textOf(bytes), "input", {}}, context);
  if (!module) {
    checkMessage(diagnostics.take());
    return;
  }
  for (auto function : module->getOps<mlir::func::FuncOp>())
    if (mlir::succeeded(frontend::signatureOf(function)))
      frontend::hashOf(function, "");
}
