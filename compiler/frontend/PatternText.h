// The text of a pattern as advice looks at it: braces, names and ops by offset. Comments count as blanks.
#pragma once
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace linmu::frontend {

class PatternText {
public:
  explicit PatternText(llvm::StringRef text);

  llvm::StringRef text() const { return text_; }
  /// The offset of a place; lines and columns count from 1. The end of the text where it has none such.
  size_t offsetOf(unsigned line, unsigned column) const;
  unsigned lineOf(size_t offset) const;
  /// Offsets of the braces that are open before `offset`, outermost first.
  llvm::SmallVector<size_t> openBraces(size_t offset) const;
  /// The word at `offset`: letters, digits, '_' and '.', after an optional '%', '!' or '#'.
  llvm::StringRef wordAt(size_t offset) const;
  /// Whether nothing but blanks follows.
  bool endsAt(size_t offset) const { return text().substr(offset).trim().empty(); }

  struct Word {
    llvm::StringRef name;
    size_t offset;
  };
  /// The last op, `dialect.name` or `return`, that starts before `offset`.
  std::optional<Word> opBefore(size_t offset) const;
  /// The op whose region is the innermost at `offset`: pattern.scan, func.func, ...
  std::optional<Word> regionAt(size_t offset) const;
  /// Every '%name', '!name' or '#name' (as `sigil` says) in the order of the text.
  llvm::SmallVector<Word> names(char sigil) const;

private:
  std::string text_;
};

} // namespace linmu::frontend
