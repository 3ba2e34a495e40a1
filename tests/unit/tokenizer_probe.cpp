// What tests/python compare with `tokenizers`, for many strings at once.
//   tokenizer_probe encode MODEL IN OUT      texts to ids, control tokens taken; `encode-text`: control
//   tokens as text tokenizer_probe decode MODEL IN OUT      ids to texts; `stream`: token by token
// MODEL is a tokenizer.json or a GGUF file. IN and OUT are sequences of a count (u32) and as many bytes of
// text or ids (u32).
#include "models/text/text_stream.h"
#include "models/text/tokenizer.h"
#include "runtime/core/error.h"
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace {

using namespace linmu::models;

class Input {
public:
  explicit Input(const char *path) {
    std::ifstream stream(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(stream), {});
  }
  bool atEnd() const { return at_ == bytes_.size(); }
  std::string text() {
    std::uint32_t count = number();
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  std::vector<std::int64_t> ids() {
    std::vector<std::int64_t> ids(number());
    for (std::int64_t &id : ids)
      id = number();
    return ids;
  }

private:
  std::uint32_t number() {
    std::uint32_t value;
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string bytes_;
  std::size_t at_ = 0;
};

class Output {
public:
  explicit Output(const char *path) : stream_(path, std::ios::binary) {}
  void text(const std::string &text) {
    number(text.size());
    stream_ << text;
  }
  void ids(const std::vector<std::int64_t> &ids) {
    number(ids.size());
    for (std::int64_t id : ids)
      number(id);
  }

private:
  void number(std::uint64_t value) {
    auto word = static_cast<std::uint32_t>(value);
    stream_.write(reinterpret_cast<const char *>(&word), sizeof word);
  }
  std::ofstream stream_;
};

std::string streamed(const Tokenizer &tokenizer, const std::vector<std::int64_t> &ids) {
  TextStream stream(tokenizer);
  std::string text;
  for (std::int64_t id : ids)
    text += stream.push(id);
  return text + stream.finish();
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 5)
    return 2;
  try {
    std::string command = argv[1];
    std::filesystem::path path = argv[2];
    Tokenizer tokenizer =
        path.extension() == ".gguf" ? Tokenizer::fromGguf(GgufFile::open(path)) : Tokenizer::fromJson(path);
    Input input(argv[3]);
    Output output(argv[4]);
    while (!input.atEnd())
      if (command == "encode")
        output.ids(tokenizer.encode(input.text(), true));
      else if (command == "encode-text")
        output.ids(tokenizer.encode(input.text(), false));
      else if (command == "decode")
        output.text(tokenizer.decode(input.ids()));
      else
        output.text(streamed(tokenizer, input.ids()));
  } catch (const linmu::Error &error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
