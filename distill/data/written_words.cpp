#include "distill/data/written_words.h"
#include "distill/data/font.h"
#include "distill/data/random.h"
#include "distill/data/shapes.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::distill {
namespace {

constexpr std::int64_t kinds = writtenWordsKinds.size();
constexpr int lines = 3;
constexpr std::string_view consonants = "BCDFGHJKLMNPQRSTVWXYZ", vowels = "AEIOU";
constexpr std::array<std::string_view, lines> places = {"top", "middle", "bottom"};

/// A quarter of all texts is held out: those whose hash says so.
bool belongs(std::string_view text, Split split) {
  std::uint64_t hash = 0;
  for (char c : text)
    hash = Random{hash, std::uint64_t(c)}.next();
  return (hash % 4 == 0) == (split == Split::heldOut);
}

char letterOf(Random &random, std::string_view letters) {
  return letters[std::size_t(random.below(std::int64_t(letters.size())))];
}

class Picture {
public:
  Picture(std::uint64_t seed, Split split, std::int64_t number, const GeneratorOptions &options)
      : random_{seed, std::uint64_t(split), 0x0D5, std::uint64_t(number)}, split_(split),
        side_(options.side) {
    for (int i = 0; i < int(colours.size()); ++i)
      palette_.push_back(i);
    random_.shuffle(palette_);
  }

  Random &random() { return random_; }
  const std::string &text(int line) const { return texts_[line]; }
  std::string_view colour(int line) const { return colours[palette_[line]].name; }

  /// A word of the split, with this letter first or last if there is one (else 0).
  std::string word(char first = 0, char last = 0) {
    for (;;) {
      std::string result = {first ? first : letterOf(random_, consonants), letterOf(random_, vowels)};
      if (random_.below(2))
        result.push_back(letterOf(random_, consonants));
      result.push_back(last ? last : letterOf(random_, consonants));
      if (belongs(result, split_))
        return result;
    }
  }
  /// A number of the split, of two or three digits.
  std::string number() {
    for (;;)
      if (std::string result =
              std::to_string(random_.below(2) ? random_.between(10, 99) : random_.between(100, 999));
          belongs(result, split_))
        return result;
  }
  std::string wordOrNumber() { return random_.below(2) ? word() : number(); }
  /// A word that differs from `text` in one letter, and is of the split.
  std::string neighbour(const std::string &text) {
    for (;;) {
      std::string result = text;
      const std::size_t at = std::size_t(random_.below(std::int64_t(text.size())));
      result[at] = letterOf(random_, at == 1 ? vowels : consonants);
      if (result != text && belongs(result, split_))
        return result;
    }
  }

  /// Texts are different from each other.
  void write(int line, const auto &makeText) {
    do
      texts_[line] = makeText();
    while (std::ranges::count(texts_, texts_[line]) > 1);
  }

  Example finish(std::string_view kind, std::string question, std::string answer) {
    Example example;
    example.kind = kind;
    example.question = std::move(question);
    example.answer = std::move(answer);
    const auto grey = std::uint8_t(random_.between(0, 3) * 16);
    example.frames = blankFrames(1, side_, side_, {grey, grey, grey});
    const int scale = side_ / 32, slot = side_ / lines;
    for (int line = 0; line < lines; ++line) {
      const int x = int(random_.between(0, side_ - textWidth(texts_[line], scale)));
      const int y = line * slot + int(random_.between(0, slot - (glyphHeight + 1) * scale));
      drawText(example.frames, texts_[line], x, y, scale, colours[palette_[line]].rgb);
      example.facts["lines"].push_back(
          {{"text", texts_[line]}, {"colour", colour(line)}, {"x", x}, {"y", y}});
    }
    example.facts["scale"] = scale;
    return example;
  }

private:
  Random random_;
  Split split_;
  int side_;
  std::vector<int> palette_;
  std::array<std::string, lines> texts_;
};

Example line(Picture &picture, std::int64_t) {
  const int asked = int(picture.random().below(lines));
  for (int i = 0; i < lines; ++i)
    picture.write(i, [&] { return picture.wordOrNumber(); });
  return picture.finish("line", fmt::format("what is written in the {} line?", places[asked]),
                        picture.text(asked));
}

Example colour(Picture &picture, std::int64_t) {
  const int asked = int(picture.random().below(lines));
  for (int i = 0; i < lines; ++i)
    picture.write(i, [&] { return picture.wordOrNumber(); });
  return picture.finish("colour", fmt::format("what is written in {}?", picture.colour(asked)),
                        picture.text(asked));
}

Example letter(Picture &picture, std::int64_t answer) {
  const int asked = int(picture.random().below(lines));
  const bool first = picture.random().below(2) == 0;
  const char wanted = consonants[std::size_t(answer)];
  for (int i = 0; i < lines; ++i)
    picture.write(i, [&] {
      if (i == asked)
        return first ? picture.word(wanted) : picture.word(0, wanted);
      return picture.wordOrNumber();
    });
  return picture.finish(
      "letter",
      fmt::format("what is the {} letter of the {} word?", first ? "first" : "last", picture.colour(asked)),
      std::string(1, wanted));
}

Example larger(Picture &picture, std::int64_t answer) {
  std::string numbers[2];
  do
    for (std::string &number : numbers)
      number = picture.number();
  while (numbers[0] == numbers[1]);
  if ((std::stoi(numbers[0]) > std::stoi(numbers[1])) != (answer == 0))
    std::swap(numbers[0], numbers[1]);
  picture.write(0, [&] { return numbers[0]; });
  picture.write(2, [&] { return numbers[1]; });
  picture.write(1, [&] { return picture.word(); });
  return picture.finish("larger", "which number is larger, the top or the bottom one?",
                        answer == 0 ? "top" : "bottom");
}

Example contains(Picture &picture, std::int64_t answer) {
  const int asked = int(picture.random().below(lines));
  for (int i = 0; i < lines; ++i)
    picture.write(i, [&] { return i == asked ? picture.word() : picture.wordOrNumber(); });
  std::string word = picture.text(asked);
  // No line may hold what "no" is said of.
  if (answer == 1)
    do
      word = picture.neighbour(picture.text(asked));
    while (word == picture.text(0) || word == picture.text(1) || word == picture.text(2));
  return picture.finish("contains", fmt::format("is the word {} in the picture?", word),
                        answer == 0 ? "yes" : "no");
}

} // namespace

Example writtenWords(std::uint64_t seed, Split split, std::int64_t number, const GeneratorOptions &options) {
  if (options.side < 32 || options.side > 1024)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("pictures of words require a side of 32 to 1024 pixels, got {}", options.side));
  using Make = Example (*)(Picture &, std::int64_t);
  constexpr Make makers[kinds] = {line, colour, letter, larger, contains};
  constexpr std::int64_t answers[kinds] = {1, 1, std::int64_t(consonants.size()), 2, 2};
  const std::int64_t kind = number % kinds;
  Picture picture(seed, split, number, options);
  return makers[kind](
      picture, balancedAnswer(seed, split, std::uint64_t(kind) + 0x100, number / kinds, answers[kind]));
}

} // namespace linmu::distill
