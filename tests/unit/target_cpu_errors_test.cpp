// What a program may hold and a package of the CPU target does not.
#include "compiler/target/cpu/TargetCPU.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

namespace linmu::test {
namespace {

/// The message that compiling the module gets.
std::string errorOf(const std::string &text) {
  mlir::DialectRegistry registry;
  registry.insert<tile::TileDialect, mlir::arith::ArithDialect>();
  cpu::registerTarget(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  std::string message;
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
    message += diagnostic.str();
    return mlir::success();
  });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  EXPECT_TRUE(module) << message;
  if (module)
    EXPECT_TRUE(failed(cpu::compile(*module, cpu::Machine::named(""), {}, "key")));
  return message;
}

/// A program whose kernel is launched on a grid of `%blocks`, which `expressions` say.
std::string programOf(const std::string &expressions, const std::string &condition = "") {
  return "tile.program @p inputs(%a: tensor<?x?x2xf32>) results(%o: tensor<?x?x2xf32>) {\n"
         "  %tokens = tile.extent tokens\n" +
         expressions +
         "  tile.kernel @k(%x: tensor<?x?x2xf32>) {\n"
         "  }\n" +
         (condition.empty() ? "" : "  tile.variant when " + condition + " as \"first\" {\n  }\n") +
         "  tile.variant as \"last\" {\n"
         "    tile.launch @k grid(%blocks)(%o : tensor<?x?x2xf32>)\n"
         "  }\n"
         "}\n";
}

/// tokens + tokens + ...: `sums` additions of `sums + 1` values.
std::string sumOf(int sums) {
  std::string text, last = "%tokens";
  for (int i = 0; i < sums; ++i) {
    std::string next = i + 1 == sums ? "%blocks" : "%s" + std::to_string(i);
    text += "  " + next + " = arith.addi " + last + ", %tokens : index\n";
    last = next;
  }
  return text;
}

TEST(CPUTargetErrors, aModuleWithoutAProgram) { EXPECT_EQ(errorOf("module {}"), "requires a tile.program"); }

TEST(CPUTargetErrors, aProgramWithoutAVariant) {
  EXPECT_EQ(errorOf("tile.program @p inputs(%a: tensor<?x?x2xf32>) results(%o: tensor<?x?x2xf32>) {\n}\n"),
            "'tile.program' op requires a variant, which says what is launched");
}

TEST(CPUTargetErrors, aComparisonOfSignedNumbers) {
  EXPECT_EQ(errorOf(programOf("  %blocks = arith.constant 1 : index\n"
                              "  %few = arith.cmpi slt, %tokens, %blocks : index\n",
                              "%few")),
            "'arith.cmpi' op is no expression that a package can hold");
}

TEST(CPUTargetErrors, anExpressionOfMoreTermsThanAPackageHolds) {
  // 32 sums of 33 values; one fewer is 63 terms, which fit.
  EXPECT_EQ(errorOf(programOf(sumOf(32))),
            "'arith.addi' op is an expression of 65 terms, a package holds 64");
}

} // namespace
} // namespace linmu::test
