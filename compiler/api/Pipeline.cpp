#include "compiler/api/Pipeline.h"
#include "compiler/autodiff/Passes.h"
#include "compiler/derive/derive.h"
#include "compiler/normalize/Passes.h"
#include "compiler/target/cpu/DefaultSchedule.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "compiler/target/cuda/DefaultSchedule.h"
#include "compiler/target/cuda/TargetCuda.h"
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
  cuda::registerTarget(registry);
  return registry;
}

Context::Context() : registry_(makeRegistry()), context_(registry_, MLIRContext::Threading::DISABLED) {}

/// The parsed function as that of its gradients.
static LogicalResult takeGradient(ModuleOp module, const Options &options) {
  FailureOr<Schedule> schedule = scheduleOf(options, *module.getContext());
  if (failed(schedule) || failed(frontend::signatureOf(functionOf(module))))
    return failure();
  return success(succeeded(normalize(module, *schedule)) &&
                 succeeded(differentiate(module, *options.gradient)));
}

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
  if (options.gradient && failed(takeGradient(*module, options)))
    return {};
  return module;
}

func::FuncOp functionOf(ModuleOp module) { return *module.getOps<func::FuncOp>().begin(); }

/// Cores of the machine at hand, which a call may use.
static std::int64_t coresAtHand() { return std::max(1u, std::thread::hardware_concurrency()); }

FailureOr<Schedule> scheduleOf(const Options &options, MLIRContext &context) {
  // The multiprocessors of an H100: what is compiled may run on other GPUs as well.
  constexpr std::int64_t processors = 132;
  Schedule target = options.target == "cuda" ? cuda::defaultSchedule(processors, options.shared_bytes)
                                             : cpu::defaultSchedule(coresAtHand());
  auto schedule = parseSchedule(options.schedule, std::move(target));
  if (!schedule)
    return emitError(FileLineColLoc::get(&context, options.filename, 1, 1))
           << llvm::toString(schedule.takeError());
  return *schedule;
}

LogicalResult normalize(ModuleOp module, const Schedule &schedule) {
  module.getContext()->loadDialect<arith::ArithDialect, math::MathDialect>();
  // What has one key has one kernel.
  frontend::orderSteps(functionOf(module));
  PassManager passes(module.getContext());
  passes.addPass(createExpandClausesPass());
  passes.addPass(createCanonicalizerPass());
  passes.addNestedPass<func::FuncOp>(createFoldPermutesPass());
  if (schedule.fuse) {
    passes.addNestedPass<func::FuncOp>(createFuseMapsPass());
    passes.addNestedPass<func::FuncOp>(createFuseIntoAdjointsPass());
  }
  passes.addPass(createNormalizePass());
  return passes.run(module);
}

LogicalResult differentiate(ModuleOp module, const Gradient &gradient) {
  PassManager passes(module.getContext());
  passes.addNestedPass<func::FuncOp>(createSplitScansPass());
  DifferentiateOptions options;
  options.wrt.assign(gradient.wrt.begin(), gradient.wrt.end());
  options.of.assign(gradient.of.begin(), gradient.of.end());
  passes.addNestedPass<func::FuncOp>(createDifferentiate(options));
  passes.addNestedPass<func::FuncOp>(createRestoreScansPass());
  passes.addNestedPass<func::FuncOp>(createDropUnusedPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  return passes.run(module);
}

LogicalResult derive(ModuleOp module, const Plan &plan, const Schedule &schedule) {
  module.getContext()->loadDialect<scf::SCFDialect, tensor::TensorDialect, tile::TileDialect>();
  if (failed(linmu::derive(functionOf(module), plan, schedule)))
    return failure();
  PassManager passes(module.getContext());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  return passes.run(module);
}

std::string keyOf(func::FuncOp function, const Options &options) {
  cpu::Machine machine = cpu::Machine::named(options.cpu);
  std::string salt = machine.triple + ";" + machine.cpu + ";" + std::to_string(coresAtHand()) + ";" +
                     options.target + ";" + buildIdentity();
  for (const std::string &feature : machine.features)
    salt += "," + feature;
  if (options.target == "cuda")
    salt += ";shared_bytes=" + std::to_string(options.shared_bytes);
  for (auto &[key, value] : options.schedule)
    salt += ";" + key + "=" + value;
  return frontend::hashOf(function, salt);
}

} // namespace linmu::compiler
