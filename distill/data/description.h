// All that an example shows, in words.
#pragma once
#include "distill/data/example.h"

namespace linmu::distill {

/// What a description is asked for with: "describe the video", "describe the picture".
std::string askForDescription(const Example &example);

/// The example's facts as one line, in an order that can be seen: shapes as they come, or by their names
/// where they are there together, lines from the top down.
///     red circle, blue ring, white cross, green square           of order
///     blue ring 1, red circle 3                                   of count
///     blue ring left, red circle right                            of direction and colour
///     blue ring top left, top right, ...; red circle bottom left, ...   of position
///     red BAK, white 512, green TOM                               of what is written
std::string describe(const Example &example);

} // namespace linmu::distill
