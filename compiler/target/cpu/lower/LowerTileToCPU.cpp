// lower-tile-to-cpu: the kernels of tile.programs as functions of vector, memref and scf.
#include "compiler/target/cpu/Passes.h"
#include "compiler/target/cpu/buffers/Uses.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

namespace linmu::cpu {
#define GEN_PASS_DEF_LOWERTILETOCPU
#include "compiler/target/cpu/Passes.h.inc"
} // namespace linmu::cpu

// Before the operands: first and last block, workspace, grid.
static constexpr unsigned leadingArguments = 6;

/// Operands are strided memrefs whose last axis is contiguous; i1 is a byte.
static MemRefType memoryType(RankedTensorType type) {
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  if (!strides.empty())
    strides.back() = 1;
  return MemRefType::get(type.getShape(), storedElement(type.getElementType(), 8),
                         StridedLayoutAttr::get(type.getContext(), 0, strides));
}

static FunctionType functionType(tile::KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  Type index = IndexType::get(context);
  SmallVector<Type> types = {
      index, index, MemRefType::get({ShapedType::kDynamic}, IntegerType::get(context, 8)),
      index, index, index};
  for (BlockArgument argument : kernel.getBody().getArguments()) {
    auto memory = dyn_cast<RankedTensorType>(argument.getType());
    types.push_back(memory ? Type(memoryType(memory)) : index);
  }
  return FunctionType::get(context, types, {});
}

/// What the runtime and the conversion to LLVM need to know of the function.
static void describe(func::FuncOp function, const Lowering &lowering) {
  Builder builder(function.getContext());
  SmallVector<int64_t> ranks;
  for (Type type : ArrayRef(function.getArgumentTypes()).drop_front(leadingArguments)) {
    auto memory = dyn_cast<MemRefType>(type);
    ranks.push_back(memory ? memory.getRank() : -1);
  }
  function->setAttr(workspaceAttribute, builder.getI64IntegerAttr(lowering.kernel.buffers.bytes()));
  function->setAttr(blocksTogetherAttribute, builder.getI64IntegerAttr(lowering.walk.blocksTogether()));
  function->setAttr(ranksAttribute, builder.getDenseI64ArrayAttr(ranks));
}

/// Builds `func.func @NAME(first, last, workspace, grid x, y, z, operands...)` before the program.
static LogicalResult lowerKernel(tile::KernelOp kernel, const Machine &machine) {
  if (failed(checkBuffers(kernel)))
    return failure();
  OpBuilder builder(kernel->getParentOp());
  auto function = func::FuncOp::create(builder, kernel.getLoc(), kernel.getSymName(), functionType(kernel));
  mlir::Block *entry = function.addEntryBlock();
  mlir::Block &body = kernel.getBody().front();
  Lowering lowering(kernel.getLoc(), kernel.getContext(), machine);
  Emit &emit = lowering.kernel.emit;
  emit.setInsertionPointToStart(entry);
  emit.setInsertionPoint(func::ReturnOp::create(emit));
  for (unsigned dimension = 0; dimension < 3; ++dimension)
    lowering.kernel.grid[dimension] = entry->getArgument(3 + dimension);
  for (auto [argument, given] :
       llvm::zip(body.getArguments(), entry->getArguments().drop_front(leadingArguments)))
    if (argument.getType().isIndex())
      lowering.kernel.scalars.map(argument, given);
    else
      lowering.kernel.operands[argument] = given;
  lowering.walk.openBlockLoops(entry->getArgument(0), entry->getArgument(1), entry->getArgument(2), body);
  // What follows the walk sees its results, which are there after the last stretch.
  scf::ForOp walk = lowering.walk.loop();
  auto end = walk ? std::next(walk->getIterator()) : body.end();
  LogicalResult lowered = lowerOps(lowering, {body.begin(), end});
  if (succeeded(lowered) && end != body.end())
    emit.guarded(lowering.walk.stretch().isLast, [&] {
      addBuffers(lowering, *walk);
      lowered = lowerOps(lowering, {end, body.end()});
    });
  if (failed(lowered))
    function.erase();
  else
    describe(function, lowering);
  return lowered;
}

namespace {
struct LowerTileToCPU : linmu::cpu::impl::LowerTileToCPUBase<LowerTileToCPU> {
  using LowerTileToCPUBase::LowerTileToCPUBase;
  explicit LowerTileToCPU(Machine machine) : machine_(std::move(machine)) {}

  void runOnOperation() override {
    if (!cpu.empty() && !Machine::isKnown(cpu)) {
      getOperation().emitError("lower-tile-to-cpu: requires cpu to be one that LLVM knows, got '")
          << cpu << "'";
      return signalPassFailure();
    }
    Machine machine = machine_ ? *machine_ : Machine::named(cpu);
    for (tile::ProgramOp program : llvm::make_early_inc_range(getOperation().getOps<tile::ProgramOp>())) {
      if (failed(lowerProgram(program, machine)))
        return signalPassFailure();
      program.erase();
    }
  }

private:
  LogicalResult lowerProgram(tile::ProgramOp program, const Machine &machine) {
    for (auto kernel : program.getBody().getOps<tile::KernelOp>()) {
      if (SymbolTable::symbolKnownUseEmpty(kernel, program))
        continue;
      if (failed(lowerKernel(kernel, machine)))
        return failure();
      ++kernels;
    }
    return success();
  }

  std::optional<Machine> machine_;
};
} // namespace

std::unique_ptr<Pass> linmu::cpu::createLowerTileToCPU(const Machine &machine) {
  return std::make_unique<LowerTileToCPU>(machine);
}
