// The consistency that a package must have before anything in it is trusted.
#pragma once
#include "runtime/core/package.h"
#include <string>

namespace linmu {

/// Throws Error(corruptFile) naming `origin` where fields contradict each other: see deserialize().
void validate(const Package &package, const std::string &origin);

} // namespace linmu
