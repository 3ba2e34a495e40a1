#include "compiler/frontend/PatternText.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using linmu::frontend::PatternText;

static bool inWord(char c) { return isAlnum(c) || c == '_' || c == '.'; }

PatternText::PatternText(StringRef text) : text_(text) {
  for (size_t at = text_.find("//"); at != std::string::npos; at = text_.find("//", at))
    while (at < text_.size() && text_[at] != '\n')
      text_[at++] = ' ';
}

size_t PatternText::offsetOf(unsigned line, unsigned column) const {
  size_t at = 0;
  for (; line > 1; --line) {
    at = text_.find('\n', at);
    if (at == std::string::npos)
      return text_.size();
    ++at;
  }
  return std::min(at + std::max(column, 1U) - 1, text_.size());
}

unsigned PatternText::lineOf(size_t offset) const { return 1 + text().take_front(offset).count('\n'); }

SmallVector<size_t> PatternText::openBraces(size_t offset) const {
  SmallVector<size_t> open;
  for (size_t at = 0; at < std::min(offset, text_.size()); ++at)
    if (text_[at] == '{')
      open.push_back(at);
    else if (text_[at] == '}' && !open.empty())
      open.pop_back();
  return open;
}

StringRef PatternText::wordAt(size_t offset) const {
  StringRef rest = text().substr(offset);
  size_t sigil = rest.starts_with("%") || rest.starts_with("!") || rest.starts_with("#") ? 1 : 0;
  return rest.take_front(sigil + rest.drop_front(sigil).take_while(inWord).size());
}

std::optional<PatternText::Word> PatternText::opBefore(size_t offset) const {
  std::optional<Word> found;
  for (size_t at = 0; at < std::min(offset, text_.size());) {
    StringRef word = wordAt(at);
    size_t dot = word.find('.');
    bool isOp =
        word == "return" || (dot != StringRef::npos && dot > 0 && dot + 1 < word.size() && isAlpha(word[0]));
    if (isOp)
      found = Word{word, at};
    at += std::max<size_t>(word.size(), 1);
  }
  return found;
}

std::optional<PatternText::Word> PatternText::regionAt(size_t offset) const {
  SmallVector<size_t> open = openBraces(offset);
  return open.empty() ? std::nullopt : opBefore(open.back());
}

SmallVector<PatternText::Word> PatternText::names(char sigil) const {
  SmallVector<Word> found;
  for (size_t at = text_.find(sigil); at != std::string::npos; at = text_.find(sigil, at + 1))
    if (StringRef word = wordAt(at); word.size() > 1)
      found.push_back({word, at});
  return found;
}
