#include "tests/unit/interpreter_fixture.h"
#include <cmath>
#include <numeric>

namespace linmu::test {

static mlir::DialectRegistry makeRegistry() {
  mlir::DialectRegistry registry;
  frontend::registerDialects(registry);
  return registry;
}

Parsed::Parsed(const std::string &text)
    : registry_(makeRegistry()), context_(registry_, mlir::MLIRContext::Threading::DISABLED),
      diagnostics_(context_), module_(frontend::parse({text, "test.mlir", {}}, context_)) {
  EXPECT_TRUE(module_) << diagnostics_.take();
}

mlir::func::FuncOp Parsed::function() { return *module_->getOps<mlir::func::FuncOp>().begin(); }

std::vector<HostTensor> Parsed::run(const std::vector<HostTensor> &inputs, int threads) {
  auto results = interpreter::run(function(), inputs, threads);
  if (mlir::failed(results)) {
    ADD_FAILURE() << diagnostics_.take();
    return {};
  }
  return *results;
}

std::string Parsed::fail(const std::vector<HostTensor> &inputs) {
  EXPECT_TRUE(mlir::failed(interpreter::run(function(), inputs)));
  return diagnostics_.take();
}

static std::int64_t product(const std::vector<std::int64_t> &shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t(1), std::multiplies<>());
}

HostTensor randomTensor(std::vector<std::int64_t> shape, double low, double high, std::mt19937 &random) {
  HostTensor tensor{DType::f32, shape, std::vector<double>(product(shape))};
  std::uniform_real_distribution<double> uniform(low, high);
  for (double &element : tensor.elements)
    element = uniform(random);
  return tensor;
}

HostTensor randomMask(std::vector<std::int64_t> shape, std::mt19937 &random) {
  HostTensor mask = randomTensor(std::move(shape), 0, 2, random);
  mask.dtype = DType::i1;
  for (double &element : mask.elements)
    element = std::floor(element);
  return mask;
}

HostTensor randomOrder(std::int64_t batch, std::int64_t tokens, std::mt19937 &random) {
  HostTensor order{DType::i32, {batch, tokens}, std::vector<double>(batch * tokens)};
  for (std::int64_t b = 0; b < batch; ++b) {
    auto row = order.elements.begin() + b * tokens;
    std::iota(row, row + tokens, 0.0);
    std::shuffle(row, row + tokens, random);
  }
  return order;
}

HostTensor mediaTable(const std::vector<std::array<int, 4>> &rows) {
  HostTensor table{DType::i32, {std::int64_t(rows.size()), 4}, {}};
  for (const auto &row : rows)
    table.elements.insert(table.elements.end(), row.begin(), row.end());
  return table;
}

double at(const HostTensor &tensor, std::initializer_list<std::int64_t> index) {
  std::int64_t offset = 0;
  const std::int64_t *extent = tensor.shape.data();
  for (std::int64_t i : index)
    offset = offset * *extent++ + i;
  return tensor.elements.at(offset);
}

double worstDifference(const HostTensor &actual, const HostTensor &expected) {
  if (actual.shape != expected.shape)
    return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < actual.elements.size(); ++i) {
    double difference = std::abs(actual.elements[i] - expected.elements[i]);
    if (std::isnan(difference))
      return INFINITY;
    worst = std::max(worst, difference);
  }
  return worst;
}

} // namespace linmu::test
