#include "compiler/frontend/Frontend.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace linmu;

void frontend::registerDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, func::FuncDialect, math::MathDialect, pattern::PatternDialect>();
  pattern::registerStepModels(registry);
}

//===------------------------------------------------------------------------------------------------===//
// Diagnostics
//===------------------------------------------------------------------------------------------------===//

static void render(llvm::raw_ostream &stream, Location location, DiagnosticSeverity severity,
                   const std::string &message) {
  FileLineColLoc place;
  location->walk([&](Location part) {
    if (auto file = dyn_cast<FileLineColLoc>(Attribute(part))) {
      place = file;
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  if (place)
    stream << place.getFilename().getValue() << ":" << place.getLine() << ":" << place.getColumn() << ": ";
  static constexpr const char *names[] = {"note", "warning", "error", "remark"};
  // Some of MLIR's own messages end in a whole op, over many lines.
  StringRef line = StringRef(message).take_until([](char c) { return c == '\n'; }).rtrim();
  line.consume_back(", has");
  stream << names[int(severity)] << ": " << line << "\n";
}

frontend::DiagnosticCollector::DiagnosticCollector(MLIRContext &context)
    : handler_(&context, [this](Diagnostic &diagnostic) {
        // The first error says what is wrong; those after it are its consequences.
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
            text_.find(": error: ") != std::string::npos)
          return success();
        llvm::raw_string_ostream stream(text_);
        render(stream, diagnostic.getLocation(), diagnostic.getSeverity(), diagnostic.str());
        for (Diagnostic &note : diagnostic.getNotes())
          if (!isa<UnknownLoc>(note.getLocation()) &&
              !StringRef(note.str()).starts_with("see current operation"))
            render(stream, note.getLocation(), DiagnosticSeverity::Note, note.str());
        return success();
      }) {}

//===------------------------------------------------------------------------------------------------===//
// Aliases
//===------------------------------------------------------------------------------------------------===//

/// How a text writes an alias: `#name` of an attribute, `!name` of a type.
static std::string spelled(StringRef name) { return name.starts_with("#") ? name.str() : "!" + name.str(); }

/// The text with the right-hand sides of overridden aliases replaced; line numbers stay.
static FailureOr<std::string> overrideAliases(const frontend::Source &source, MLIRContext &context) {
  for (auto &[name, type] : source.aliases)
    if (type.find('\n') != std::string::npos)
      return emitError(FileLineColLoc::get(&context, source.filename, 1, 1))
             << "requires what replaces alias '" << spelled(name) << "' on one line";
  std::string result;
  llvm::StringSet<> found;
  StringRef rest = source.text;
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    StringRef line = rest.take_front(end == StringRef::npos ? rest.size() : end + 1);
    rest = rest.drop_front(line.size());
    StringRef trimmed = line.trim();
    auto [left, right] = trimmed.split('=');
    left = left.trim();
    auto alias = source.aliases.end();
    if (!right.empty() && (left.starts_with("!") || left.starts_with("#")))
      alias = source.aliases.find(left.drop_front(left.starts_with("!")).str());
    if (alias == source.aliases.end()) {
      result += line;
      continue;
    }
    found.insert(alias->first);
    result += spelled(alias->first) + " = " + alias->second + "\n";
  }
  for (auto &[name, type] : source.aliases)
    if (!found.contains(name))
      return emitError(FileLineColLoc::get(&context, source.filename, 1, 1))
             << "the text defines no alias '" << spelled(name) << "' on a line of its own, which '" << type
             << "' was to replace";
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
  for (auto [index, value] : llvm::enumerate(returned.getOperands()))
    function.setResultAttr(index, "pattern.name", uniqueName(context, names[value], results));
}

//===------------------------------------------------------------------------------------------------===//
// Entry
//===------------------------------------------------------------------------------------------------===//

static LogicalResult checkFunction(func::FuncOp function) {
  if (function.isExternal())
    return function.emitError("a pattern requires a body");
  if (!function.getBody().hasOneBlock())
    return function.emitError("a pattern requires one block");
  for (Operation &op : function.getBody().front()) {
    bool last = &op == &function.getBody().front().back();
    if (last ? !isa<func::ReturnOp>(op)
             : !isa<pattern::ScanOp, pattern::MapOp, pattern::PermuteOp, pattern::TokenOrderOp,
                    pattern::WindowAttentionOp>(op))
      return op.emitError("requires a pattern to consist of pattern.scan, map, permute, token_order and "
                          "window_attention, and to end in func.return; got '")
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
  manager.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(*text, source.filename), llvm::SMLoc());
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
  if (failed(verify(*module)))
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
