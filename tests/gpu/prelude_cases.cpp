#include "tests/gpu/prelude_cases.h"
#include "compiler/target/cuda/emulation/Numbers.h"
#include <cmath>
#include <cstring>
#include <random>

using namespace linmu::prelude_test;
namespace emulation = linmu::emulation;

/// Of the kernels `products` and `conversions`.
static constexpr std::size_t productSets = 8, conversionsOfWord = 12;

namespace {

std::string bitwise(const Case &, std::size_t, std::uint32_t got, std::uint32_t expected) {
  return got == expected ? "" : "other bits";
}

/// Tensor cores cut products to a common exponent before they add: a few units of the largest term, about
/// 2^-22 of it, where the portable version rounds once. Terms here are at most 16 in number and 1 in size.
std::string sums(const Case &, std::size_t, std::uint32_t got, std::uint32_t expected) {
  return std::fabs(emulation::floatOf(got) - emulation::floatOf(expected)) <= 17 * 0x1p-22F
             ? ""
             : "beyond 17 * 2^-22";
}

/// Bits, but any number that is none for another.
std::string numbers(const Case &, std::size_t, std::uint32_t got, std::uint32_t expected) {
  auto none = [](std::uint32_t x) { return (x & 0x7fffffff) > 0x7f800000; };
  return got == expected || (none(got) && none(expected)) ? "" : "other bits";
}

/// Apart by so many units in the last place; what is subnormal counts as zero on either side.
template <int Units>
std::string units(const Case &test, std::size_t at, std::uint32_t got, std::uint32_t expected) {
  if (numbers(test, at, got, expected).empty())
    return "";
  float x = emulation::floatOf(got), y = emulation::floatOf(expected);
  if (std::fabs(x) < 0x1.00001p-126F && std::fabs(y) < 0x1.00001p-126F)
    return "";
  std::int64_t apart = std::int64_t(got & 0x7fffffff) - std::int64_t(expected & 0x7fffffff);
  bool near = std::isfinite(x) == std::isfinite(y) && (got ^ expected) < 0x80000000 && apart >= -Units &&
              apart <= Units;
  return near ? "" : "beyond " + std::to_string(Units) + " units in the last place";
}

/// PTX states 2 units in the last place; what is subnormal becomes zero on either side.
std::string exponential(const Case &, std::size_t, std::uint32_t got, std::uint32_t expected) {
  float x = emulation::floatOf(got), y = emulation::floatOf(expected);
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(x) && std::isnan(y) ? "" : "one is no number";
  std::int64_t apart = std::int64_t(got) - std::int64_t(expected);
  bool flushed = (x == 0 && y < 0x1.00001p-126F) || (y == 0 && x < 0x1.00001p-126F);
  return (apart >= -2 && apart <= 2) || flushed ? "" : "beyond 2 units in the last place";
}

/// Bits, but any number that is none for another: where an operand of a product is none.
std::string conversion(const Case &, std::size_t index, std::uint32_t got, std::uint32_t expected) {
  if (got == expected)
    return "";
  auto same = [](std::uint16_t a, std::uint16_t b, bool isF16) {
    auto none = [&](std::uint16_t x) { return isF16 ? (x & 0x7fff) > 0x7c00 : (x & 0x7fff) > 0x7f80; };
    return a == b || (none(a) && none(b));
  };
  auto none = [](std::uint32_t x) { return (x & 0x7fffffff) > 0x7f800000; };
  std::size_t which = index % conversionsOfWord;
  if (which >= 5 && which <= 9 && none(got) && none(expected))
    return "";
  if (which == 2 && none(got) && none(expected))
    return "";
  bool isF16 = which == 11;
  if (which >= 10 && same(std::uint16_t(got), std::uint16_t(expected), isF16) &&
      same(std::uint16_t(got >> 16), std::uint16_t(expected >> 16), isF16))
    return "";
  return "other bits";
}

std::mt19937 source(1);

Words randomWords(std::size_t count) {
  Words words(count);
  for (std::uint32_t &word : words)
    word = source();
  return words;
}

/// As the kernel `products` reads them. Small integers have exact sums; fractions lie in [-1, 1].
Words productOperands(bool integers) {
  Words words(productSets * 22 * 32);
  auto number = [&] { return integers ? float(int(source() % 17) - 8) : float(source() * 0x1p-31 - 1); };
  for (std::size_t index = 0; index < words.size(); ++index) {
    std::size_t word = index / 32 % 22;
    float low = number(), high = number();
    words[index] = word < 6    ? emulation::toBF16(low) | std::uint32_t(emulation::toBF16(high)) << 16
                   : word < 12 ? emulation::toF16(low) | std::uint32_t(emulation::toF16(high)) << 16
                   : word < 18 ? emulation::toTF32(low)
                               : emulation::bitsOf(low);
  }
  return words;
}

/// Every 16-bit pattern in the lower half with random upper halves, then floats of all exponents, ties among
/// them.
Words conversionOperands() {
  Words words(131072);
  for (std::size_t index = 0; index < 65536; ++index)
    words[index] = std::uint32_t(index) | std::uint32_t(source()) << 16;
  for (std::size_t index = 65536; index < words.size(); ++index) {
    std::uint32_t fraction = source() & 0x7fffff;
    if (index % 4 == 1)
      fraction &= 0x7ff000;
    if (index % 4 == 2)
      fraction = (fraction & 0x7f0000) | 0x8000;
    words[index] = (source() & 0x80000000) | std::uint32_t(index / 256 % 256) << 23 | fraction;
  }
  return words;
}

/// Numbers of all sizes, of ordinary ones, and those at which functions are not ordinary.
Words numbersOfAllKinds() {
  static const float special[] = {0.0F,     -0.0F,    0.5F,     -0.5F,   1.0F,     -1.0F,     1.5F,
                                  2.5F,     -2.5F,    1e-40F,   1e30F,   INFINITY, -INFINITY, NAN,
                                  0x1p23F,  -0x1p23F, 65504,    65520,   3e38F,    88.8F,     -103.5F,
                                  16777216, 0x1p31F,  -0x1p31F, 0x1p63F, 255,      -128};
  Words words(4096);
  for (std::size_t index = 0; index < words.size(); ++index)
    words[index] =
        index % 4 == 0 ? source()
        : index % 4 == 1
            ? emulation::bitsOf(special[source() % std::size(special)])
            : emulation::bitsOf(float(int(source() % 200001) - 100000) * (index % 4 == 2 ? 1e-4F : 1e-3F));
  return words;
}

Words exponents() {
  Words words(65536);
  for (std::size_t index = 0; index < words.size(); ++index)
    words[index] =
        emulation::bitsOf(index < 60000 ? float(index) * 0.005F - 160 : emulation::floatOf(source()));
  return words;
}

Words packedIntegers(std::size_t halves) {
  Words words(halves / 2);
  for (std::uint32_t &word : words)
    word = emulation::toBF16(float(int(source() % 9) - 4)) |
           std::uint32_t(emulation::toBF16(float(int(source() % 9) - 4))) << 16;
  return words;
}

Words floatIntegers(std::size_t count) {
  Words words(count);
  for (std::uint32_t &word : words)
    word = emulation::bitsOf(float(int(source() % 33) - 16));
  return words;
}

} // namespace

