// Constants as expressions of exactly their type.
#include "compiler/target/cuda/print/KernelPrinter.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace linmu::cuda;

static std::string bits(const APFloat &number) {
  return llvm::formatv("{0:x}", number.bitcastToAPInt().getZExtValue()).str();
}

static std::string literal(const APFloat &number, Type type) {
  if (!type.isF32())
    return (elementName(type) + "{" + bits(number) + "}").str();
  if (!number.isFinite())
    return "same_bits<f32>(" + bits(number) + "u)";
  // The fewest digits that give the same number.
  SmallString<24> digits;
  number.toString(digits, /*FormatPrecision=*/0, /*FormatMaxPadding=*/3);
  if (!StringRef(digits).contains_insensitive('.') && !StringRef(digits).contains_insensitive('e'))
    digits += ".0";
  return (digits + "f").str();
}

static std::string literal(const APInt &number, Type type) {
  if (type.isInteger(1))
    return number.isZero() ? "false" : "true";
  int64_t value = number.getSExtValue();
  if (value == std::numeric_limits<int64_t>::min())
    return "(-9223372036854775807ll - 1)";
  if (type.isInteger(64))
    return std::to_string(value) + "ll";
  if (value == std::numeric_limits<int32_t>::min())
    return "(-2147483647 - 1)";
  if (type.isInteger(8) || type.isInteger(16))
    return (elementName(type) + "(" + Twine(value) + ")").str();
  return std::to_string(value);
}

std::string linmu::cuda::literal(Attribute element) {
  if (auto number = dyn_cast<FloatAttr>(element))
    return ::literal(number.getValue(), number.getType());
  auto integer = cast<IntegerAttr>(element);
  return ::literal(integer.getValue(), integer.getType());
}
