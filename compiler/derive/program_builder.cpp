#include "compiler/derive/program_builder.h"
#include "dialects/pattern/Pattern.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;

FailureOr<ProgramBuilder> ProgramBuilder::create(func::FuncOp function) {
  ProgramBuilder self;
  OpBuilder builder(function);
  OperationState state(function.getLoc(), tile::ProgramOp::getOperationName());
  state.addAttribute("sym_name", builder.getStringAttr(function.getSymName()));
  state.addAttribute("num_inputs", builder.getI64IntegerAttr(function.getNumArguments()));
  state.addRegion();
  self.program_ = cast<tile::ProgramOp>(builder.create(state));
  Block &body = self.program_.getBody().emplaceBlock();

  Block &entry = function.front();
  for (BlockArgument argument : entry.getArguments())
    self.memory_.map(argument, body.addArgument(argument.getType(), argument.getLoc()));
  Operation *returned = entry.getTerminator();
  for (auto [index, value] : llvm::enumerate(returned->getOperands())) {
    BlockArgument destination = body.addArgument(value.getType(), value.getLoc());
    if (isa<BlockArgument>(value) || self.memory_.contains(value)) {
      self.program_.erase();
      return returned->emitOpError("requires result #")
             << index << " to be made by a pattern op of its own, got "
             << (isa<BlockArgument>(value) ? "an argument of the function"
                                           : "a value that is returned twice");
    }
    self.memory_.map(value, destination);
  }
  for (Operation &op : entry.without_terminator())
    llvm::TypeSwitch<Operation *>(&op)
        .Case<pattern::ScanOp, pattern::NormalScanOp, pattern::MapOp, pattern::ScanAdjointOp>([&](auto loop) {
          if (Value table = loop.getSequences())
            self.table_ = table;
        });
  for (Operation &op : entry.without_terminator())
    for (OpResult result : op.getResults())
      if (!result.use_empty() && !self.memory_.contains(result))
        self.memory_.map(result, self.temporaryOf(result));
  // Names of arguments and results are part of the signature, not of the kernels.
  self.program_->setDiscardableAttrs(function->getDiscardableAttrDictionary());
  return self;
}

LaunchPlan ProgramBuilder::startKernel(StringRef name, Location location, ValueRange operands,
                                       IRMapping &arguments, TileBuilder &builder) {
  LaunchPlan plan;
  unsigned number = names_[name]++;
  plan.kernel = (name + (number ? "_" + std::to_string(number) : "")).str();
  builder.setInsertionPointToEnd(&program_.getBody().front());
  builder.setLoc(location);
  OperationState state(location, tile::KernelOp::getOperationName());
  state.addAttribute("sym_name", builder.getStringAttr(plan.kernel));
  state.addRegion();
  auto kernel = cast<tile::KernelOp>(builder.create(state));
  Block &body = kernel.getBody().emplaceBlock();
  llvm::SetVector<Value> distinct(operands.begin(), operands.end());
  for (Value value : distinct) {
    arguments.map(value, body.addArgument(value.getType(), value.getLoc()));
    plan.operands.push_back(memory(value));
  }
  builder.setInsertionPointToEnd(&body);
  return plan;
}

Value ProgramBuilder::addMemory(LaunchPlan &launch, TileBuilder &builder, Value memory) {
  launch.operands.push_back(memory);
  auto kernel = builder.getInsertionBlock()->getParent()->getParentOfType<tile::KernelOp>();
  return kernel.getBody().addArgument(memory.getType(), memory.getLoc());
}

ImplicitLocOpBuilder ProgramBuilder::behindExpressions() {
  ImplicitLocOpBuilder builder(program_.getLoc(), program_.getContext());
  if (lastExpression_)
    builder.setInsertionPointAfter(lastExpression_);
  else
    builder.setInsertionPointToStart(&program_.getBody().front());
  return builder;
}

Value ProgramBuilder::extent(tile::ExtentKind kind) {
  return express<tile::ExtentOp>(IndexType::get(program_.getContext()), kind);
}

Value ProgramBuilder::constant(int64_t value) { return express<arith::ConstantIndexOp>(value); }

/// A token tensor or state between two launches: axis 0 is the batch, of states and tails of a ragged batch
/// the sequences, axis 1 the tokens where it is dynamic.
Value ProgramBuilder::temporaryOf(OpResult result) {
  auto type = cast<RankedTensorType>(result.getType());
  auto tableOf = [&](auto loop) -> Value {
    return result.getResultNumber() < loop.getOutputs().size() ? Value() : loop.getSequences();
  };
  Value table = llvm::TypeSwitch<Operation *, Value>(result.getOwner())
                    .Case<pattern::ScanOp, pattern::NormalScanOp, pattern::MapOp>(
                        [&](auto loop) { return tableOf(loop); })
                    .Case([&](pattern::ScanAdjointOp op) {
                      return llvm::is_contained(op.getInitGradients(), result) ? op.getSequences() : Value();
                    })
                    .Case<pattern::ReduceOp, pattern::InnerProductOp>([&](auto) {
                      return pattern::kindOf(type) == pattern::Kind::states ? table_ : Value();
                    })
                    .Default(Value());
  SmallVector<Value> extents;
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (type.isDynamicDim(axis))
      extents.push_back(axis == 0 ? sequencesOf(table) : tokens());
  return temporary(type, extents);
}

Value ProgramBuilder::temporary(RankedTensorType type, ValueRange extents) {
  return express<tile::TemporaryOp>(type, extents);
}

void ProgramBuilder::addVariant(Value condition, ArrayRef<OpPlan> plans) {
  SmallVector<std::string> names;
  SmallVector<Attribute> schedules;
  for (const OpPlan &plan : plans) {
    if (std::string name = plan.schedule.name(); !llvm::is_contained(names, name))
      names.push_back(name);
    schedules.push_back(plan.schedule.attribute(program_.getContext()));
  }
  ImplicitLocOpBuilder builder(program_.getLoc(), program_.getContext());
  builder.setInsertionPointToEnd(&program_.getBody().front());
  auto variant =
      tile::VariantOp::create(builder, condition, llvm::join(names, ", "), builder.getArrayAttr(schedules));
  builder.setInsertionPointToEnd(&variant.getBody().emplaceBlock());
  for (const OpPlan &plan : plans)
    for (const LaunchPlan &launch : plan.launches)
      tile::LaunchOp::create(builder, launch.kernel, launch.grid, launch.operands);
}

void ProgramBuilder::dropUnusedOperands() {
  llvm::StringMap<llvm::BitVector> unused;
  for (auto kernel : program_.getBody().getOps<tile::KernelOp>()) {
    Block &body = kernel.getBody().front();
    llvm::BitVector &dead = unused[kernel.getSymName()];
    dead.resize(body.getNumArguments());
    for (BlockArgument argument : body.getArguments())
      if (argument.use_empty())
        dead.set(argument.getArgNumber());
    body.eraseArguments(dead);
  }
  program_.walk([&](tile::LaunchOp launch) {
    SmallVector<Value> kept;
    for (auto [index, operand] : llvm::enumerate(launch.getArguments()))
      if (!unused[launch.getKernel()].test(index))
        kept.push_back(operand);
    launch.getArgumentsMutable().assign(kept);
  });
}
