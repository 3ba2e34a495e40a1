#include "compiler/target/cuda/Passes.h"
#include "compiler/target/cuda/TargetCuda.h"
#include "compiler/target/cuda/prelude/Prelude.h"
#include "compiler/target/cuda/print/Printer.h"
#include "compiler/target/package/WriteProgram.h"

using namespace mlir;
using namespace linmu;

void linmu::cuda::registerTarget(DialectRegistry &registry) {
  registry.insert<CudaDialect, gpu::GPUDialect, memref::MemRefDialect, vector::VectorDialect>();
}

/// The type that products are rounded to: that of the operands which have fewer digits.
static std::string productsOf(tile::ProgramOp program) {
  std::string products = "f32";
  for (Type type : program.getBody().getArgumentTypes()) {
    Type element = getElementTypeOrSelf(type);
    if (element.isBF16())
      return "bf16";
    if (element.isF16())
      products = "f16";
  }
  return products;
}

FailureOr<Package> linmu::cuda::compile(ModuleOp module, const Signature &signature, StringRef key) {
  auto programs = module.getOps<tile::ProgramOp>();
  if (programs.empty())
    return module.emitError("requires a tile.program");
  PassManager passes(module.getContext());
  buildTileToThreads(passes, {.products = productsOf(*programs.begin())});
  if (failed(passes.run(module)))
    return failure();
  tile::ProgramOp program = *module.getOps<tile::ProgramOp>().begin();
  FailureOr<std::string> text = printProgram(program);
  if (failed(text))
    return failure();

  Package package;
  package.key = key.str();
  package.target = "cuda";
  package.signature = signature;
  package.source = std::string(devicePrelude()) + *text;
  auto details = [&](Launch &launch) {
    auto kernel = cast<tile::KernelOp>(SymbolTable::lookupSymbolIn(program, launch.kernel));
    launch.threads = static_cast<std::int32_t>(*kernel.getThreads());
    launch.shared_bytes = kernel.getSharedBytes().value_or(0);
  };
  if (failed(writeProgram(program, details, package)))
    return failure();
  return package;
}
