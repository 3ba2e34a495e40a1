// What each axis of each operand is: it follows from where the operand is used.
#include "compiler/frontend/Frontend.h"
#include "dialects/pattern/Pattern.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;

namespace {

/// The parts that an operand can play; each fixes which of its dynamic axes mean what.
enum class Role { token, param, state, media, stateOfSequence, sequences };

StringRef nameOf(Role role) {
  switch (role) {
  case Role::token:
    return "a token operand";
  case Role::param:
    return "a param";
  case Role::state:
    return "a state or tail";
  case Role::media:
    return "a media table";
  case Role::stateOfSequence:
    return "a state or tail of sequences";
  case Role::sequences:
    return "a table of sequences";
  }
  llvm_unreachable("all roles are listed");
}

bool isRagged(func::FuncOp function);

/// The role of a tensor by its type: sums take all states of a function alike.
Role roleByType(Value value, Operation *op) {
  switch (pattern::kindOf(cast<RankedTensorType>(value.getType()))) {
  case pattern::Kind::param:
    return Role::param;
  case pattern::Kind::states:
    return isRagged(op->getParentOfType<func::FuncOp>()) ? Role::stateOfSequence : Role::state;
  case pattern::Kind::tokens:
    return Role::token;
  }
  llvm_unreachable("all kinds are listed");
}

template <typename LoopOp> Role roleInLoop(LoopOp op, OpOperand &use) {
  auto in = [&](OperandRange range) {
    return !range.empty() && use.getOperandNumber() >= range.getBeginOperandIndex() &&
           use.getOperandNumber() < range.getBeginOperandIndex() + range.size();
  };
  if (in(op.getParams()))
    return Role::param;
  if (in(op.getTails()) || in(op.getInits()))
    return op.getSequences() ? Role::stateOfSequence : Role::state;
  return use.get() == op.getSequences() ? Role::sequences : Role::token;
}

Role roleInAdjoint(pattern::ScanAdjointOp op, OpOperand &use) {
  if (llvm::is_contained(op.getInits(), use.get()) || llvm::is_contained(op.getFinalCotangents(), use.get()))
    return op.getSequences() ? Role::stateOfSequence : Role::state;
  return use.get() == op.getSequences() ? Role::sequences : Role::token;
}

Role roleOf(OpOperand &use) {
  Operation *user = use.getOwner();
  if (auto scan = dyn_cast<pattern::ScanOp>(user))
    return roleInLoop(scan, use);
  if (auto map = dyn_cast<pattern::MapOp>(user))
    return roleInLoop(map, use);
  if (auto window = dyn_cast<pattern::WindowAttentionOp>(user))
    return use.get() == window.getMedia() ? Role::media : Role::token;
  if (auto adjoint = dyn_cast<pattern::WindowAdjointOp>(user))
    return use.get() == adjoint.getMedia() ? Role::media : Role::token;
  if (auto order = dyn_cast<pattern::TokenOrderOp>(user))
    return use.get() == order.getMedia() ? Role::media : Role::token;
  if (auto adjoint = dyn_cast<pattern::ScanAdjointOp>(user))
    return roleInAdjoint(adjoint, use);
  return isa<pattern::ReduceOp, pattern::InnerProductOp>(user) ? roleByType(use.get(), user) : Role::token;
}

Role roleOf(OpResult result) {
  auto isState = [&](auto op) {
    return result.getResultNumber() < op.getOutputs().size() ? Role::token
           : op.getSequences()                               ? Role::stateOfSequence
                                                             : Role::state;
  };
  if (auto scan = dyn_cast<pattern::ScanOp>(result.getOwner()))
    return isState(scan);
  if (auto map = dyn_cast<pattern::MapOp>(result.getOwner()))
    return isState(map);
  if (auto adjoint = dyn_cast<pattern::ScanAdjointOp>(result.getOwner()))
    return !llvm::is_contained(adjoint.getInitGradients(), result) ? Role::token
           : adjoint.getSequences()                                ? Role::stateOfSequence
                                                                   : Role::state;
  if (isa<pattern::ReduceOp, pattern::InnerProductOp>(result.getOwner()))
    return roleByType(result, result.getOwner());
  return Role::token;
}

/// Whether kernels address memory by the entries of the operand at this use; a permuted order is an order.
bool isOrder(OpOperand &use) {
  return llvm::TypeSwitch<Operation *, bool>(use.getOwner())
      .Case<pattern::ScanOp, pattern::MapOp, pattern::ScanAdjointOp>(
          [&](auto op) { return op.getOrder() && use.get() == op.getOrder(); })
      .Case([&](pattern::PermuteOp op) {
        return use.get() == op.getOrder() || llvm::any_of(op.getResult().getUses(), isOrder);
      })
      .Default(false);
}

/// The function's argument in whose memory `result` may lie: the state or tail that it follows. Its op reads
/// each block's part before it writes there; nothing else may read either of the two.
uint32_t inPlaceOf(OpResult result) {
  auto follows = [&](auto op) -> Value {
    unsigned index = result.getResultNumber(), outputs = op.getOutputs().size(),
             finals = op.getFinals().size();
    if (index < outputs)
      return {};
    return index < outputs + finals ? op.getInitOf(index - outputs)
                                    : Value(op.getTails()[index - outputs - finals]);
  };
  Value before = llvm::TypeSwitch<Operation *, Value>(result.getOwner())
                     .Case<pattern::ScanOp, pattern::MapOp>([&](auto op) { return follows(op); })
                     .Default(Value());
  auto argument = dyn_cast_or_null<BlockArgument>(before);
  return argument && argument.hasOneUse() && result.hasOneUse() ? argument.getArgNumber() : OperandSpec::none;
}

/// States and tails that go from op to op have an entry a sequence of the batch in both, or in neither.
LogicalResult checkStates(func::FuncOp function) {
  for (Operation &op : function.getBody().front().without_terminator())
    for (OpResult result : op.getResults())
      for (OpOperand &use : result.getUses())
        if (Role made = roleOf(result), used = roleOf(use);
            !isa<func::ReturnOp>(use.getOwner()) && made != used &&
            (made == Role::stateOfSequence || used == Role::stateOfSequence))
          return use.getOwner()->emitOpError("requires ")
                 << nameOf(used) << ", got the result of another op that is " << nameOf(made)
                 << "; write the same 'sequences' in both";
  return success();
}

DType dtypeOf(Type element) {
  return element.isF32()         ? DType::f32
         : element.isBF16()      ? DType::bf16
         : element.isF16()       ? DType::f16
         : element.isInteger(32) ? DType::i32
                                 : DType::i1;
}

/// Whether an op of the function walks the sequences of a ragged batch, which is one.
bool isRagged(func::FuncOp function) {
  return llvm::any_of(function.getBody().front(), [](Operation &op) {
    return llvm::TypeSwitch<Operation *, bool>(&op)
        .Case<pattern::ScanOp, pattern::MapOp, pattern::ScanAdjointOp>(
            [](auto loop) { return bool(loop.getSequences()); })
        .Default(false);
  });
}

/// What axis 0 of an operand is where it is dynamic.
Extent leadingExtent(std::optional<Role> role, bool ragged) {
  if (role == Role::media)
    return {Extent::mediaItems, 0};
  if (role == Role::stateOfSequence || role == Role::sequences)
    return {Extent::sequences, role == Role::sequences};
  return ragged ? Extent{Extent::constant, 1} : Extent{Extent::batch, 0};
}

FailureOr<OperandSpec> describe(Location at, StringRef name, Type type, std::optional<Role> role,
                                bool ragged) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return emitError(at) << "requires operand '" << name << "' to be a ranked tensor, got " << type;
  Type element = tensor.getElementType();
  if (!element.isF32() && !element.isBF16() && !element.isF16() && !element.isInteger(32) &&
      !element.isInteger(1))
    return emitError(at) << "requires operand '" << name
                         << "' to have elements of type f32, bf16, f16, i32 or i1, got " << type;
  OperandSpec spec{name.str(), dtypeOf(element), {}};
  for (int64_t axis = 0; axis < tensor.getRank(); ++axis) {
    if (!tensor.isDynamicDim(axis)) {
      spec.shape.push_back({Extent::constant, tensor.getDimSize(axis)});
      continue;
    }
    bool isToken = !role || role == Role::token;
    bool allowed = role != Role::param && axis <= (isToken ? 1 : 0);
    if (!allowed)
      return emitError(at) << "requires operand '" << name << "', "
                           << (role ? nameOf(*role) : "which nothing uses,") << " to have a static axis "
                           << axis << ", got " << type;
    spec.shape.push_back(axis == 0 ? leadingExtent(role, ragged) : Extent{Extent::tokens, 0});
  }
  return spec;
}

} // namespace

