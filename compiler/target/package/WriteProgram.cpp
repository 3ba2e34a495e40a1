#include "compiler/target/package/WriteProgram.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;

static DType dtypeOf(Type element) {
  if (element.isBF16())
    return DType::bf16;
  if (element.isF16())
    return DType::f16;
  if (element.isInteger(32))
    return DType::i32;
  if (element.isInteger(1))
    return DType::i1;
  return DType::f32;
}

namespace {
class ProgramWriter {
public:
  ProgramWriter(tile::ProgramOp program, KernelDetails details, Package &package)
      : program_(program), details_(details), package_(package) {}
  LogicalResult run();

private:
  LogicalResult append(Value value, Expression &expression);
  FailureOr<ExpressionId> expressionOf(Value value);
  FailureOr<std::vector<ExpressionId>> expressionsOf(ValueRange values);
  LogicalResult addTemporary(tile::TemporaryOp op);
  LogicalResult addVariant(tile::VariantOp op);
  LogicalResult addLaunch(tile::LaunchOp op, Variant &variant);

  tile::ProgramOp program_;
  KernelDetails details_;
  Package &package_;
  llvm::DenseMap<Value, Binding> bindings_;
  llvm::DenseMap<Value, ExpressionId> expressions_;
};
} // namespace

static Expression::Term termOf(tile::ExtentKind kind) {
  switch (kind) {
  case tile::ExtentKind::batch:
    return {Expression::Term::batch};
  case tile::ExtentKind::tokens:
    return {Expression::Term::tokens};
  case tile::ExtentKind::media_items:
    return {Expression::Term::mediaItems};
  case tile::ExtentKind::sequences:
    return {Expression::Term::sequences};
  case tile::ExtentKind::longest_sequence:
    return {Expression::Term::longestSequence};
  }
  llvm_unreachable("all kinds are listed");
}

/// The comparison as a term, and whether its operands change places.
static std::optional<std::pair<Expression::Term::Kind, bool>> comparison(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return std::pair(Expression::Term::equal, false);
  case arith::CmpIPredicate::ult:
    return std::pair(Expression::Term::less, false);
  case arith::CmpIPredicate::ugt:
    return std::pair(Expression::Term::less, true);
  default:
    return std::nullopt;
  }
}

LogicalResult ProgramWriter::append(Value value, Expression &expression) {
  using Term = Expression::Term;
  Operation *op = value.getDefiningOp();
  if (std::optional<int64_t> constant = getConstantIntValue(value)) {
    expression.terms.push_back({Term::constant, value.getType().isInteger(1) ? (*constant & 1) : *constant});
    return success();
  }
  if (auto extent = dyn_cast<tile::ExtentOp>(op)) {
    expression.terms.push_back(termOf(extent.getKind()));
    return success();
  }
  bool swapped = false;
  std::optional<Term::Kind> kind = llvm::TypeSwitch<Operation *, std::optional<Term::Kind>>(op)
                                       .Case([](arith::AddIOp) { return Term::add; })
                                       .Case([](arith::SubIOp) { return Term::subtract; })
                                       .Case([](arith::MulIOp) { return Term::multiply; })
                                       .Case([](arith::DivUIOp) { return Term::divide; })
                                       .Case([](arith::CeilDivUIOp) { return Term::ceilDivide; })
                                       .Case([](arith::RemUIOp) { return Term::remainder; })
                                       .Case([](arith::MinUIOp) { return Term::minimum; })
                                       .Case([](arith::MaxUIOp) { return Term::maximum; })
                                       .Case([](arith::AndIOp) { return Term::both; })
                                       .Case([](arith::OrIOp) { return Term::either; })
                                       .Default([](Operation *) { return std::nullopt; });
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    if (auto found = comparison(compare.getPredicate()))
      std::tie(kind, swapped) = *found;
  if (!kind)
    return op->emitOpError("is no expression that a package can hold");
  if (failed(append(op->getOperand(swapped ? 1 : 0), expression)) ||
      failed(append(op->getOperand(swapped ? 0 : 1), expression)))
    return failure();
  expression.terms.push_back({*kind});
  return success();
}

