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

static tile::ProgramOp programOf(ModuleOp module) { return *module.getOps<tile::ProgramOp>().begin(); }

/// What a kernel may use for rings, so that it needs no more than `limit` bytes; nothing where rings are not
/// to blame.
static std::optional<int64_t> fewerRingBytes(tile::KernelOp kernel, int64_t needed, int64_t limit) {
  auto rings = kernel->getAttrOfType<IntegerAttr>("ring_bytes");
  if (!rings || rings.getInt() == 0)
    return std::nullopt;
  return std::max<int64_t>(0, std::min(rings.getInt(), needed) - (needed - limit));
}

/// The program in terms of threads, as a module of its own.
static FailureOr<OwningOpRef<ModuleOp>> toThreads(ModuleOp module, int64_t sharedBytes) {
  while (true) {
    PassManager passes(module.getContext());
    cuda::buildTileToThreads(passes, {.products = productsOf(programOf(module)), .sharedBytes = sharedBytes});
    OwningOpRef<ModuleOp> lowered = module.clone();
    if (failed(passes.run(*lowered)))
      return failure();
    bool fits = true;
    for (auto kernel : programOf(*lowered).getOps<tile::KernelOp>()) {
      int64_t needed = kernel.getSharedBytes().value_or(0);
      if (needed <= sharedBytes)
        continue;
      fits = false;
      auto own =
          cast<tile::KernelOp>(SymbolTable::lookupSymbolIn(programOf(module), kernel.getSymNameAttr()));
      std::optional<int64_t> fewer = fewerRingBytes(own, needed, sharedBytes);
      if (!fewer)
        return own.emitError("kernel '")
               << own.getSymName() << "' needs " << needed
               << " bytes of shared memory in a block, and blocks have " << sharedBytes
               << "; a smaller chunk or fewer columns by the schedule need less";
      own->setAttr("ring_bytes", Builder(own.getContext()).getI64IntegerAttr(*fewer));
    }
    if (fits)
      return lowered;
  }
}

FailureOr<Package> linmu::cuda::compile(ModuleOp module, const Signature &signature, StringRef key,
                                        int64_t sharedBytes) {
  if (module.getOps<tile::ProgramOp>().empty())
    return module.emitError("requires a tile.program");
  FailureOr<OwningOpRef<ModuleOp>> lowered = toThreads(module, sharedBytes);
  if (failed(lowered))
    return failure();
  tile::ProgramOp program = programOf(**lowered);
  FailureOr<std::vector<KernelSource>> sources = printProgram(program);
  if (failed(sources))
    return failure();

  Package package;
  package.key = key.str();
  package.target = "cuda";
  package.signature = signature;
  package.sources = std::move(*sources);
  package.prelude = devicePrelude();
  auto details = [&](Launch &launch) {
    auto kernel = cast<tile::KernelOp>(SymbolTable::lookupSymbolIn(program, launch.kernel));
    launch.threads = static_cast<std::int32_t>(*kernel.getThreads());
    launch.shared_bytes = kernel.getSharedBytes().value_or(0);
  };
  if (failed(writeProgram(program, details, package)))
    return failure();
  return package;
}
