// Masked loads and stores of no more lanes than their masks may have.
#pragma once
#include "llvm/IR/Module.h"

namespace linmu::cpu {

/// LLVM 22 splits a masked access that is wider than the machine's registers, and makes a part whose lanes
/// the mask leaves out, all of them, an access without a mask: behind the end of the operand. Accesses whose
/// masks are known to have no lane in their upper half become narrower ones here, so that no such part
/// exists.
void narrowMaskedAccesses(llvm::Module &module);

} // namespace linmu::cpu
