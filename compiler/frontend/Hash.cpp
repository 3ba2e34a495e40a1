// The identity of a pattern: equal for texts that mean the same up to names, comments, layout
// and the order of a step's ops.
#include "compiler/frontend/Frontend.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace mlir;
using namespace linmu;

std::string frontend::hashOf(func::FuncOp function, StringRef salt) {
  OwningOpRef<func::FuncOp> copy = cast<func::FuncOp>(function->clone());
  for (unsigned i = 0; i < copy->getNumArguments(); ++i)
    copy->removeArgAttr(i, "pattern.name");
  for (unsigned i = 0; i < copy->getNumResults(); ++i)
    copy->removeResultAttr(i, StringAttr::get(copy->getContext(), "pattern.name"));
  copy->setSymName("pattern");
  orderSteps(*copy);
  // Values print by their number, so what remains of the text is its meaning.
  std::string text;
  llvm::raw_string_ostream stream(text);
  copy.get()->print(stream, OpPrintingFlags().useLocalScope().assumeVerified());
  stream << salt;
  return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(text)), /*LowerCase=*/true).substr(0, 32);
}
