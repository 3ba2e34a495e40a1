// The program's launches as plain data, and the target's driver.
#include "compiler/target/cpu/KernelLowering.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

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

/// Temporaries are token tensors: axis 0 is the batch, axis 1 the tokens where it is dynamic.
static Temporary temporaryOf(RankedTensorType type) {
  Temporary temporary{dtypeOf(type.getElementType()), {}};
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    if (!type.isDynamicDim(axis))
      temporary.shape.push_back({Extent::constant, type.getDimSize(axis)});
    else
      temporary.shape.push_back({axis == 0 ? Extent::batch : Extent::tokens, 0});
  }
  return temporary;
}

static void describeProgram(tile::ProgramOp program, ModuleOp module, Package &package) {
  mlir::Block &body = program.getBody().front();
  llvm::DenseMap<Value, Binding> bindings;
  for (BlockArgument argument : body.getArguments()) {
    unsigned index = argument.getArgNumber(), inputs = program.getNumInputs();
    bindings[argument] =
        index < inputs ? Binding{Binding::input, index} : Binding{Binding::result, index - inputs};
  }
  for (auto temporary : body.getOps<tile::TemporaryOp>()) {
    bindings[temporary.getResult()] = {Binding::temporary, uint32_t(package.temporaries.size())};
    package.temporaries.push_back(temporaryOf(cast<RankedTensorType>(temporary.getType())));
  }
  for (auto variantOp : body.getOps<tile::VariantOp>()) {
    Variant variant{int64_t(variantOp.getMinTokens()),
                    int64_t(variantOp.getMaxTokens()),
                    variantOp.getAlgorithm().str(),
                    {}};
    for (auto launchOp : variantOp.getBody().getOps<tile::LaunchOp>()) {
      Launch launch;
      launch.kernel = launchOp.getKernel().str();
      launch.grid.scale = launchOp.getScale();
      launch.grid.times_batch = launchOp.getTimesBatch();
      launch.grid.times_tokens = launchOp.getTokensPerBlock() != 0;
      launch.grid.tokens_per_block = std::max<int64_t>(launchOp.getTokensPerBlock(), 1);
      Operation *function = SymbolTable::lookupSymbolIn(module, launchOp.getKernel());
      launch.workspace_bytes = function->getAttrOfType<IntegerAttr>("linmu.workspace").getInt();
      launch.blocks_together = function->getAttrOfType<IntegerAttr>("linmu.blocks_together").getInt();
      for (Value operand : launchOp.getOperands())
        launch.operands.push_back(bindings.lookup(operand));
      variant.launches.push_back(std::move(launch));
    }
    package.variants.push_back(std::move(variant));
  }
}

FailureOr<Package> linmu::cpu::compile(ModuleOp module, const Machine &machine, const Signature &signature,
                                       StringRef key, Stage stage, std::string *text) {
  auto programs = module.getOps<tile::ProgramOp>();
  if (programs.empty())
    return module.emitError("requires a tile.program");
  tile::ProgramOp program = *programs.begin();
  if (failed(lowerKernels(program, machine)))
    return failure();

  Package package;
  package.key = key.str();
  package.target = "cpu:" + machine.triple + ":" + machine.cpu;
  package.cpu_features = machine.features;
  package.signature = signature;
  describeProgram(program, module, package);
  program.erase();

  if (failed(lowerToLLVM(module)))
    return failure();
  std::unique_ptr<llvm::TargetMachine> target = createTargetMachine(machine);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = translate(module, context, *target);
  if (!llvmModule)
    return failure();
  if (stage == Stage::llvm) {
    llvm::raw_string_ostream stream(*text);
    llvmModule->print(stream, nullptr);
    return package;
  }
  std::string object = generate(*llvmModule, *target, stage == Stage::assembly);
  if (stage == Stage::assembly) {
    *text = std::move(object);
    return package;
  }
  std::string error;
  auto image = link(object, error);
  if (failed(image))
    return module.emitError() << error;
  package.image = std::move(image->bytes);
  for (Variant &variant : package.variants)
    for (Launch &launch : variant.launches)
      launch.entry = image->entries.at(launch.kernel + ".entry");
  return package;
}
