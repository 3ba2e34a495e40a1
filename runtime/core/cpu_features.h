// Which instruction sets this CPU and operating system offer, by LLVM's names.
#pragma once
#include <string>
#include <string_view>

namespace linmu {

/// "x86_64" or "aarch64", as the first part of an LLVM triple.
std::string_view architecture();

/// True if this machine has `feature` (LLVM's name, without '+'). Only instruction sets that a code generator
/// chooses by itself can be missing: names of system instructions and of tuning hints are always true, since
/// no kernel depends on them.
bool cpuHas(std::string_view feature);

/// A string that differs between CPUs for which a compiler could generate different code.
std::string cpuIdentity();

} // namespace linmu
