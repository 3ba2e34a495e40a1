// What the teacher answers by itself, decoded once and stored (the pseudo-targets of Eq. 8).
#pragma once
#include "distill/model.h"
#include "distill/parallel/collective.h"
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace linmu::distill {

class Decodings {
public:
  /// Answers of at most `max_tokens`, which one of `stop_tokens` ends. `file` keeps one JSON object a line,
  /// {"name", "prompt", "ids"}; a line that a killed process left half-written counts as none. Throws
  /// Error(io) for a file that cannot be read or written. Where another rank `writes`, nothing is stored
  /// here.
  Decodings(const Model &teacher, std::vector<std::int64_t> stop_tokens, std::int64_t max_tokens,
            std::filesystem::path file, bool writes = true);

  /// `batch` with the last answer of each row in place of the one that the data has: its tokens, the stop
  /// token included, are the labels. What is not stored yet is decoded greedily and stored.
  Batch of(const Batch &batch);

  /// What this rank has decoded since is known to all of them, and stored by the first.
  void exchange(Collective &ranks);

private:
  struct Answer {
    std::string prompt; ///< what it was an answer to, as a hash of its ids
    std::vector<std::int64_t> ids;
  };
  /// Decodes the answers of rows that are not known yet, and stores them.
  void complete(const Batch &batch, const std::vector<std::int64_t> &prompts);
  void readFile();
  void remember(const std::string &line);
  void store(const std::string &lines) const;

  const Model &teacher_;
  std::vector<std::int64_t> stop_tokens_;
  std::int64_t max_tokens_;
  std::filesystem::path file_;
  bool writes_;
  std::string fresh_;                     ///< lines since the last exchange()
  std::map<std::string, Answer> answers_; ///< by the name of the sample
};

} // namespace linmu::distill
