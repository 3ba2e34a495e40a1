// From text to a module of patterns with named operands.
#include "compiler/frontend/Advice.h"
#include "compiler/frontend/Frontend.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/SourceMgr.h"
#include <set>

using namespace mlir;
using namespace linmu;

void frontend::registerDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, func::FuncDialect, math::MathDialect, pattern::PatternDialect>();
  pattern::registerStepModels(registry);
}

//===------------------------------------------------------------------------------------------------===//
// Aliases
//===------------------------------------------------------------------------------------------------===//

namespace {
/// The text that is parsed, and what to say of the lines that the caller wrote.
struct Overridden {
  std::string text;
  std::map<unsigned, std::string> notes;
};
} // namespace

/// How a text writes an alias: `#name` of an attribute, `!name` of a type, where the '!' may be left out.
static std::string spelled(StringRef name) {
  return name.starts_with("#") || name.starts_with("!") ? name.str() : "!" + name.str();
}

/// The text with the right-hand sides of overridden aliases replaced; line numbers stay.
static FailureOr<Overridden> overrideAliases(const frontend::Source &source, MLIRContext &context) {
  Location start = FileLineColLoc::get(&context, source.filename, 1, 1);
  std::map<std::string, StringRef> overrides;
  for (auto &[name, type] : source.aliases) {
    if (type.find('\n') != std::string::npos)
      return emitError(start) << "requires what replaces alias '" << spelled(name) << "' on one line";
    if (!overrides.emplace(spelled(name), type).second)
      return emitError(start) << "requires one definition for alias '" << spelled(name) << "', got '" << name
                              << "' and '" << spelled(name) << "'";
  }
  Overridden result;
  std::set<std::string> defined;
  StringRef rest = source.text;
  for (unsigned number = 1; !rest.empty(); ++number) {
    size_t end = rest.find('\n');
    StringRef line = rest.take_front(end == StringRef::npos ? rest.size() : end + 1);
    rest = rest.drop_front(line.size());
    auto [left, right] = line.trim().split('=');
    left = left.trim();
    bool isAlias = !right.empty() && (left.starts_with("!") || left.starts_with("#"));
    auto alias = isAlias ? overrides.find(left.str()) : overrides.end();
    if (isAlias)
      defined.insert(left.str());
    if (alias == overrides.end()) {
      result.text += line;
      continue;
    }
    result.text += (alias->first + " = " + alias->second + "\n").str();
    result.notes[number] = ("alias '" + alias->first + "' is given as '" + alias->second + "'").str();
  }
  for (auto &[name, type] : overrides)
    if (!defined.contains(name))
      return emitError(start) << "the text defines no alias '" << name << "' on a line of its own, which '"
                              << type << "' was to replace; it defines: "
                              << (defined.empty() ? "none" : llvm::join(defined, ", "));
  return result;
}

//===------------------------------------------------------------------------------------------------===//
// Names
//===------------------------------------------------------------------------------------------------===//

static StringRef textOf(llvm::SMRange range) {
  StringRef text(range.Start.getPointer(), range.End.getPointer() - range.Start.getPointer());
  text.consume_front("%");
  return text.take_until([](char c) { return c == ':' || c == '#'; });
}

/// Appends _1, _2, ... to a name that is taken.
static StringAttr uniqueName(MLIRContext *context, StringRef name, llvm::StringSet<> &taken) {
  std::string unique = name.str();
  for (int suffix = 1; !taken.insert(unique).second; ++suffix)
    unique = (name + "_" + Twine(suffix)).str();
  return StringAttr::get(context, unique);
}

static void attachNames(func::FuncOp function, const AsmParserState &state) {
  MLIRContext *context = function.getContext();
  llvm::DenseMap<Value, std::string> names;
  if (const auto *block = state.getBlockDef(&function.getBody().front()))
    for (auto [argument, definition] : llvm::zip(function.getArguments(), block->arguments))
      names[argument] = textOf(definition.loc).str();
  function.walk([&](Operation *op) {
    const auto *definition = state.getOpDef(op);
    if (!definition)
      return;
    ArrayRef<AsmParserState::OperationDefinition::ResultGroupDefinition> groups = definition->resultGroups;
    for (size_t i = 0; i < groups.size(); ++i) {
      unsigned end = i + 1 < groups.size() ? groups[i + 1].startIndex : op->getNumResults();
      std::string name = textOf(groups[i].definition.loc).str();
      for (unsigned result = groups[i].startIndex; result < end; ++result)
        names[op->getResult(result)] = end - groups[i].startIndex == 1
                                           ? name
                                           : name + "_" + std::to_string(result - groups[i].startIndex);
    }
  });
  llvm::StringSet<> inputs, results;
  for (BlockArgument argument : function.getArguments())
    function.setArgAttr(argument.getArgNumber(), "pattern.name",
                        uniqueName(context, names[argument], inputs));
  auto returned = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  for (auto [index, value] : llvm::enumerate(returned.getOperands())) {
    auto given = function.getResultAttrOfType<StringAttr>(index, "pattern.name");
    function.setResultAttr(index, "pattern.name",
                           uniqueName(context, given ? given.getValue() : names[value], results));
  }
}