FailureOr<ExpressionId> ProgramWriter::expressionOf(Value value) {
  auto [found, isNew] = expressions_.try_emplace(value, package_.expressions.size());
  if (!isNew)
    return found->second;
  Expression expression;
  if (failed(append(value, expression)))
    return failure();
  if (!expression.isValid())
    return value.getDefiningOp()->emitOpError("is an expression of ")
           << expression.terms.size() << " terms, a package holds " << Expression::mostTerms;
  package_.expressions.push_back(std::move(expression));
  return found->second;
}

FailureOr<std::vector<ExpressionId>> ProgramWriter::expressionsOf(ValueRange values) {
  std::vector<ExpressionId> ids;
  for (Value value : values) {
    auto id = expressionOf(value);
    if (failed(id))
      return failure();
    ids.push_back(*id);
  }
  return ids;
}

LogicalResult ProgramWriter::addTemporary(tile::TemporaryOp op) {
  RankedTensorType type = op.getResult().getType();
  Temporary temporary{dtypeOf(type.getElementType()), {}};
  auto dynamic = op.getExtents().begin();
  for (int64_t extent : type.getShape()) {
    FailureOr<ExpressionId> id = ExpressionId(package_.expressions.size());
    if (ShapedType::isDynamic(extent))
      id = expressionOf(*dynamic++);
    else
      package_.expressions.push_back(Expression::of(extent));
    if (failed(id))
      return failure();
    temporary.shape.push_back(*id);
  }
  bindings_[op.getResult()] = {Binding::temporary, uint32_t(package_.temporaries.size())};
  package_.temporaries.push_back(std::move(temporary));
  return success();
}

LogicalResult ProgramWriter::addLaunch(tile::LaunchOp op, Variant &variant) {
  Launch launch;
  launch.kernel = op.getKernel().str();
  auto grid = expressionsOf(op.getGrid());
  if (failed(grid))
    return failure();
  launch.grid = std::move(*grid);
  details_(launch);
  for (Value operand : op.getArguments()) {
    if (!operand.getType().isIndex()) {
      launch.operands.push_back(bindings_.lookup(operand));
      continue;
    }
    auto id = expressionOf(operand);
    if (failed(id))
      return failure();
    launch.operands.push_back({Binding::expression, *id});
  }
  variant.launches.push_back(std::move(launch));
  return success();
}

LogicalResult ProgramWriter::addVariant(tile::VariantOp op) {
  Variant variant;
  variant.algorithm = op.getAlgorithm().str();
  if (Value condition = op.getCondition()) {
    auto id = expressionOf(condition);
    if (failed(id))
      return failure();
    variant.condition = *id;
  }
  for (auto launch : op.getBody().getOps<tile::LaunchOp>())
    if (failed(addLaunch(launch, variant)))
      return failure();
  package_.variants.push_back(std::move(variant));
  return success();
}

LogicalResult ProgramWriter::run() {
  for (BlockArgument argument : program_.getBody().getArguments()) {
    unsigned index = argument.getArgNumber(), inputs = program_.getNumInputs();
    bindings_[argument] =
        index < inputs ? Binding{Binding::input, index} : Binding{Binding::result, index - inputs};
  }
  for (auto temporary : program_.getBody().getOps<tile::TemporaryOp>())
    if (failed(addTemporary(temporary)))
      return failure();
  for (auto variant : program_.getBody().getOps<tile::VariantOp>())
    if (failed(addVariant(variant)))
      return failure();
  if (package_.variants.empty())
    return program_.emitOpError("requires a variant, which says what is launched");
  return success();
}

LogicalResult linmu::writeProgram(tile::ProgramOp program, KernelDetails details, Package &package) {
  return ProgramWriter(program, details, package).run();
}