std::vector<Case> linmu::prelude_test::allCases(unsigned architecture) {
  auto launch = [&](std::array<std::uint32_t, 3> grid, std::uint32_t threads, std::size_t shared) {
    emulation::Launch launch;
    launch.grid = grid;
    launch.threads = threads;
    launch.sharedBytes = shared;
    launch.architecture = architecture;
    return launch;
  };
  auto warp = launch({1, 1, 1}, 32, 2048), many = launch({16, 1, 1}, 256, 0);
  std::vector<Case> cases = {
      {"indices", launch({2, 3, 2}, 64, 0), {Words(4)}, 12 * 64, {}, bitwise},
      {"accesses", warp, {randomWords(320)}, 640, {}, bitwise},
      {"halves", warp, {randomWords(16)}, 32, {}, bitwise},
      {"bytes", warp, {randomWords(8)}, 16, {}, bitwise},
      {"copies", warp, {randomWords(224)}, 448, {}, bitwise},
      {"warps", warp, {randomWords(32)}, 165 * 32, {}, bitwise},
      {"matrices", warp, {randomWords(128)}, 38 * 32, {}, bitwise},
      {"products", warp, {productOperands(true)}, productSets * 20 * 32, {}, bitwise, " of small integers"},
      {"products", warp, {productOperands(false)}, productSets * 20 * 32, {}, sums, " of fractions"},
      {"conversions",
       launch({512, 1, 1}, 256, 0),
       {conversionOperands()},
       131072 * conversionsOfWord,
       {},
       conversion},
      {"exponentials", launch({256, 1, 1}, 256, 0), {exponents()}, 65536, {}, exponential},
      {"handover", launch({1, 1, 1}, 64, 1536), {randomWords(7 * 128)}, 7 * 128, {7}, bitwise},
      {"matmul",
       launch({2, 2, 1}, 128, 16384),
       {packedIntegers(100 * 256), packedIntegers(256 * 128)},
       100 * 128,
       {100, 128, 256},
       bitwise},
      {"row_sums", launch({4, 1, 1}, 128, 16), {floatIntegers(4 * 3 * 500)}, 12, {3, 500}, bitwise},
      // The words that a thread writes stand behind.
      {"approximations", many, {numbersOfAllKinds()}, 4096 * 36, {}, units<2>},
      {"powers", many, {numbersOfAllKinds()}, 4096 * 3, {}, units<8>},
      {"roundings", many, {numbersOfAllKinds()}, 4096 * 27, {}, numbers},
      {"arithmetic", many, {numbersOfAllKinds()}, 4096 * 150, {}, numbers},
      {"integers", many, {randomWords(4096)}, 4096 * 469, {}, bitwise},
      {"conversions_of_types", many, {numbersOfAllKinds()}, 4096 * 203, {}, numbers},
      {"places", many, {randomWords(4096)}, 4096 * 25, {}, bitwise},
      {"fragments", warp, {randomWords(128)}, 146 * 32, {}, bitwise},
      {"operands", launch({6, 1, 1}, 32, 768), {randomWords(256)}, 6 * 128, {}, bitwise},
  };
  if (architecture >= 90)
    cases.push_back({"fences", launch({1, 1, 1}, 64, 256), {randomWords(64)}, 64, {}, bitwise});
  return cases;
}

