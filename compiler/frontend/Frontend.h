// Text entry: pattern text to a verified module whose functions know their operands' names.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/core/package.h"
#include <map>
#include <string>

namespace linmu::frontend {

struct Source {
  llvm::StringRef text;
  std::string filename = "<pattern>";
  /// New right-hand sides of aliases that the text defines: of types by name with or without '!', of
  /// attributes by name with '#'.
  std::map<std::string, std::string> aliases;
};

/// Registers what pattern text may contain.
void registerDialects(mlir::DialectRegistry &registry);

/// Collects the diagnostics of a context as "file:line:column: error: ..." lines with their notes, instead of
/// printing them.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext &context);
  std::string take() { return std::move(text_); }

private:
  std::string text_;
  mlir::ScopedDiagnosticHandler handler_;
};

/// Parses and verifies. SSA names become the attribute `pattern.name` of arguments and results of each
/// function. Null after a diagnostic.
mlir::OwningOpRef<mlir::ModuleOp> parse(const Source &source, mlir::MLIRContext &context);

/// The function of that name, or the only one of the module. Null after a diagnostic.
mlir::func::FuncOp selectFunction(mlir::ModuleOp module, llvm::StringRef name);

/// The signature of a pattern function: what each axis of each operand is follows from its uses. Fails with
/// a diagnostic for an operand whose uses disagree or whose type no use allows.
mlir::FailureOr<Signature> signatureOf(mlir::func::FuncOp function);

/// Brings the ops of each step into the canonical order, repeated ones once and unused ones not at all.
void orderSteps(mlir::func::FuncOp function);

/// The functions of a module as text that `parse` takes, with the names of operands and, where an op makes
/// nothing else, of results.
std::string textOf(mlir::ModuleOp module);

/// Hexadecimal hash of the function's meaning, with `salt`: its text without names and locations, its steps
/// in canonical order.
std::string hashOf(mlir::func::FuncOp function, llvm::StringRef salt);

} // namespace linmu::frontend
