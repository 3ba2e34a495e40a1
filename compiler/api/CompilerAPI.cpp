// The exported functions: each opens a context, runs the stages that it needs and returns plain data.
#include "build_identity.h"
#include "compiler/api/Explain.h"
#include "compiler/api/Pipeline.h"
#include "compiler/api/fork_guard.h"
#include "compiler/derive/derive.h"
#include "compiler/interpreter/Interpreter.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace linmu::compiler {

namespace {

/// Runs `body` in a context with diagnostics collected. Whatever goes wrong ends as a diagnostic.
template <typename Result, typename Body> Result inContext(const Options &options, Body &&body) {
  ForkGuard guard;
  Result result;
  Context context;
  frontend::DiagnosticCollector diagnostics(*context);
  try {
    if (options.cpu.empty() || cpu::Machine::isKnown(options.cpu))
      result.ok = succeeded(body(*context, result));
    else
      emitError(FileLineColLoc::get(&*context, options.filename, 1, 1))
          << "requires a CPU that LLVM knows for the native target, got '" << options.cpu << "'";
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
  return withModule<Bytes>(source, options, [&](ModuleOp module, Bytes &result) -> LogicalResult {
    auto signature = frontend::signatureOf(functionOf(module));
    if (failed(signature))
      return failure();
    std::string key = keyOf(functionOf(module), options);
    if (failed(normalize(module, options)) || failed(derive(module, options)))
      return failure();
    auto package = cpu::compile(module, cpu::Machine::named(options.cpu), *signature, key);
    if (failed(package))
      return failure();
    result.bytes = serialize(*package);
    return success();
  });
}

Text explain(std::string_view source, const Options &options, bool json) {
  return withModule<Text>(source, options, [&](ModuleOp module, Text &result) -> LogicalResult {
    if (failed(frontend::signatureOf(functionOf(module))) || failed(normalize(module, options)))
      return failure();
    auto schedule = parseSchedule(options.schedule);
    if (!schedule)
      return emitError(FileLineColLoc::get(module.getContext(), options.filename, 1, 1))
             << llvm::toString(schedule.takeError());
    result.text = linmu::explain(functionOf(module), *schedule, json);
    return success();
  });
}

Text emit(std::string_view source, const Options &options, Emit stage) {
  return withModule<Text>(source, options, [&](ModuleOp module, Text &result) -> LogicalResult {
    auto signature = frontend::signatureOf(functionOf(module));
    if (failed(signature))
      return failure();
    if (stage != Emit::pattern && failed(normalize(module, options)))
      return failure();
    if (stage == Emit::pattern || stage == Emit::normal) {
      result.text = printed(module);
      return success();
    }
    if (failed(derive(module, options)))
      return failure();
    if (stage == Emit::tile) {
      result.text = printed(module);
      return success();
    }
    cpu::Stage target = stage == Emit::llvm ? cpu::Stage::llvm : cpu::Stage::assembly;
    return success(succeeded(
        cpu::compile(module, cpu::Machine::named(options.cpu), *signature, "", target, &result.text)));
  });
}

Tensors interpret(std::string_view source, const Options &options, std::span<const HostTensor> inputs,
                  int threads) {
  return withModule<Tensors>(source, options, [&](ModuleOp module, Tensors &result) -> LogicalResult {
    auto tensors = interpreter::run(functionOf(module), {inputs.data(), inputs.size()}, threads);
    if (failed(tensors))
      return failure();
    result.tensors = std::move(*tensors);
    return success();
  });
}

std::string buildIdentity() { return LINMU_BUILD_IDENTITY; }

} // namespace linmu::compiler
