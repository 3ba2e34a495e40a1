// From vector, memref and scf to the LLVM dialect, with the entries that the runtime calls.
#include "compiler/target/cpu/KernelLowering.h"
#include "compiler/target/cpu/MathExpansion.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

void linmu::cpu::registerTarget(DialectRegistry &registry) {
  registry.insert<cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect, scf::SCFDialect,
                  memref::MemRefDialect, vector::VectorDialect>();
  arith::registerConvertArithToLLVMInterface(registry);
  cf::registerConvertControlFlowToLLVMInterface(registry);
  index::registerConvertIndexToLLVMInterface(registry);
  registerConvertFuncToLLVMInterface(registry);
  registerConvertMathToLLVMInterface(registry);
  registerConvertMemRefToLLVMInterface(registry);
  ub::registerConvertUBToLLVMInterface(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

LogicalResult linmu::cpu::lowerKernels(tile::ProgramOp program, const Machine &machine) {
  MLIRContext *context = program.getContext();
  context->loadDialect<func::FuncDialect, LLVM::LLVMDialect, math::MathDialect, memref::MemRefDialect,
                       scf::SCFDialect, vector::VectorDialect>();
  SmallVector<tile::KernelOp> kernels(program.getBody().getOps<tile::KernelOp>());
  SmallVector<func::FuncOp> functions;
  for (tile::KernelOp kernel : kernels) {
    if (SymbolTable::symbolKnownUseEmpty(kernel, program))
      continue;
    simplifyTiles(kernel);
    markPrefetches(kernel);
    KernelLowering lowering(kernel, machine);
    auto function = lowering.run();
    if (failed(function))
      return failure();
    (*function)->setAttr("linmu.workspace",
                         IntegerAttr::get(IntegerType::get(context, 64), lowering.workspaceBytes()));
    (*function)->setAttr("linmu.blocks_together",
                         IntegerAttr::get(IntegerType::get(context, 64), lowering.blocksTogether()));
    functions.push_back(*function);
  }
  for (func::FuncOp function : functions)
    function->moveBefore(program);
  return success();
}

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
  auto ranks = function->getAttrOfType<DenseI64ArrayAttr>("linmu.ranks").asArrayRef();
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

LogicalResult linmu::cpu::lowerToLLVM(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    SmallVector<int64_t> ranks;
    for (Type type : ArrayRef(function.getArgumentTypes()).drop_front(6)) {
      auto memory = dyn_cast<MemRefType>(type);
      ranks.push_back(memory ? memory.getRank() : -1);
    }
    function->setAttr("linmu.ranks", DenseI64ArrayAttr::get(module.getContext(), ranks));
  }
  if (failed(expandMath(module)))
    return failure();
  PassManager passes(module.getContext());
  passes.enableVerifier(false);
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createConvertToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  if (failed(passes.run(module)))
    return failure();
  SmallVector<LLVM::LLVMFuncOp> functions(module.getOps<LLVM::LLVMFuncOp>());
  for (LLVM::LLVMFuncOp function : functions)
    addEntry(function);
  return success();
}
