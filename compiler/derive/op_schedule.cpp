#include "compiler/derive/op_schedule.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace linmu;

/// Inside an algorithm's name, where its op is known, a key is shorter.
static StringRef inName(StringRef key) {
  return llvm::StringSwitch<StringRef>(key)
      .Case("map_block", "block")
      .Case("query_block", "queries")
      .Case("key_block", "keys")
      .Default(key);
}

std::string OpSchedule::name() const {
  std::string text;
  for (const Setting &setting : settings)
    text += (text.empty() ? "" : ", ") + inName(setting.key).str() + "=" + std::to_string(setting.value);
  return algorithm.str() + (text.empty() ? "" : "(" + text + ")");
}

DictionaryAttr OpSchedule::attribute(MLIRContext *context) const {
  Builder builder(context);
  SmallVector<NamedAttribute> entries{{"algorithm", builder.getStringAttr(algorithm)}};
  for (const Setting &setting : settings)
    entries.push_back({setting.key, builder.getI64IntegerAttr(setting.value)});
  return builder.getDictionaryAttr(entries);
}