FailureOr<Signature> frontend::signatureOf(func::FuncOp function) {
  Signature signature;
  bool ragged = isRagged(function);
  if (failed(checkStates(function)))
    return failure();
  signature.name = function.getSymName().str();
  // frontend::parse gives every operand a name; modules from elsewhere may lack them.
  auto nameAt = [](Attribute attribute, unsigned index) {
    auto name = dyn_cast_or_null<StringAttr>(attribute);
    return name ? name.str() : "#" + std::to_string(index);
  };
  for (BlockArgument argument : function.getArguments()) {
    unsigned index = argument.getArgNumber();
    std::string name = nameAt(function.getArgAttr(index, "pattern.name"), index);
    std::optional<Role> role;
    auto content = OperandSpec::values;
    for (OpOperand &use : argument.getUses()) {
      if (isa<func::ReturnOp>(use.getOwner()))
        return function.emitError("requires results made by pattern ops; operand '")
               << name << "' is returned as it is";
      Role here = roleOf(use);
      if (role && *role != here)
        return use.getOwner()->emitError("requires operand '")
               << name << "' to keep one meaning; it is " << nameOf(*role) << " elsewhere and "
               << nameOf(here) << " here";
      role = here;
      if (isOrder(use))
        content = OperandSpec::tokenOrder;
      else if (here == Role::media)
        content = OperandSpec::mediaTable;
      else if (here == Role::sequences)
        content = OperandSpec::sequenceTable;
    }
    auto spec = describe(argument.getLoc(), name, argument.getType(), role, ragged);
    if (failed(spec))
      return failure();
    spec->content = content;
    signature.inputs.push_back(std::move(*spec));
  }
  auto returned = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  for (auto [index, value] : llvm::enumerate(returned.getOperands())) {
    auto result = dyn_cast<OpResult>(value);
    if (!result)
      return function.emitError("requires results made by pattern ops");
    auto spec = describe(value.getLoc(), nameAt(function.getResultAttr(index, "pattern.name"), index),
                         value.getType(), roleOf(result), ragged);
    if (failed(spec))
      return failure();
    spec->in_place_of = inPlaceOf(result);
    signature.results.push_back(std::move(*spec));
  }
  return signature;
}
