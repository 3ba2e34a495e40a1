// Conversations in LLaVA's form, one JSON object a line:
//
//   {"id": "7", "video": "clips/7.mp4", "conversations": [
//      {"from": "human", "value": "<video>\nWhat happens?"}, {"from": "gpt", "value": "It rains."}]}
//
// `image` and `video` are a path or a list of paths, relative to the file's folder. <image> and <video> in
// what a human says stand for them in order; what no placeholder stands for comes before the first message,
// pictures first.
#pragma once
#include "distill/data/sample_encoder.h"
#include "distill/data/sample_set.h"
#include "runtime/io/mapped_file.h"
#include <filesystem>
#include <memory>
#include <vector>

namespace linmu::distill {

class JsonlSet final : public SampleSet {
public:
  /// Looks for line breaks only; a line is read when its sample is asked for. Empty lines are none. Throws
  /// Error(io) if the file cannot be read, Error(corruptFile) if it has no line. `encoder` must outlive this.
  JsonlSet(const std::filesystem::path &path, const SampleEncoder &encoder);

  std::int64_t size() const override { return std::int64_t(lines_.size()); }
  /// Throws Error(corruptFile), Error(io) or Error(invalidArgument) that names file and line, and what of it
  /// is wrong: no JSON, a key that is missing or of another type, a role, a picture or video that cannot be
  /// read, a placeholder without one.
  Sample load(std::int64_t index) const override;
  Question question(std::int64_t index) const override;
  std::string fingerprint() const override;

private:
  struct Line {
    std::size_t begin, end; ///< bytes of the file
    std::int64_t number;    ///< from 1, as editors count
  };
  struct Conversation {
    std::vector<models::VisionMessage> messages;
    std::vector<media::Frames> frames;
    std::string kind;
  };
  std::string nameOf(std::int64_t index) const;
  Conversation parse(std::int64_t index) const;

  std::filesystem::path path_;
  MappedFile file_;
  std::vector<Line> lines_;
  const SampleEncoder &encoder_;
};

} // namespace linmu::distill
