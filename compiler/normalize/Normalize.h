// What the passes of compiler/normalize leave on ops.
#pragma once
#include "llvm/ADT/StringRef.h"

namespace linmu {

/// Attributes of a scan that stays as it is: why, and the location of the op behind the reason.
inline constexpr llvm::StringLiteral opaqueReason = "pattern.opaque", opaqueLocation = "pattern.opaque_at";

/// Attribute of a loop that maps were fused into: the locations of the maps.
inline constexpr llvm::StringLiteral fusedMaps = "pattern.fused";

} // namespace linmu
