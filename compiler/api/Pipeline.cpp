#include "compiler/api/Pipeline.h"
#include "compiler/derive/derive.h"
#include "compiler/normalize/Passes.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <thread>

using namespace mlir;

namespace linmu::compiler {

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  frontend::registerDialects(registry);
  registry.insert<scf::SCFDialect, tensor::TensorDialect, tile::TileDialect>();
  cpu::registerTarget(registry);
  return registry;
}

Context::Context() : registry_(makeRegistry()), context_(registry_, MLIRContext::Threading::DISABLED) {}

OwningOpRef<ModuleOp> parse(std::string_view source, const Options &options, MLIRContext &context) {
  OwningOpRef<ModuleOp> module =
      frontend::parse({llvm::StringRef(source), options.filename, options.aliases}, context);
  if (!module)
    return {};
  func::FuncOp function = frontend::selectFunction(*module, options.function);
  if (!function)
    return {};
  for (func::FuncOp other : llvm::make_early_inc_range(module->getOps<func::FuncOp>()))
    if (other != function)
      other.erase();
  return module;
}

func::FuncOp functionOf(ModuleOp module) { return *module.getOps<func::FuncOp>().begin(); }

/// Cores that a call may use; the schedule's own if it names them.
static std::int64_t coresOf(const Options &options) {
  auto named = options.schedule.find("cores");
  std::int64_t cores = 0;
  if (named != options.schedule.end() && !llvm::StringRef(named->second).getAsInteger(10, cores))
    return cores;
  return std::max(1u, std::thread::hardware_concurrency());
}

FailureOr<Schedule> scheduleOf(ModuleOp module, const Options &options) {
  auto schedule = parseSchedule(options.schedule);
  if (!schedule)
    return emitError(FileLineColLoc::get(module.getContext(), options.filename, 1, 1))
           << llvm::toString(schedule.takeError());
  schedule->cores = coresOf(options);
  return *schedule;
}

LogicalResult normalize(ModuleOp module, const Options &options) {
  FailureOr<Schedule> schedule = scheduleOf(module, options);
  if (failed(schedule))
    return failure();
  module.getContext()->loadDialect<arith::ArithDialect, math::MathDialect>();
  PassManager passes(module.getContext());
  passes.addPass(createExpandClausesPass());
  passes.addPass(createCanonicalizerPass());
  passes.addNestedPass<func::FuncOp>(createFoldPermutesPass());
  if (schedule->fuse)
    passes.addNestedPass<func::FuncOp>(createFuseMapsPass());
  passes.addPass(createNormalizePass());
  return passes.run(module);
}

LogicalResult derive(ModuleOp module, const Options &options) {
  module.getContext()->loadDialect<scf::SCFDialect, tensor::TensorDialect, tile::TileDialect>();
  FailureOr<Schedule> schedule = scheduleOf(module, options);
  if (failed(schedule))
    return failure();
  if (failed(linmu::derive(functionOf(module), *schedule)))
    return failure();
  PassManager passes(module.getContext());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  return passes.run(module);
}

FailureOr<Package> compileForCuda(ModuleOp module, const Signature &, llvm::StringRef) {
  return module.emitError() << "requires a target other than cuda, which is not built yet";
}

std::string keyOf(func::FuncOp function, const Options &options) {
  cpu::Machine machine = cpu::Machine::named(options.cpu);
  std::string salt = machine.triple + ";" + machine.cpu + ";" + std::to_string(coresOf(options)) + ";" +
                     options.target + ";" + buildIdentity();
  for (const std::string &feature : machine.features)
    salt += "," + feature;
  for (auto &[key, value] : options.schedule)
    salt += ";" + key + "=" + value;
  return frontend::hashOf(function, salt);
}

} // namespace linmu::compiler
