#include "runtime/core/operand_check.h"
#include "runtime/core/error.h"
#include <optional>
#include <string>

namespace linmu {

namespace {

// Kernels count tokens in 32 bits, and reckon with some past the end.
constexpr std::int64_t most_tokens = std::int64_t(1) << 30;

struct BoundSymbols {
  std::optional<std::int64_t> batch, tokens, media_items, sequences;
};

class Checker {
public:
  Checker(const Signature &signature, std::span<const TensorView> inputs, std::span<const TensorView> results)
      : signature_(signature), inputs_(inputs), results_(results) {}

  Symbols run() {
    count("inputs", signature_.inputs.size(), inputs_.size());
    count("results", signature_.results.size(), results_.size());
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      bind(signature_.inputs[i], inputs_[i], true);
    for (std::size_t i = 0; i < results_.size(); ++i)
      bind(signature_.results[i], results_[i], false);
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      check(signature_.inputs[i], inputs_[i], true);
    for (std::size_t i = 0; i < results_.size(); ++i)
      check(signature_.results[i], results_[i], false);
    return {bound_.batch.value_or(1), bound_.tokens.value_or(1), bound_.media_items.value_or(1),
            bound_.sequences.value_or(1)};
  }

private:
  [[noreturn]] void fail(const OperandSpec &spec, bool input, const std::string &expected,
                         const std::string &actual) const {
    throw Error(ErrorCode::invalidArgument, std::string(input ? "operand '" : "result '") + spec.name +
                                                "' of pattern '" + signature_.name + "': expected " +
                                                expected + ", got " + actual);
  }

  void count(const char *what, std::size_t expected, std::size_t actual) const {
    if (expected != actual)
      throw Error(ErrorCode::invalidArgument, "pattern '" + signature_.name + "': expected " +
                                                  std::to_string(expected) + " " + what + ", got " +
                                                  std::to_string(actual));
  }

  void bind(const OperandSpec &spec, const TensorView &view, bool input) {
    if (view.rank != int(spec.shape.size()))
      fail(spec, input, "shape " + expectedShape(spec, input), actualShape(view));
    if (view.dtype != spec.dtype)
      fail(spec, input, "dtype " + std::string(name(spec.dtype)), std::string(name(view.dtype)));
    for (int axis = 0; axis < view.rank; ++axis) {
      std::int64_t size = view.sizes[axis];
      switch (spec.shape[axis].kind) {
      case Extent::constant:
        break;
      case Extent::batch:
        // Inputs come first, so that results never decide B where inputs have one.
        if (!bound_.batch || (input && *bound_.batch == 1))
          bound_.batch = size;
        break;
      case Extent::tokens:
        if (size > most_tokens)
          fail(spec, input, "at most " + std::to_string(most_tokens) + " tokens", std::to_string(size));
        if (!bound_.tokens)
          bound_.tokens = size;
        break;
      case Extent::mediaItems:
        if (!bound_.media_items)
          bound_.media_items = size;
        break;
      case Extent::sequences:
        if (size < spec.shape[axis].value)
          fail(spec, input, "shape " + expectedShape(spec, input), actualShape(view));
        if (!bound_.sequences)
          bound_.sequences = size - spec.shape[axis].value;
        break;
      }
    }
  }

  void check(const OperandSpec &spec, const TensorView &view, bool input) const {
    bool empty = false;
    for (int axis = 0; axis < view.rank; ++axis) {
      std::int64_t size = view.sizes[axis];
      if (size < 0 || !fits(spec.shape[axis], size, input))
        fail(spec, input, "shape " + expectedShape(spec, input), actualShape(view));
      empty = empty || size == 0;
    }
    if (empty)
      return;
    checkStrides(spec, view, input);
    if (!view.data)
      fail(spec, input, "data", "a null pointer");
    auto address = reinterpret_cast<std::uintptr_t>(view.data);
    if (address % std::uintptr_t(sizeOf(view.dtype)))
      fail(spec, input, "data aligned to " + std::to_string(sizeOf(view.dtype)) + " bytes",
           "an address that is " + std::to_string(address % std::uintptr_t(sizeOf(view.dtype))) +
               " bytes past it");
  }

  void checkStrides(const OperandSpec &spec, const TensorView &view, bool input) const {
    int last = view.rank - 1;
    if (view.rank > 0 && view.sizes[last] > 1 && view.strides[last] != 1)
      fail(spec, input, "stride 1 along the last dimension", std::to_string(view.strides[last]));
    for (int axis = 0; !input && axis < last; ++axis)
      if (view.sizes[axis] > 1 && view.strides[axis] == 0)
        fail(spec, input, "a stride other than 0 along dimension " + std::to_string(axis), "0");
  }

  bool fits(const Extent &extent, std::int64_t size, bool input) const {
    switch (extent.kind) {
    case Extent::constant:
      return size == extent.value;
    case Extent::batch:
      return size == *bound_.batch || (input && size == 1);
    case Extent::tokens:
      return size == *bound_.tokens;
    case Extent::mediaItems:
      return size == *bound_.media_items;
    case Extent::sequences:
      return size == *bound_.sequences + extent.value;
    }
    return false;
  }

  std::string expectedShape(const OperandSpec &spec, bool input) const {
    auto symbol = [](const char *letter, const std::optional<std::int64_t> &value) {
      return value ? std::string(letter) + "=" + std::to_string(*value) : std::string(letter);
    };
    std::string text = "[";
    for (const Extent &extent : spec.shape) {
      text += text.size() > 1 ? ", " : "";
      switch (extent.kind) {
      case Extent::constant:
        text += std::to_string(extent.value);
        break;
      case Extent::batch:
        text += symbol("B", bound_.batch);
        break;
      case Extent::tokens:
        text += symbol("N", bound_.tokens);
        break;
      case Extent::mediaItems:
        text += symbol("M", bound_.media_items);
        break;
      case Extent::sequences:
        text += symbol("S", bound_.sequences) + (extent.value ? "+" + std::to_string(extent.value) : "");
        break;
      }
    }
    return text + "]";
  }

  static std::string actualShape(const TensorView &view) {
    if (view.rank < 0 || view.rank > TensorView::maxRank)
      return "rank " + std::to_string(view.rank);
    std::string text = "[";
    for (int axis = 0; axis < view.rank; ++axis)
      text += (axis ? ", " : "") + std::to_string(view.sizes[axis]);
    return text + "]";
  }

  const Signature &signature_;
  std::span<const TensorView> inputs_, results_;
  BoundSymbols bound_;
};

} // namespace

Symbols checkOperands(const Signature &signature, std::span<const TensorView> inputs,
                      std::span<const TensorView> results) {
  return Checker(signature, inputs, results).run();
}

std::vector<std::int64_t> shapeOf(const OperandSpec &spec, const Symbols &symbols) {
  std::vector<std::int64_t> shape;
  for (const Extent &extent : spec.shape)
    shape.push_back(extent.evaluate(symbols));
  return shape;
}

} // namespace linmu
