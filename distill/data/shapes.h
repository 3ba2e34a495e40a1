// Coloured shapes, and drawing them.
#pragma once
#include "distill/data/example.h"
#include <array>
#include <string_view>
#include <vector>

namespace linmu::distill {

struct Colour {
  std::string_view name;
  std::array<std::uint8_t, 3> rgb;
};

inline constexpr std::array<Colour, 8> colours = {{{"red", {225, 40, 40}},
                                                   {"green", {40, 190, 60}},
                                                   {"blue", {70, 90, 250}},
                                                   {"yellow", {245, 225, 50}},
                                                   {"purple", {170, 60, 215}},
                                                   {"orange", {250, 140, 25}},
                                                   {"white", {245, 245, 245}},
                                                   {"cyan", {45, 215, 225}}}};

inline constexpr std::array<std::string_view, 6> shapeNames = {"circle", "square",  "triangle",
                                                               "cross",  "diamond", "ring"};

/// Indices into `shapeNames` and `colours`.
struct Shape {
  int form = 0, colour = 0;
  /// "red circle"
  std::string text() const;
};

/// Every combination of form and colour that `split` may show: of each colour and of each form some in
/// either.
std::vector<Shape> shapesOf(Split split);

/// A picture of one colour, or several of them.
media::Frames blankFrames(int count, int width, int height, std::array<std::uint8_t, 3> rgb);

/// Draws `shape`, about 2 radius + 1 pixels wide and high, around pixel (x, y) of frame `index`. What passes
/// an edge comes in at the opposite one.
void drawShape(media::Frames &frames, int index, Shape shape, int x, int y, int radius);

} // namespace linmu::distill
