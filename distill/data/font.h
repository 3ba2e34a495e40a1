// Capital letters and digits of 5 x 7 dots.
#pragma once
#include "models/media/frames.h"
#include <array>
#include <string_view>

namespace linmu::distill {

inline constexpr int glyphWidth = 5, glyphHeight = 7;

/// Pixels that `text` is wide, `scale` pixels a dot, a dot between letters.
int textWidth(std::string_view text, int scale);

/// Draws A to Z and 0 to 9 into the first of `frames`, the top left dot at (x, y). Throws
/// Error(invalidArgument) for other characters and for text that does not fit.
void drawText(media::Frames &frames, std::string_view text, int x, int y, int scale,
              std::array<std::uint8_t, 3> rgb);

} // namespace linmu::distill
