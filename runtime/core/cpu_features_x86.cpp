#if defined(__x86_64__)
#include "runtime/core/cpu_features.h"
#include <algorithm>
#include <cpuid.h>
#include <cstdint>

namespace linmu {

namespace {

enum Register { eax, ebx, ecx, edx };

/// Bits of XCR0: the registers that the operating system saves.
enum SavedState : std::uint64_t { none = 0, ymm = 0x6, zmm = 0xe6, tiles = 0x60000 };

struct Feature {
  std::string_view name;
  std::uint32_t leaf, subleaf;
  Register reg;
  int bit;
  SavedState state = none;
};

// Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
constexpr Feature features[] = {
    {"cmov", 1, 0, edx, 15},
    {"mmx", 1, 0, edx, 23},
    {"sse", 1, 0, edx, 25},
    {"sse2", 1, 0, edx, 26},
    {"sse3", 1, 0, ecx, 0},
    {"pclmul", 1, 0, ecx, 1},
    {"ssse3", 1, 0, ecx, 9},
    {"fma", 1, 0, ecx, 12, ymm},
    {"cx16", 1, 0, ecx, 13},
    {"sse4.1", 1, 0, ecx, 19},
    {"sse4.2", 1, 0, ecx, 20},
    {"crc32", 1, 0, ecx, 20},
    {"movbe", 1, 0, ecx, 22},
    {"popcnt", 1, 0, ecx, 23},
    {"aes", 1, 0, ecx, 25},
    {"avx", 1, 0, ecx, 28, ymm},
    {"f16c", 1, 0, ecx, 29, ymm},
    {"bmi", 7, 0, ebx, 3},
    {"avx2", 7, 0, ebx, 5, ymm},
    {"bmi2", 7, 0, ebx, 8},
    {"avx512f", 7, 0, ebx, 16, zmm},
    {"evex512", 7, 0, ebx, 16, zmm},
    {"avx512dq", 7, 0, ebx, 17, zmm},
    {"adx", 7, 0, ebx, 19},
    {"avx512ifma", 7, 0, ebx, 21, zmm},
    {"avx512cd", 7, 0, ebx, 28, zmm},
    {"sha", 7, 0, ebx, 29},
    {"avx512bw", 7, 0, ebx, 30, zmm},
    {"avx512vl", 7, 0, ebx, 31, zmm},
    {"avx512vbmi", 7, 0, ecx, 1, zmm},
    {"avx512vbmi2", 7, 0, ecx, 6, zmm},
    {"gfni", 7, 0, ecx, 8},
    {"vaes", 7, 0, ecx, 9, ymm},
    {"vpclmulqdq", 7, 0, ecx, 10, ymm},
    {"avx512vnni", 7, 0, ecx, 11, zmm},
    {"avx512bitalg", 7, 0, ecx, 12, zmm},
    {"avx512vpopcntdq", 7, 0, ecx, 14, zmm},
    {"avx512vp2intersect", 7, 0, edx, 8, zmm},
    {"amx-bf16", 7, 0, edx, 22, tiles},
    {"avx512fp16", 7, 0, edx, 23, zmm},
    {"amx-tile", 7, 0, edx, 24, tiles},
    {"amx-int8", 7, 0, edx, 25, tiles},
    {"sha512", 7, 1, eax, 0, ymm},
    {"sm3", 7, 1, eax, 1, ymm},
    {"sm4", 7, 1, eax, 2, ymm},
    {"avxvnni", 7, 1, eax, 4, ymm},
    {"avx512bf16", 7, 1, eax, 5, zmm},
    {"amx-fp16", 7, 1, eax, 21, tiles},
    {"avxifma", 7, 1, eax, 23, ymm},
    {"avxvnniint8", 7, 1, edx, 4, ymm},
    {"avxneconvert", 7, 1, edx, 5, ymm},
    {"amx-complex", 7, 1, edx, 8, tiles},
    {"avxvnniint16", 7, 1, edx, 10, ymm},
    {"apxf", 7, 1, edx, 21, none},
    {"lzcnt", 0x80000001, 0, ecx, 5},
    {"sse4a", 0x80000001, 0, ecx, 6},
    {"xop", 0x80000001, 0, ecx, 11, ymm},
    {"fma4", 0x80000001, 0, ecx, 16, ymm},
    {"tbm", 0x80000001, 0, ecx, 21},
};

struct Leaf {
  std::uint32_t leaf, subleaf;
  std::uint32_t registers[4];
};

/// All that is ever asked, read once: under a hypervisor one CPUID takes up to 70 us.
struct Machine {
  Leaf leaves[6] = {{1, 0, {}}, {7, 0, {}}, {7, 1, {}}, {0x24, 0, {}}, {0x80000001, 0, {}}, {0, 0, {}}};
  std::uint64_t saved_state = 0;

  Machine() {
    for (Leaf &leaf : leaves) {
      std::uint32_t *r = leaf.registers;
      if (!__get_cpuid_count(leaf.leaf, leaf.subleaf, &r[eax], &r[ebx], &r[ecx], &r[edx]))
        std::fill(r, r + 4, 0);
    }
    if (bit(1, 0, ecx, 27)) { // OSXSAVE: xgetbv may be used
      std::uint32_t low, high;
      __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
      saved_state = std::uint64_t(high) << 32 | low;
    }
  }

  std::uint32_t value(std::uint32_t leaf, std::uint32_t subleaf, Register reg) const {
    for (const Leaf &known : leaves)
      if (known.leaf == leaf && known.subleaf == subleaf)
        return known.registers[reg];
    return 0;
  }
  bool bit(std::uint32_t leaf, std::uint32_t subleaf, Register reg, int bit) const {
    return value(leaf, subleaf, reg) >> bit & 1;
  }
};

const Machine &machine() {
  static const Machine the_machine;
  return the_machine;
}

/// AVX10 has one bit and, in leaf 0x24, a version.
bool hasAVX10(std::uint32_t version) {
  return machine().bit(7, 1, edx, 19) && (machine().value(0x24, 0, ebx) & 0xff) >= version &&
         (machine().saved_state & zmm) == zmm;
}

} // namespace

std::string_view architecture() { return "x86_64"; }

bool cpuHas(std::string_view name) {
  if (name == "avx10.1" || name == "avx10.2")
    return hasAVX10(name.back() - '0');
  const Feature *feature = std::find_if(std::begin(features), std::end(features),
                                        [&](const Feature &candidate) { return candidate.name == name; });
  if (feature == std::end(features))
    return true;
  return machine().bit(feature->leaf, feature->subleaf, feature->reg, feature->bit) &&
         (machine().saved_state & feature->state) == feature->state;
}

std::string cpuIdentity() {
  // Family, model and stepping, then what the CPU offers and the system saves.
  std::string text = "x86_64";
  for (const Leaf &leaf : machine().leaves)
    for (Register reg : {eax, ebx, ecx, edx})
      if (leaf.leaf != 1 || reg != ebx) // which holds the number of the core that asks
        text += "." + std::to_string(leaf.registers[reg]);
  return text + "." + std::to_string(machine().saved_state);
}

} // namespace linmu
#endif
