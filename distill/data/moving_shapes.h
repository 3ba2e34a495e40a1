// Short videos of moving shapes with questions that no single frame and no question alone answers.
#pragma once
#include "distill/data/example.h"
#include <array>
#include <string_view>

namespace linmu::distill {

inline constexpr std::array<std::string_view, 5> movingShapesKinds = {"order", "count", "direction", "colour",
                                                                      "position"};

/// Video `number` of a split, a pure function of its arguments. Numbers go round the kinds of question:
/// - order: four shapes come one after the other; "which shape comes after the red circle?", or before.
/// - count: two shapes blink; "how often does the red circle appear?", 1 to 4, always for half of the time.
/// - direction: two shapes move, and come in at the edge opposite to the one that they leave by; "which way
/// does the
///   red circle move?"
/// - colour: two shapes move against each other; "what colour is the shape that moves left?"
/// - position: two shapes go round the four corners, in any order; "where does the red circle go from the top
/// left?" In each, every answer that the question allows is equally likely, whatever shape and colour it
/// names. Throws Error(invalidArgument) for options out of range.
Example movingShapes(std::uint64_t seed, Split split, std::int64_t number, const GeneratorOptions &options);

} // namespace linmu::distill
