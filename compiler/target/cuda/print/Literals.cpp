// Constants as expressions of exactly their type.
#include "compiler/target/cuda/print/KernelPrinter.h"
#include "llvm/Support/FormatVariadic.h"
#include <array>
#include <charconv>

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
  std::array<char, 24> buffer;
  char *end = std::to_chars(buffer.begin(), buffer.end(), number.convertToFloat()).ptr;
  StringRef digits(buffer.data(), end - buffer.data());
  return (digits + (digits.find_first_of(".e") == StringRef::npos ? ".0f" : "f")).str();
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