//===------------------------------------------------------------------------------------------------===//
// Entry
//===------------------------------------------------------------------------------------------------===//

/// Every function and step ends as it must; MLIR's verifier would say so of the op before the end.
static LogicalResult checkEnd(Operation *op, Block &block) {
  for (auto inner : block.getOps<func::FuncOp>())
    return inner.emitError("requires '}' before 'func.func': the one before it is still open");
  if (!block.empty() && block.back().hasTrait<OpTrait::IsTerminator>())
    return success();
  Operation *last = block.empty() ? op : &block.back();
  if (isa<func::FuncOp>(op))
    return last->emitError("requires a return after the last op of the function, as in return %o : "
                           "tensor<?x?x8x64xf32>");
  return last->emitError("requires a pattern.yield after the last op of the step, as in pattern.yield "
                         "outputs(%y : tensor<64xf32>) states(%S1 : tensor<64x64xf32>)");
}

static LogicalResult checkEnds(ModuleOp module) {
  WalkResult walked = module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<func::FuncOp, pattern::ScanOp, pattern::MapOp, pattern::WindowAttentionOp,
            pattern::WindowAdjointOp>(op))
      for (Region &region : op->getRegions())
        for (Block &block : region)
          if (failed(checkEnd(op, block)))
            return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

static LogicalResult checkFunction(func::FuncOp function) {
  if (function.isExternal())
    return function.emitError("a pattern requires a body");
  if (!function.getBody().hasOneBlock())
    return function.emitError("a pattern requires one block");
  for (Operation &op : function.getBody().front()) {
    bool last = &op == &function.getBody().front().back();
    if (last ? !isa<func::ReturnOp>(op)
             : !isa<pattern::ScanOp, pattern::MapOp, pattern::PermuteOp, pattern::TokenOrderOp,
                    pattern::WindowAttentionOp, pattern::ReduceOp, pattern::InnerProductOp,
                    pattern::ScanAdjointOp, pattern::WindowAdjointOp>(op))
      return op.emitError("requires a pattern to consist of pattern.scan, map, permute, token_order, reduce, "
                          "inner_product, scan_adjoint, window_attention and window_adjoint, and to end in "
                          "func.return; got '")
             << op.getName() << "'";
  }
  if (function.getNumResults() == 0)
    return function.emitError("a pattern requires a result");
  return success();
}

OwningOpRef<ModuleOp> frontend::parse(const Source &source, MLIRContext &context) {
  auto text = overrideAliases(source, context);
  if (failed(text))
    return {};
  llvm::SourceMgr manager;
  manager.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text->text, source.filename),
                             llvm::SMLoc());
  // Advice names ops of any of them.
  context.loadDialect<arith::ArithDialect, func::FuncDialect, math::MathDialect, pattern::PatternDialect>();
  frontend::Adviser adviser(context, text->text, source.filename, std::move(text->notes));
  AsmParserState state;
  Location start = FileLineColLoc::get(&context, source.filename, 1, 1);
  OwningOpRef<ModuleOp> module = ModuleOp::create(start);
  ParserConfig config(&context, /*verifyAfterParse=*/false);
  if (failed(parseAsmSourceFile(manager, module->getBody(), config, &state)))
    return {};
  // A file may hold its patterns in an explicit module.
  if (llvm::hasSingleElement(*module->getBody()))
    if (auto inner = dyn_cast<ModuleOp>(module->getBody()->front())) {
      inner->remove();
      module = inner;
    }
  if (failed(checkEnds(*module)) || failed(verify(*module)))
    return {};
  for (Operation &op : *module->getBody()) {
    auto function = dyn_cast<func::FuncOp>(op);
    if (!function) {
      op.emitError("requires 'func.func' at the top of a file, got '") << op.getName() << "'";
      return {};
    }
    if (failed(checkFunction(function)))
      return {};
    attachNames(function, state);
  }
  if (module->getBody()->empty()) {
    emitError(start, "the text defines no pattern; requires a 'func.func'");
    return {};
  }
  return module;
}

func::FuncOp frontend::selectFunction(ModuleOp module, StringRef name) {
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  if (name.empty() && functions.size() == 1)
    return functions.front();
  std::string list;
  for (func::FuncOp function : functions) {
    if (function.getSymName() == name)
      return function;
    list += (list.empty() ? "" : ", ") + function.getSymName().str();
  }
  if (name.empty())
    module.emitError("the text defines several patterns, name one of: ") << list;
  else
    module.emitError("the text defines no pattern '") << name << "'; it defines: " << list;
  return {};
}
