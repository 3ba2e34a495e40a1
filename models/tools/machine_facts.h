// What `linmu doctor` says of the machine.
#pragma once
#include <string>

namespace linmu::tools {

/// The processor's name and architecture.
std::string processorName();

/// Of the instruction sets that make a difference to kernels, those that the machine has.
std::string instructionSets();

/// How many processors this process may use, and how many there are.
std::string processorCount();

/// Sizes of the caches of one core, and of the shared one.
std::string cacheSizes();

/// Memory, and how much of it is free.
std::string memorySize();

/// "3.4 MiB"
std::string bytesText(double bytes);

} // namespace linmu::tools
