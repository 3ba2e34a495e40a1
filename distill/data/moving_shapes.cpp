#include "distill/data/moving_shapes.h"
#include "distill/data/random.h"
#include "distill/data/shapes.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>

namespace linmu::distill {
namespace {

constexpr auto &kinds = movingShapesKinds;
constexpr std::array<std::string_view, 4> directions = {"left", "right", "up", "down"};
constexpr std::array<std::string_view, 4> corners = {"top left", "top right", "bottom left", "bottom right"};

/// One video while it is made.
class Scene {
public:
  Scene(std::uint64_t seed, Split split, std::int64_t number, const GeneratorOptions &options)
      : random_{seed, std::uint64_t(split), 0x51A9E5, std::uint64_t(number)}, all_(shapesOf(split)),
        side_(options.side), length_(options.frames) {
    const auto grey = std::uint8_t(random_.between(0, 3) * 16);
    example_.frames = blankFrames(length_, side_, side_, {grey, grey, grey});
    example_.video = true;
    random_.shuffle(all_);
  }

  Example finish(std::string_view kind, std::string question, std::string_view answer) {
    example_.kind = kind;
    example_.question = std::move(question);
    example_.answer = answer;
    return std::move(example_);
  }

  Random &random() { return random_; }
  int side() const { return side_; }
  int length() const { return length_; }

  /// A shape of `form` or of `colour`, or any (-1), of another form than those taken before and of another
  /// colour.
  Shape take(int form = -1, int colour = -1) { return take(form, colour, false); }
  /// The same, perhaps of a colour that was taken.
  Shape takeOfAnyColour(int form = -1) { return take(form, -1, true); }

  /// A fact of the shapes in the order in which they were taken.
  void tell(const char *key, nlohmann::json value) { example_.facts[key].push_back(std::move(value)); }

  int radius() { return int(random_.between(side_ / 10, side_ / 8)); }
  /// A place from which a shape of that radius reaches no edge of the part [first, last) of a side.
  int place(int first, int last, int radius) {
    return int(random_.between(first + radius + 1, last - radius - 2));
  }

  void show(Shape shape, int frame, int x, int y, int radius) {
    drawShape(example_.frames, frame, shape, x, y, radius);
  }

private:
  Shape take(int form, int colour, bool colour_again) {
    for (const Shape &shape : all_) {
      const bool wanted = (form < 0 || shape.form == form) && (colour < 0 || shape.colour == colour);
      const bool fresh = std::ranges::none_of(taken_, [&](const Shape &other) {
        return other.form == shape.form || (!colour_again && other.colour == shape.colour);
      });
      if (wanted && fresh) {
        taken_.push_back(shape);
        example_.facts["shapes"].push_back(shape.text());
        return shape;
      }
    }
    throw Error(ErrorCode::internal, "no combination of form and colour is left");
  }

