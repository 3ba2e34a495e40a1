// Kernels of tests/unit/kernels and of strings, emulated and compiled.
#pragma once
#include "compiler/target/cuda/emulation/HostCompiler.h"
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

namespace linmu::emulation {

inline std::string kernelFile(const std::string &name) {
  std::ifstream stream(LINMU_TEST_KERNELS "/" + name + ".cu");
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// Emulated with the compiler that built this.
inline Verdict run(const std::string &text, const std::string &name, const Launch &launch,
                   const std::vector<Argument> &arguments) {
  return emulate(text, name, LINMU_TEST_COMPILER, launch, arguments);
}

/// Where the order of threads decides at which of its two lines a fault is found.
inline constexpr int anyLine = -1;

/// Expects a verdict of one kind whose message holds `part`, at a line of the kernel; 0 for none.
inline void expectVerdict(const Verdict &verdict, Outcome outcome, const std::string &part, int line) {
  EXPECT_EQ(static_cast<int>(verdict.outcome), static_cast<int>(outcome)) << toString(verdict);
  EXPECT_NE(verdict.message.find(part), std::string::npos) << toString(verdict);
  if (line != anyLine) {
    EXPECT_EQ(verdict.line, line) << toString(verdict);
  }
}

/// A vector of T at a multiple of 16 bytes, as operands must be.
template <class T> struct Values {
  explicit Values(std::size_t count, T value = T()) : storage(count + 16 / sizeof(T), value), count(count) {}
  T *data() {
    auto address = reinterpret_cast<std::uintptr_t>(storage.data());
    return reinterpret_cast<T *>((address + 15) / 16 * 16);
  }
  T &operator[](std::size_t index) { return data()[index]; }
  Operand operand(bool initialised = true) {
    return {std::as_writable_bytes(std::span(data(), count)), initialised};
  }
  std::vector<T> storage;
  std::size_t count;
};

} // namespace linmu::emulation
