#include "models/text/token_decoder.h"
#include "models/text/byte_level.h"
#include "models/text/stream_decoder.h"
#include "models/text/utf8.h"
#include <charconv>
#include <optional>
#include <utility>

namespace linmu::models {
namespace {

void replaceAll(std::string &text, std::string_view from, std::string_view to) {
  if (from.empty())
    return;
  std::string result;
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find(from, begin)) != text.npos; begin = at + from.size())
    result.append(text, begin, at - begin).append(to);
  text = result.append(text, begin);
}

/// The byte that a token `<0x..>` names.
std::optional<char> namedByte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>')
    return std::nullopt;
  unsigned value = 0;
  const char *begin = token.data() + 3, *end = begin + 2;
  // The reference's parser takes a plus sign as well.
  if (*begin == '+')
    ++begin;
  if (auto [stop, error] = std::from_chars(begin, end, value, 16); stop != end || error != std::errc())
    return std::nullopt;
  return static_cast<char>(value);
}

class Step : public TokenTextReceiver {
public:
  explicit Step(TokenTextReceiver &next) : next_(next) {}
  void endToken() override { next_.endToken(); }
  void finish() override { next_.finish(); }

protected:
  void give(std::string_view token) {
    next_.text(token);
    next_.endToken();
  }
  TokenTextReceiver &next_;
};

/// A step that needs all of a token at once.
class WholeTokenStep : public Step {
public:
  using Step::Step;
  void text(std::string_view part) final { token_ += part; }
  void endToken() final { take(std::exchange(token_, {})); }

protected:
  virtual void take(std::string token) = 0;

private:
  std::string token_;
};

class ByteLevelStep : public WholeTokenStep {
public:
  using WholeTokenStep::WholeTokenStep;
  void finish() override {
    give(stream_.finish());
    next_.finish();
  }

protected:
  void take(std::string token) override { next_.text(stream_.push(bytesOfToken(token))); }

private:
  StreamDecoder stream_;
};

class MetaspaceStep : public Step {
public:
  MetaspaceStep(TokenTextReceiver &next, std::string mark, bool drop)
      : Step(next), mark_(std::move(mark)), drop_(drop) {}
  void text(std::string_view part) override {
    std::string text(part);
    replaceAll(text, mark_, drop_ ? "" : " ");
    next_.text(text);
  }
  void endToken() override {
    drop_ = false;
    next_.endToken();
  }

private:
  std::string mark_;
  bool drop_; ///< until the first token ends
};

class ByteFallbackStep : public WholeTokenStep {
public:
  using WholeTokenStep::WholeTokenStep;
  void finish() override {
    giveBytes();
    next_.finish();
  }

protected:
  void take(std::string token) override {
    if (std::optional<char> byte = namedByte(token)) {
      bytes_.push_back(*byte);
      return;
    }
    giveBytes();
    give(token);
  }

private:
  void giveBytes() {
    std::string bytes = std::exchange(bytes_, {});
    if (isUtf8(bytes)) {
      if (!bytes.empty())
        give(bytes);
      return;
    }
    for (std::size_t i = 0; i < bytes.size(); ++i)
      give("\uFFFD");
  }
  std::string bytes_; ///< whether they are text is open while more may follow
};

class FuseStep : public Step {
public:
  using Step::Step;
  void text(std::string_view part) override { next_.text(part); }
  void endToken() override {}
  void finish() override {
    next_.endToken();
    next_.finish();
  }
};

class StripStep : public Step {
public:
  StripStep(TokenTextReceiver &next, std::string character, std::size_t start, std::size_t stop)
      : Step(next), character_(std::move(character)), start_(start), stop_(stop), to_remove_(start) {}
  void text(std::string_view part) override {
    std::string kept;
    for (std::size_t at = 0, end = 0; at < part.size(); at = end) {
      nextCodePoint(part, end);
      std::string_view each = part.substr(at, end - at);
      if (each != character_) {
        to_remove_ = 0;
        for (; held_ > 0; --held_)
          kept += character_;
        kept += each;
      } else if (to_remove_ > 0)
        --to_remove_;
      else if (held_ < stop_)
        ++held_;
      else
        kept += character_;
    }
    next_.text(kept);
  }
  void endToken() override {
    to_remove_ = start_;
    held_ = 0;
    next_.endToken();
  }

private:
  std::string character_;
  std::size_t start_, stop_;
  std::size_t to_remove_; ///< at most, from what comes next of this token
  std::size_t held_ = 0;  ///< of them came last, and go if the token ends here
};

