#if defined(__aarch64__)
#include "runtime/core/cpu_features.h"
#include <algorithm>
#include <fstream>
#include <sys/auxv.h>

namespace linmu {

namespace {

struct Feature {
  std::string_view name;
  unsigned long type; // AT_HWCAP or AT_HWCAP2
  int bit;            // linux/arch/arm64/include/uapi/asm/hwcap.h
};

constexpr Feature features[] = {
    {"fp-armv8", AT_HWCAP, 0},     {"neon", AT_HWCAP, 1},      {"aes", AT_HWCAP, 3},
    {"sha2", AT_HWCAP, 6},         {"crc", AT_HWCAP, 7},       {"lse", AT_HWCAP, 8},
    {"fullfp16", AT_HWCAP, 10},    {"rdm", AT_HWCAP, 12},      {"jsconv", AT_HWCAP, 13},
    {"complxnum", AT_HWCAP, 14},   {"rcpc", AT_HWCAP, 15},     {"sha3", AT_HWCAP, 17},
    {"sm4", AT_HWCAP, 19},         {"dotprod", AT_HWCAP, 20},  {"sve", AT_HWCAP, 22},
    {"fp16fml", AT_HWCAP, 23},     {"sve2", AT_HWCAP2, 1},     {"sve-aes", AT_HWCAP2, 2},
    {"sve-bitperm", AT_HWCAP2, 4}, {"sve-sha3", AT_HWCAP2, 5}, {"sve-sm4", AT_HWCAP2, 6},
    {"fptoint", AT_HWCAP2, 8},     {"i8mm", AT_HWCAP2, 13},    {"bf16", AT_HWCAP2, 14},
    {"sme", AT_HWCAP2, 23},        {"sve2p1", AT_HWCAP2, 36},  {"sme2", AT_HWCAP2, 37},
};

} // namespace

std::string_view architecture() { return "aarch64"; }

bool cpuHas(std::string_view name) {
  const Feature *feature = std::find_if(std::begin(features), std::end(features),
                                        [&](const Feature &candidate) { return candidate.name == name; });
  return feature == std::end(features) || (getauxval(feature->type) >> feature->bit & 1);
}

std::string cpuIdentity() {
  std::string model;
  std::ifstream("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1") >> model;
  return "aarch64." + std::to_string(getauxval(AT_HWCAP)) + "." + std::to_string(getauxval(AT_HWCAP2)) + "." +
         model;
}

} // namespace linmu
#endif
