// The easy-vqa data set (https://github.com/vzhou842/easy-VQA): pictures of one shape with questions.
#pragma once
#include "distill/data/example.h"
#include "distill/data/sample_encoder.h"
#include "distill/data/sample_set.h"
#include <filesystem>
#include <vector>

namespace linmu::distill {

class EasyVqaSet final : public SampleSet {
public:
  /// `folder`: `easy_vqa/data` of the Python package; its folders `train` and, for what is held out, `test`.
  /// Throws Error(io) or Error(corruptFile) naming the file and, where one is damaged, the question.
  /// `encoder` must outlive this.
  EasyVqaSet(const std::filesystem::path &folder, Split split, const SampleEncoder &encoder);

  std::int64_t size() const override { return std::int64_t(questions_.size()); }
  Sample load(std::int64_t index) const override;
  Question question(std::int64_t index) const override;
  std::string fingerprint() const override;

private:
  struct Entry {
    std::string text, answer;
    std::int64_t picture = 0;
  };
  std::string nameOf(std::int64_t index) const;
  std::vector<media::Frames> framesOf(const Entry &entry) const;

  std::filesystem::path folder_; ///< of the split
  std::vector<Entry> questions_;
  const SampleEncoder &encoder_;
};

} // namespace linmu::distill
