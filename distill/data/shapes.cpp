#include "distill/data/shapes.h"
#include <cstdlib>
#include <fmt/format.h>

namespace linmu::distill {
namespace {

/// Whether the pixel (dx, dy) away from the middle belongs to the form.
bool covers(std::string_view form, int dx, int dy, int radius) {
  const int squares = dx * dx + dy * dy, limit = radius * radius + radius;
  const int thickness = std::max(1, radius / 3);
  if (form == "circle")
    return squares <= limit;
  if (form == "ring")
    return squares <= limit && squares > (radius - thickness - 1) * (radius - thickness - 1);
  if (form == "square")
    return std::max(std::abs(dx), std::abs(dy)) <= radius - 1;
  if (form == "triangle") // its top at dy = -radius, its base at dy = radius
    return std::abs(dy) <= radius && 2 * std::abs(dx) <= dy + radius;
  if (form == "cross")
    return std::min(std::abs(dx), std::abs(dy)) <= thickness &&
           std::max(std::abs(dx), std::abs(dy)) <= radius;
  return std::abs(dx) + std::abs(dy) <= radius; // diamond
}

int wrapped(int value, int size) { return (value % size + size) % size; }

} // namespace

std::string Shape::text() const { return fmt::format("{} {}", colours[colour].name, shapeNames[form]); }

std::vector<Shape> shapesOf(Split split) {
  std::vector<Shape> shapes;
  for (int form = 0; form < int(shapeNames.size()); ++form)
    for (int colour = 0; colour < int(colours.size()); ++colour)
      if (((form + colour) % 4 == 0) == (split == Split::heldOut))
        shapes.push_back({form, colour});
  return shapes;
}

media::Frames blankFrames(int count, int width, int height, std::array<std::uint8_t, 3> rgb) {
  media::Frames frames{.count = count, .size = {.width = width, .height = height}, .rgb = {}};
  frames.rgb.resize(frames.bytesPerFrame() * count);
  for (std::size_t at = 0; at < frames.rgb.size(); ++at)
    frames.rgb[at] = rgb[at % 3];
  return frames;
}

void drawShape(media::Frames &frames, int index, Shape shape, int x, int y, int radius) {
  const auto [width, height] = frames.size;
  for (int dy = -radius; dy <= radius; ++dy)
    for (int dx = -radius; dx <= radius; ++dx)
      if (covers(shapeNames[shape.form], dx, dy, radius)) {
        const std::size_t pixel = std::size_t(wrapped(y + dy, height)) * width + wrapped(x + dx, width);
        std::ranges::copy(colours[shape.colour].rgb, &frames.rgb[index * frames.bytesPerFrame() + 3 * pixel]);
      }
}

} // namespace linmu::distill
