// The waits, barriers and fences of a kernel's text: a kernel is right only if it needs every one, which
// Launch::withoutOrderingAt shows.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace linmu::emulation {

struct Ordering {
  std::string call; ///< e.g. "copy_wait<1>()"
  int line = 0;     ///< of the text, from 1
};

/// Each call of barrier, barrier_arrive, copy_commit, copy_wait, sync_warp and fence_proxy_async that is a
/// statement, in the order of the text. At most one stands on a line.
std::vector<Ordering> orderingsIn(std::string_view text);

/// The text with a blank in the place of each #line directive: lines are those of the text itself then.
std::string withoutLineDirectives(std::string_view text);

} // namespace linmu::emulation
