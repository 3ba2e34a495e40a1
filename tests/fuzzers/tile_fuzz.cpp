// The text of tile programs, up to their verifiers.
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "tests/fuzzers/fuzz_input.h"

void linmu::test::fuzz(Bytes bytes) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<tile::TileDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                      mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
  bool told = false;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &) { told = true; });
  // MLIR's lexer reads the null byte behind a text, which libFuzzer's bytes do not have.
  const std::string text(textOf(bytes));
  if (!mlir::parseSourceString<mlir::ModuleOp>(text, &context) && !told)
    std::abort();
}
