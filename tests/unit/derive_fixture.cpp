#include "tests/unit/derive_fixture.h"
#include "compiler/target/cpu/DefaultSchedule.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include <cmath>

using namespace mlir;

namespace linmu::test {

static DialectRegistry registry() {
  DialectRegistry registry;
  registry.insert<pattern::PatternDialect, tile::TileDialect, arith::ArithDialect, func::FuncDialect,
                  math::MathDialect, scf::SCFDialect, tensor::TensorDialect>();
  pattern::registerStepModels(registry);
  registerBackend(registry);
  return registry;
}

Derived::Derived(const std::string &text, const std::string &schedule)
    : context_(registry(), MLIRContext::Threading::DISABLED) {
  context_.loadAllAvailableDialects();
  context_.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    diagnostics_ += diagnostic.str() + "\n";
    return success();
  });
  module_ = parseSourceString<ModuleOp>(text, &context_);
  if (!module_)
    return;
  auto functions = module_->getOps<func::FuncOp>();
  if (functions.empty()) {
    ok_ = true; // a program already
    return;
  }
  llvm::Expected<Schedule> parsed =
      parseSchedule(llvm::StringRef(schedule), cpu::defaultSchedule(/*cores=*/1));
  if (!parsed) {
    diagnostics_ += llvm::toString(parsed.takeError());
    return;
  }
  FailureOr<Plan> plan = planOf(*functions.begin(), *parsed);
  ok_ =
      succeeded(plan) && succeeded(derive(*functions.begin(), *plan, *parsed)) && succeeded(verify(*module_));
}

tile::ProgramOp Derived::program() { return *module_->getOps<tile::ProgramOp>().begin(); }

Memory randomMemory(std::vector<std::int64_t> shape, double low, double high, std::mt19937 &random) {
  Memory memory = Memory::filled(std::move(shape), 0);
  std::uniform_real_distribution<double> distribution(low, high);
  for (double &element : memory.elements) {
    int exponent = 0;
    double fraction = std::frexp(distribution(random), &exponent);
    element = std::ldexp(std::round(256 * fraction) / 256, exponent);
  }
  return memory;
}

double toBF16(double value) {
  int exponent = 0;
  double fraction = std::frexp(value, &exponent);
  return std::ldexp(std::nearbyint(256 * fraction) / 256, exponent);
}

Memory randomOrder(std::int64_t batch, std::int64_t tokens, std::mt19937 &random) {
  Memory order = Memory::filled({batch, tokens}, 0);
  for (std::int64_t b = 0; b < batch; ++b) {
    auto row = order.elements.begin() + b * tokens;
    std::iota(row, row + tokens, 0);
    std::shuffle(row, row + tokens, random);
  }
  return order;
}

double worstDifference(const Memory &actual, const Memory &expected) {
  double worst = 0, scale = 1e-300;
  for (size_t i = 0; i < expected.elements.size(); ++i) {
    double difference = std::abs(actual.elements[i] - expected.elements[i]);
    if (std::isnan(difference))
      return INFINITY;
    worst = std::max(worst, difference);
    scale = std::max(scale, std::abs(expected.elements[i]));
  }
  return worst / scale;
}

} // namespace linmu::test
