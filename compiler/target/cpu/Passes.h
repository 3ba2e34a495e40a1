// Passes of compiler/target/cpu.
#pragma once

namespace linmu {
void registerTargetCPUPasses();
} // namespace linmu
