// Where advice meets the diagnostics of MLIR.
#include "compiler/frontend/Advice.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"

using namespace mlir;
using namespace linmu::frontend;

Adviser::Adviser(MLIRContext &context, StringRef text, std::string filename,
                 std::map<unsigned, std::string> notes)
    : context_(context), text_(text), filename_(std::move(filename)), notes_(std::move(notes)),
      handler_(&context, [this](Diagnostic &diagnostic) { return handle(diagnostic); }) {}

LogicalResult Adviser::handle(Diagnostic &diagnostic) {
  auto place = dyn_cast<FileLineColLoc>(Attribute(diagnostic.getLocation()));
  if (replacing_ || diagnostic.getSeverity() != DiagnosticSeverity::Error || !place ||
      place.getFilename().getValue() != filename_)
    return failure();
  std::string message = diagnostic.str();
  Advice advice;
  if (auto given = notes_.find(place.getLine()); given != notes_.end())
    advice.note = given->second;
  else
    advice = adviseOn(message, text_.offsetOf(place.getLine(), place.getColumn()), text_, context_);
  if (advice.error.empty()) {
    if (!advice.note.empty())
      diagnostic.attachNote(place) << advice.note;
    return failure();
  }
  replacing_ = true;
  {
    InFlightDiagnostic error = emitError(place, advice.error);
    for (Diagnostic &note : diagnostic.getNotes())
      if (std::string text = note.str(); !StringRef(text).starts_with("Available dialects") &&
                                         !StringRef(text).starts_with("required by region"))
        error.attachNote(note.getLocation()) << text;
    if (!advice.note.empty())
      error.attachNote(place) << advice.note;
  }
  replacing_ = false;
  return success();
}
