#include "runtime/core/content_check.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

namespace linmu {

namespace {

/// One operand of one call.
class ContentChecker {
public:
  ContentChecker(const Signature &signature, const OperandSpec &spec, const TensorView &view,
                 std::int64_t tokens)
      : signature_(signature), spec_(spec), view_(view), tokens_(tokens) {}

  void order() const {
    for (std::int64_t sequence = 0; sequence < view_.sizes[0]; ++sequence)
      if (const std::int32_t *entries = row(sequence); !isPermutation(entries))
        failOrder(sequence, entries);
  }

  void mediaTable() const {
    std::int64_t end = 0;
    bool ascending = true;
    for (std::int64_t index = 0; index < view_.sizes[0]; ++index) {
      Item item = itemAt(index);
      if (item.volume == 0)
        continue;
      ascending = ascending && item.first >= end;
      end = item.first + item.volume;
    }
    if (!ascending)
      requireDisjoint();
  }

  /// The tokens of the longest sequence. The last of S + 1 entries is the number of tokens, so that none lies
  /// past it.
  std::int64_t sequenceTable() const {
    const auto *entries = static_cast<const std::int32_t *>(view_.data);
    std::int64_t last = view_.sizes[0] - 1, longest = 0;
    if (entries[0] != 0)
      fail("entry 0 to be 0, got " + std::to_string(entries[0]));
    for (std::int64_t index = 1; index <= last; ++index) {
      if (entries[index] < entries[index - 1])
        fail("entry " + std::to_string(index) + " to be at least entry " + std::to_string(index - 1) + ", " +
             std::to_string(entries[index - 1]) + ", got " + std::to_string(entries[index]));
      longest = std::max<std::int64_t>(longest, entries[index] - entries[index - 1]);
    }
    if (entries[last] != tokens_)
      fail("the last entry to be the " + std::to_string(tokens_) + " tokens, got " +
           std::to_string(entries[last]));
    return longest;
  }

private:
  struct Item {
    std::int64_t row, first, volume;
  };

  const std::int32_t *row(std::int64_t index) const {
    return static_cast<const std::int32_t *>(view_.data) + index * view_.strides[0];
  }

  [[noreturn]] void fail(const std::string &what) const {
    throw Error(ErrorCode::invalidArgument,
                "operand '" + spec_.name + "' of pattern '" + signature_.name + "': expected " + what);
  }

  /// N entries inside [0, N) that mark N places are a permutation. Both loops have no branch that depends on
  /// an entry, since a scan of few features takes little longer than this.
  bool isPermutation(const std::int32_t *entries) const {
    auto limit = std::uint32_t(tokens_);
    std::uint32_t outside = 0;
    for (std::int64_t i = 0; i < tokens_; ++i)
      outside |= std::uint32_t(std::uint32_t(entries[i]) >= limit);
    if (outside)
      return false;
    thread_local std::vector<std::uint8_t> marks;
    marks.assign(std::size_t(tokens_), 0);
    std::uint8_t *marked = marks.data();
    for (std::int64_t i = 0; i < tokens_; ++i)
      marked[entries[i]] = 1;
    return std::memchr(marked, 0, std::size_t(tokens_)) == nullptr;
  }

  [[noreturn]] void failOrder(std::int64_t sequence, const std::int32_t *entries) const {
    std::vector<bool> seen(std::size_t(tokens_), false);
    for (std::int64_t position = 0; position < tokens_; ++position) {
      std::int64_t token = entries[position];
      bool inside = token >= 0 && token < tokens_;
      if (!inside || seen[std::size_t(token)])
        fail("each token of 0 to " + std::to_string(tokens_ - 1) + " once, got " + std::to_string(token) +
             (inside ? " again" : "") + " at position " + std::to_string(position) + " of sequence " +
             std::to_string(sequence));
      seen[std::size_t(token)] = true;
    }
    fail("each token once, got an order that changed while it was read");
  }

  /// The row as it is once it is known to lie inside the tokens.
  Item itemAt(std::int64_t index) const {
    const std::int32_t *entries = row(index);
    std::int64_t first = entries[0], volume = 1;
    bool empty = false, huge = false;
    for (int axis = 1; axis <= 3; ++axis) {
      if (entries[axis] < 0)
        fail("extents of at least 0, got " + grid(entries) + " in row " + std::to_string(index));
      empty = empty || entries[axis] == 0;
      huge = huge || __builtin_mul_overflow(volume, std::int64_t(entries[axis]), &volume);
    }
    if (empty)
      return {index, first, 0};
    if (huge || first < 0 || volume > tokens_ || first > tokens_ - volume)
      fail("items inside the " + std::to_string(tokens_) + " tokens, got " + grid(entries) + " from token " +
           std::to_string(first) + " in row " + std::to_string(index));
    return {index, first, volume};
  }

  static std::string grid(const std::int32_t *entries) {
    return std::to_string(entries[1]) + " x " + std::to_string(entries[2]) + " x " +
           std::to_string(entries[3]);
  }

  void requireDisjoint() const {
    std::vector<Item> items;
    for (std::int64_t index = 0; index < view_.sizes[0]; ++index)
      if (Item item = itemAt(index); item.volume > 0)
        items.push_back(item);
    std::sort(items.begin(), items.end(), [](const Item &a, const Item &b) { return a.first < b.first; });
    for (std::size_t i = 1; i < items.size(); ++i)
      if (items[i].first < items[i - 1].first + items[i - 1].volume)
        fail("items that do not overlap, got token " + std::to_string(items[i].first) + " in rows " +
             std::to_string(std::min(items[i - 1].row, items[i].row)) + " and " +
             std::to_string(std::max(items[i - 1].row, items[i].row)));
  }

  const Signature &signature_;
  const OperandSpec &spec_;
  const TensorView &view_;
  std::int64_t tokens_;
};

} // namespace

void checkContent(const Signature &signature, const OperandSpec &spec, const TensorView &view,
                  std::int64_t tokens) {
  ContentChecker checker(signature, spec, view, tokens);
  if (spec.content == OperandSpec::tokenOrder)
    checker.order();
  else if (spec.content == OperandSpec::mediaTable)
    checker.mediaTable();
  else if (spec.content == OperandSpec::sequenceTable)
    checker.sequenceTable();
}

std::int64_t longestSequence(const Signature &signature, const Symbols &symbols,
                             std::span<const TensorView> inputs) {
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (const OperandSpec &spec = signature.inputs[i]; spec.content == OperandSpec::sequenceTable)
      longest = std::max(longest, ContentChecker(signature, spec, inputs[i], symbols.tokens).sequenceTable());
  return longest;
}

void checkContents(const Signature &signature, const Symbols &symbols, std::span<const TensorView> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (signature.inputs[i].content != OperandSpec::values)
      checkContent(signature, signature.inputs[i], inputs[i], symbols.tokens);
}

} // namespace linmu