class ReplaceStep : public WholeTokenStep {
public:
  ReplaceStep(TokenTextReceiver &next, Regex pattern, std::string content)
      : WholeTokenStep(next), pattern_(std::move(pattern)), content_(std::move(content)) {}

protected:
  void take(std::string token) override {
    std::string result;
    for (const TextRange &range : pattern_.findAll(token))
      result += range.is_match ? content_ : token.substr(range.begin, range.end - range.begin);
    give(result);
  }

private:
  Regex pattern_;
  std::string content_;
};

class WordEndStep : public WholeTokenStep {
public:
  WordEndStep(TokenTextReceiver &next, std::string suffix)
      : WholeTokenStep(next), suffix_(std::move(suffix)) {}
  void finish() override {
    givePrevious("");
    next_.finish();
  }

protected:
  void take(std::string token) override {
    givePrevious(" ");
    previous_ = std::move(token);
  }

private:
  void givePrevious(std::string_view ending) {
    if (!previous_)
      return;
    replaceAll(*previous_, suffix_, ending);
    give(*previous_);
    previous_.reset();
  }
  std::string suffix_;
  std::optional<std::string> previous_; ///< waits to hear whether it is the last
};

class WordPieceStep : public WholeTokenStep {
public:
  WordPieceStep(TokenTextReceiver &next, std::string prefix, bool cleanup)
      : WholeTokenStep(next), prefix_(std::move(prefix)), cleanup_(cleanup) {}

protected:
  void take(std::string token) override {
    static constexpr std::pair<const char *, const char *> cleanups[] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    if (!std::exchange(first_, false))
      token = token.starts_with(prefix_) ? token.substr(prefix_.size()) : " " + token;
    if (cleanup_)
      for (const auto &[from, to] : cleanups)
        replaceAll(token, from, to);
    give(token);
  }

private:
  std::string prefix_;
  bool cleanup_, first_ = true;
};

class SpaceStep : public WholeTokenStep {
public:
  using WholeTokenStep::WholeTokenStep;
  void finish() override {
    next_.endToken();
    next_.finish();
  }

protected:
  void take(std::string token) override {
    if (!std::exchange(first_, false))
      next_.text(" ");
    next_.text(token);
  }

private:
  bool first_ = true;
};

template <typename Made, typename... Arguments> TokenDecoder stepOf(Arguments... arguments) {
  return [arguments...](TokenTextReceiver &next) { return std::make_unique<Made>(next, arguments...); };
}

} // namespace

std::string bytesOfToken(const std::string &token) {
  std::string bytes;
  return bytesOfAlphabet(token, bytes) ? bytes : token;
}

TokenDecoder byteLevelDecoder() { return stepOf<ByteLevelStep>(); }

TokenDecoder metaspaceDecoder(char32_t mark, bool drop_first) {
  return stepOf<MetaspaceStep>(utf8(mark), drop_first);
}

TokenDecoder byteFallbackDecoder() { return stepOf<ByteFallbackStep>(); }

TokenDecoder fuseDecoder() { return stepOf<FuseStep>(); }

TokenDecoder stripDecoder(char32_t character, std::size_t start, std::size_t stop) {
  return stepOf<StripStep>(utf8(character), start, stop);
}

TokenDecoder replaceDecoder(Regex pattern, std::string content) {
  return stepOf<ReplaceStep>(std::move(pattern), std::move(content));
}

TokenDecoder wordEndDecoder(std::string suffix) { return stepOf<WordEndStep>(std::move(suffix)); }

TokenDecoder wordPieceDecoder(std::string prefix, bool cleanup) {
  return stepOf<WordPieceStep>(std::move(prefix), cleanup);
}

TokenDecoder spaceDecoder() { return stepOf<SpaceStep>(); }

} // namespace linmu::models