  Random random_;
  std::vector<Shape> all_, taken_;
  int side_, length_;
  Example example_;
};

/// `total` as `parts` numbers, the i-th at least minimum[i], each way of it equally likely.
std::vector<int> partition(Random &random, int total, const std::vector<int> &minimum) {
  for (int least : minimum)
    total -= least;
  // Bars among stars.
  const int parts = int(minimum.size());
  std::vector<int> slots(std::size_t(total + parts - 1), 0);
  std::fill_n(slots.begin(), parts - 1, 1);
  random.shuffle(slots);
  std::vector<int> result = minimum;
  std::size_t part = 0;
  for (int slot : slots) {
    if (slot)
      ++part;
    else
      ++result[part];
  }
  return result;
}

Example order(Scene &scene, int answer) {
  // Four shapes one after the other; the one asked for and the one it is told by are neighbours.
  constexpr int shown = 4;
  Random &random = scene.random();
  const bool after = random.below(2) == 0;
  const int at = int(random.between(after ? 1 : 0, after ? shown - 1 : shown - 2)),
            other = after ? at - 1 : at + 1;
  std::vector<Shape> shapes(shown);
  // Colours may repeat: whatever combination the question names, all other forms are then equally likely.
  const Shape asked = scene.takeOfAnyColour(answer);
  shapes[at] = asked;
  for (int i = 0; i < shown; ++i)
    if (i != at)
      shapes[i] = scene.takeOfAnyColour();
  const int slot = scene.length() / shown;
  for (int i = 0; i < shown; ++i) {
    const int radius = scene.radius();
    const int x = scene.place(0, scene.side(), radius), y = scene.place(0, scene.side(), radius);
    for (int k = 0; k < slot; ++k)
      scene.show(shapes[i], i * slot + k, x, y, radius);
    scene.tell("order", shapes[i].text());
  }
  return scene.finish(
      "order", fmt::format("which shape comes {} the {}?", after ? "after" : "before", shapes[other].text()),
      shapeNames[asked.form]);
}

Example count(Scene &scene, int answer) {
  Random &random = scene.random();
  std::vector<int> times = {answer + 1, int(random.between(1, 4))};
  const bool across = random.below(2) == 0, swapped = random.below(2) == 0;
  std::string question;
  for (int i = 0; i < 2; ++i) {
    const Shape shape = scene.take();
    if (i == 0)
      question = fmt::format("how often does the {} appear?", shape.text());
    const int radius = scene.radius(), half = scene.side() / 2;
    const int low = (i == 1) != swapped ? half : 0;
    int x = scene.place(0, scene.side(), radius), y = scene.place(low, low + half, radius);
    if (across)
      std::swap(x, y);
    // Of the frames, in pairs, it is there in half, whatever the count.
    const int pairs = scene.length() / 2, visible = pairs / 2;
    std::vector<int> on = partition(random, visible, std::vector<int>(times[i], 1));
    std::vector<int> gaps(times[i] + 1, 1);
    gaps.front() = gaps.back() = 0;
    gaps = partition(random, pairs - visible, gaps);
    int frame = 0;
    for (int k = 0; k < times[i]; ++k) {
      frame += 2 * gaps[k];
      for (int end = frame + 2 * on[k]; frame < end; ++frame)
        scene.show(shape, frame, x, y, radius);
    }
    scene.tell("appears", times[i]);
  }
  return scene.finish("count", question, std::to_string(answer + 1));
}

/// Two shapes in lanes of their own along one axis, in the directions given (indices into `directions`).
std::vector<Shape> moveInLanes(Scene &scene, std::vector<Shape> shapes, const std::vector<int> &ways) {
  Random &random = scene.random();
  const bool swapped = random.below(2) == 0;
  const int half = scene.side() / 2;
  for (int i = 0; i < 2; ++i) {
    const int radius = scene.radius(), low = (i == 1) != swapped ? half : 0;
    const int lane = scene.place(low, low + half, radius), start = int(random.below(scene.side()));
    const int speed = int(random.between(1, std::max(1, scene.side() / 24)));
    for (int k = 0; k < scene.length(); ++k) {
      const int along = start + (ways[i] % 2 ? k : -k) * speed;
      scene.show(shapes[i], k, ways[i] < 2 ? along : lane, ways[i] < 2 ? lane : along, radius);
    }
    scene.tell("moves", directions[ways[i]]);
  }
  return shapes;
}

Example direction(Scene &scene, int answer) {
  const int other = answer / 2 * 2 + int(scene.random().below(2));
  const Shape asked = scene.take(), beside = scene.take();
  moveInLanes(scene, {asked, beside}, {answer, other});
  return scene.finish("direction", fmt::format("which way does the {} move?", asked.text()),
                      directions[answer]);
}

Example colour(Scene &scene, int answer) {
  const int way = int(scene.random().below(4)), against = way ^ 1;
  const Shape asked = scene.take(-1, answer), beside = scene.take();
  moveInLanes(scene, {asked, beside}, {way, against});
  return scene.finish("colour", fmt::format("what colour is the shape that moves {}?", directions[way]),
                      colours[asked.colour].name);
}

Example position(Scene &scene, int answer) {
  Random &random = scene.random();
  // Where the shape goes, and from where, are neighbours in time.
  std::vector<int> path = {0, 1, 2, 3};
  random.shuffle(path);
  const int to = int(random.between(1, 3));
  std::swap(path[to], *std::ranges::find(path, answer));
  const int behind = int(random.between(1, 3)), half = scene.side() / 2, slot = scene.length() / 4;
  std::string question;
  for (int i = 0; i < 2; ++i) {
    const Shape shape = scene.take();
    if (i == 0)
      question = fmt::format("where does the {} go from the {}?", shape.text(), corners[path[to - 1]]);
    const int radius = scene.radius();
    for (int step = 0; step < 4; ++step) {
      const int corner = path[(step + i * behind) % 4];
      const int left = corner % 2 * half, top = corner / 2 * half;
      const int x = scene.place(left, left + half, radius), y = scene.place(top, top + half, radius);
      for (int k = 0; k < slot; ++k)
        scene.show(shape, step * slot + k, x, y, radius);
      scene.tell("corners", fmt::format("{}: {}", shape.text(), corners[corner]));
    }
  }
  return scene.finish("position", question, corners[answer]);
}

} // namespace

Example movingShapes(std::uint64_t seed, Split split, std::int64_t number, const GeneratorOptions &options) {
  if (options.side < 32 || options.side > 1024 || options.frames < 16 || options.frames > 4096 ||
      options.frames % 8 != 0)
    throw Error(
        ErrorCode::invalidArgument,
        fmt::format("videos of moving shapes require a side of 32 to 1024 pixels and 16 to 4096 frames, a "
                    "multiple of 8; got {} pixels and {} frames",
                    options.side, options.frames));
  using Make = Example (*)(Scene &, int);
  constexpr Make makers[] = {order, count, direction, colour, position};
  constexpr int answers[] = {int(shapeNames.size()), 4, 4, int(colours.size()), 4};
  const std::int64_t kind = number % std::int64_t(kinds.size());
  Scene scene(seed, split, number, options);
  const std::int64_t answer =
      balancedAnswer(seed, split, std::uint64_t(kind), number / std::int64_t(kinds.size()), answers[kind]);
  return makers[kind](scene, int(answer));
}

} // namespace linmu::distill
