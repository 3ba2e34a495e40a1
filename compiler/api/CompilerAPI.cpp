// The exported functions: each opens a context, runs the stages that it needs and returns plain data.
#include "build_identity.h"
#include "compiler/api/Explain.h"
#include "compiler/api/Pipeline.h"
#include "compiler/api/fork_guard.h"
#include "compiler/derive/derive.h"
#include "compiler/interpreter/Interpreter.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "compiler/target/cuda/TargetCuda.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace linmu::compiler {

namespace {

bool isTarget(const std::string &name) { return name == "cpu" || name == "cuda"; }

/// Runs `body` in a context with diagnostics collected. Whatever goes wrong ends as a diagnostic.
template <typename Result, typename Body> Result inContext(const Options &options, Body &&body) {
  ForkGuard guard;
  Result result;
  Context context;
  frontend::DiagnosticCollector diagnostics(*context);
  try {
    Location start = FileLineColLoc::get(&*context, options.filename, 1, 1);
    if (!options.cpu.empty() && !cpu::Machine::isKnown(options.cpu))
      emitError(start) << "requires a CPU that LLVM knows for the native target, got '" << options.cpu << "'";
    else if (!isTarget(options.target))
      emitError(start) << "requires the target cpu or cuda, got '" << options.target << "'";
    else
      result.ok = succeeded(body(*context, result));
  } catch (const std::exception &error) {
    result.ok = false;
    result.diagnostics = options.filename + ": error: " + error.what() + "\n";
    return result;
  }
  result.diagnostics = diagnostics.take();
  if (!result.ok && result.diagnostics.empty())
    result.diagnostics = options.filename + ": error: compilation failed without a message\n";
  return result;
}

/// The same with the selected function parsed into a module of its own.
template <typename Result, typename Body>
Result withModule(std::string_view source, const Options &options, Body &&body) {
  return inContext<Result>(options, [&](MLIRContext &context, Result &result) -> LogicalResult {
    OwningOpRef<ModuleOp> module = parse(source, options, context);
    return module ? body(*module, result) : failure();
  });
}

/// The same with the schedule, which is read here and nowhere else.
template <typename Result, typename Body>
Result withSchedule(std::string_view source, const Options &options, Body &&body) {
  return withModule<Result>(source, options, [&](ModuleOp module, Result &result) -> LogicalResult {
    FailureOr<Schedule> schedule = scheduleOf(options, *module.getContext());
    return succeeded(schedule) ? body(module, *schedule, result) : failure();
  });
}

/// The plan of a normalised module; its program stands for the module's function afterwards.
LogicalResult planAndDerive(ModuleOp module, const Schedule &schedule) {
  FailureOr<Plan> plan = planOf(functionOf(module), schedule);
  return succeeded(plan) ? derive(module, *plan, schedule) : failure();
}

std::string printed(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  op->print(stream, OpPrintingFlags().useLocalScope());
  return text + "\n";
}

} // namespace

Names functions(std::string_view source, const Options &options) {
  return inContext<Names>(options, [&](MLIRContext &context, Names &result) -> LogicalResult {
    OwningOpRef<ModuleOp> module =
        frontend::parse({llvm::StringRef(source), options.filename, options.aliases}, context);
    if (!module)
      return failure();
    for (auto function : module->getOps<func::FuncOp>())
      result.names.push_back(function.getSymName().str());
    return success();
  });
}

Text cacheKey(std::string_view source, const Options &options) {
  return withModule<Text>(source, options, [&](ModuleOp module, Text &result) {
    result.text = keyOf(functionOf(module), options);
    return success();
  });
}

Bytes signature(std::string_view source, const Options &options) {
  return withModule<Bytes>(source, options, [&](ModuleOp module, Bytes &result) -> LogicalResult {
    auto signature = frontend::signatureOf(functionOf(module));
    if (failed(signature))
      return failure();
    Package package;
    package.key = keyOf(functionOf(module), options);
    package.signature = std::move(*signature);
    package.variants.push_back({});
    result.bytes = serialize(package);
    return success();
  });
}

