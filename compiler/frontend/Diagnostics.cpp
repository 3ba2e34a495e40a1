// Diagnostics as lines of text.
#include "compiler/frontend/Frontend.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace linmu;

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