namespace {
/// 16-byte aligned copies of the words, as operands must be.
struct Aligned {
  explicit Aligned(const Words &words) : chunks((words.size() + 3) / 4), count(words.size()) {
    std::memcpy(chunks.data(), words.data(), words.size() * 4);
  }
  struct alignas(16) Chunk {
    std::uint32_t words[4];
  };
  std::uint32_t *data() { return chunks.data()->words; }
  std::span<std::byte> bytes() { return {reinterpret_cast<std::byte *>(data()), count * 4}; }
  std::vector<Chunk> chunks;
  std::size_t count;
};
} // namespace

emulation::Verdict linmu::prelude_test::runPortable(const Case &test, Words &result) {
  std::vector<Aligned> memories;
  for (const Words &input : test.inputs)
    memories.emplace_back(input);
  memories.emplace_back(Words(test.outWords));
  std::vector<emulation::Argument> arguments;
  for (Aligned &memory : memories)
    arguments.push_back(emulation::Operand{memory.bytes(), &memory != &memories.back()});
  for (std::int32_t scalar : test.scalars)
    arguments.push_back(emulation::scalarOf(scalar));
  emulation::Verdict verdict = emulation::emulate(*portableKernels.at(test.name), test.launch, arguments);
  result.assign(memories.back().data(), memories.back().data() + test.outWords);
  return verdict;
}