Bytes compile(std::string_view source, const Options &options) {
  return withSchedule<Bytes>(
      source, options, [&](ModuleOp module, const Schedule &schedule, Bytes &result) -> LogicalResult {
        auto signature = frontend::signatureOf(functionOf(module));
        if (failed(signature))
          return failure();
        std::string key = keyOf(functionOf(module), options);
        if (failed(normalize(module, schedule)) || failed(planAndDerive(module, schedule)))
          return failure();
        auto package = options.target == "cuda"
                           ? cuda::compile(module, *signature, key, options.shared_bytes)
                           : cpu::compile(module, cpu::Machine::named(options.cpu), *signature, key);
        if (failed(package))
          return failure();
        result.bytes = serialize(*package);
        return success();
      });
}

Text explain(std::string_view source, const Options &options, bool json) {
  return withSchedule<Text>(
      source, options, [&](ModuleOp module, const Schedule &schedule, Text &result) -> LogicalResult {
        if (failed(frontend::signatureOf(functionOf(module))) || failed(normalize(module, schedule)))
          return failure();
        FailureOr<Plan> plan = planOf(functionOf(module), schedule);
        if (failed(plan))
          return failure();
        Explanation explanation(functionOf(module), *plan);
        // What derivation and the target refuse is no pattern that runs; code generation refuses nothing
        // more.
        if (failed(derive(module, *plan, schedule)))
          return failure();
        explanation.addVariants(*module.getOps<tile::ProgramOp>().begin());
        result.text = json ? explanation.json() : explanation.text();
        if (options.target == "cuda")
          return cuda::compile(module, {}, "", options.shared_bytes);
        return cpu::lowerKernels(module, cpu::Machine::named(options.cpu));
      });
}

Text emit(std::string_view source, const Options &options, Emit stage) {
  return withSchedule<Text>(
      source, options, [&](ModuleOp module, const Schedule &schedule, Text &result) -> LogicalResult {
        auto signature = frontend::signatureOf(functionOf(module));
        if (failed(signature))
          return failure();
        if (stage != Emit::pattern && failed(normalize(module, schedule)))
          return failure();
        if (stage == Emit::pattern || stage == Emit::normal) {
          result.text = printed(module);
          return success();
        }
        if (failed(planAndDerive(module, schedule)))
          return failure();
        if (stage == Emit::tile) {
          result.text = printed(module);
          return success();
        }
        if ((stage == Emit::source) != (options.target == "cuda"))
          return module.emitError() << "requires the target "
                                    << (stage == Emit::source ? "cuda for its source" : "cpu for this stage")
                                    << ", got " << options.target;
        if (stage == Emit::source) {
          FailureOr<Package> package = cuda::compile(module, *signature, "", options.shared_bytes);
          if (failed(package))
            return failure();
          result.text = std::move(package->prelude);
          for (const KernelSource &kernel : package->sources)
            result.text += kernel.text;
          return success();
        }
        cpu::Stage target = stage == Emit::llvm ? cpu::Stage::llvm : cpu::Stage::assembly;
        return success(succeeded(
            cpu::compile(module, cpu::Machine::named(options.cpu), *signature, "", target, &result.text)));
      });
}

Text text(std::string_view source, const Options &options) {
  return withModule<Text>(source, options, [&](ModuleOp module, Text &result) {
    result.text = frontend::textOf(module);
    return success();
  });
}

Tensors interpret(std::string_view source, const Options &options, std::span<const HostTensor> inputs,
                  int threads) {
  return withSchedule<Tensors>(
      source, options, [&](ModuleOp module, const Schedule &, Tensors &result) -> LogicalResult {
        auto tensors = interpreter::run(functionOf(module), {inputs.data(), inputs.size()}, threads);
        if (failed(tensors))
          return failure();
        result.tensors = std::move(*tensors);
        return success();
      });
}

std::string buildIdentity() { return LINMU_BUILD_IDENTITY; }

} // namespace linmu::compiler
