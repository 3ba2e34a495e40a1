// What code generation needs to know of a CPU.
#pragma once
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>
#include <vector>

namespace linmu::cpu {

/// A dot is computed in register tiles of `rows` by up to `panels * width` accumulators. `width` is one cache
/// line of f32, whatever the vector registers' size, so that panels never straddle lines.
struct Machine {
  std::string triple;
  std::string cpu;
  std::vector<std::string> features; ///< those that are on, LLVM's names
  std::int64_t rows = 4;
  std::int64_t panels = 1;
  static constexpr std::int64_t width = 16;

  bool has(llvm::StringRef feature) const;

  /// Whether LLVM knows a CPU of that name for the native target.
  static bool isKnown(llvm::StringRef cpu);
  /// The machine at hand, or the named LLVM CPU of its architecture.
  static Machine named(llvm::StringRef cpu);
};

} // namespace linmu::cpu
