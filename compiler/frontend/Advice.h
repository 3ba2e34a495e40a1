// Puts what MLIR says of a pattern's text into the words of the language, where the cause can be told.
#pragma once
#include "compiler/frontend/PatternText.h"
#include "mlir/IR/Diagnostics.h"
#include <map>

namespace linmu::frontend {

/// What to say beside, or in place of, a message.
struct Advice {
  std::string error; ///< replaces the message; empty: it stays
  std::string note;  ///< stands below it
};

/// What to say of `message`, which points at offset `at` of the text; empty where MLIR says enough.
Advice adviseOn(llvm::StringRef message, size_t at, const PatternText &text, mlir::MLIRContext &context);

/// While it lives, errors at places of `filename` pass through it: MLIR's own get a note that says what to
/// write instead, or one sentence in their place. All others pass as they are. `notes` are what to say below
/// any error of a line.
class Adviser {
public:
  Adviser(mlir::MLIRContext &context, llvm::StringRef text, std::string filename,
          std::map<unsigned, std::string> notes);

private:
  llvm::LogicalResult handle(mlir::Diagnostic &diagnostic);

  mlir::MLIRContext &context_;
  PatternText text_;
  std::string filename_;
  std::map<unsigned, std::string> notes_;
  bool replacing_ = false;
  mlir::ScopedDiagnosticHandler handler_;
};

} // namespace linmu::frontend
