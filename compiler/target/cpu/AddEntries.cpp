// add-entries: what the runtime calls, for each kernel.
#include "compiler/target/cpu/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace linmu::cpu;

namespace linmu::cpu {
#define GEN_PASS_DEF_ADDENTRIES
#include "compiler/target/cpu/Passes.h.inc"
} // namespace linmu::cpu

/// Adds `NAME.entry(arguments, first, last, workspace)`, which unpacks the descriptors of NAME's operands.
static void addEntry(LLVM::LLVMFuncOp function) {
  OpBuilder builder(function);
  Location loc = function.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext()), word = builder.getI64Type();
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()),
                                          {pointer, word, word, pointer});
  auto entry = LLVM::LLVMFuncOp::create(builder, loc, (function.getSymName() + ".entry").str(), type);
  mlir::Block *block = entry.addEntryBlock(builder);
  builder.setInsertionPointToStart(block);
  auto wordConstant = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(builder, loc, word, builder.getI64IntegerAttr(value));
  };
  auto load = [&](Type type, Value base, int64_t slot) -> Value {
    Value address =
        LLVM::GEPOp::create(builder, loc, pointer, word, base, ArrayRef<LLVM::GEPArg>{int32_t(slot)});
    return LLVM::LoadOp::create(builder, loc, type, address);
  };
  // first, last, the workspace's descriptor of rank 1, the grid; behind the operands' pointers lies the
  // grid's.
  Value workspace = block->getArgument(3), zero = wordConstant(0), one = wordConstant(1);
  SmallVector<Value> arguments = {block->getArgument(1),
                                  block->getArgument(2),
                                  workspace,
                                  workspace,
                                  zero,
                                  wordConstant(std::numeric_limits<int64_t>::max()),
                                  one};
  ArrayRef<Type> types = function.getFunctionType().getParams();
  auto ranks = function->getAttrOfType<DenseI64ArrayAttr>(ranksAttribute).asArrayRef();
  Value grid = load(pointer, block->getArgument(0), ranks.size());
  for (int64_t dimension = 0; dimension < 3; ++dimension)
    arguments.push_back(load(word, grid, dimension));
  for (auto [operand, rank] : llvm::enumerate(ranks)) {
    Value given = load(pointer, block->getArgument(0), operand);
    // An index is a word, an operand in memory a descriptor.
    for (int64_t slot = 0; slot < (rank < 0 ? 1 : 3 + 2 * rank); ++slot)
      arguments.push_back(load(types[arguments.size()], given, slot));
  }
  LLVM::CallOp::create(builder, loc, function, arguments);
  LLVM::ReturnOp::create(builder, loc, ValueRange{});
  function.setLinkage(LLVM::Linkage::Internal);
}

namespace {
struct AddEntries : linmu::cpu::impl::AddEntriesBase<AddEntries> {
  using AddEntriesBase::AddEntriesBase;

  void runOnOperation() override {
    SmallVector<LLVM::LLVMFuncOp> functions(getOperation().getOps<LLVM::LLVMFuncOp>());
    for (LLVM::LLVMFuncOp function : functions)
      if (function->hasAttr(ranksAttribute))
        addEntry(function);
  }
};
} // namespace
