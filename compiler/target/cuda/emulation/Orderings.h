// The waits, barriers and fences of a kernel's text, and the text without each of them: a kernel is right
// only if it needs every one.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace linmu::emulation {

struct Removal {
  std::string call; ///< what was removed, e.g. "copy_wait<1>()"
  int line = 0;     ///< of the text, from 1
  std::string text; ///< the kernel without it, line by line as before
};

/// One removal for each call of barrier, barrier_arrive, copy_commit, copy_wait, sync_warp and
/// fence_proxy_async that is a statement, in the order of the text.
std::vector<Removal> withoutEachOrdering(std::string_view text);

} // namespace linmu::emulation
