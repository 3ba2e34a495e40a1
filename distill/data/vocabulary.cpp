#include "distill/data/vocabulary.h"
#include "models/text/byte_level.h"
#include <cstdint>
#include <nlohmann/json.hpp>

namespace linmu::distill {

const std::vector<std::string_view> &vocabularyWords() {
  static const std::vector<std::string_view> words = {
      // of questions
      "a", "after", "appear", "before", "color", "colour", "comes", "contain", "describe", "does", "first",
      "from", "go", "how", "image", "in", "is", "larger", "last", "letter", "line", "move", "moves", "not",
      "number", "of", "often", "one", "or", "picture", "present", "shape", "that", "the", "there", "video",
      "way", "what", "where", "which", "word", "written",
      // of places and directions
      "bottom", "down", "left", "middle", "right", "top", "up",
      // of forms and colours
      "circle", "cross", "diamond", "rectangle", "ring", "square", "triangle", "black", "blue", "brown",
      "cyan", "gray", "green", "orange", "purple", "red", "teal", "white", "yellow",
      // of answers
      "no", "yes"};
  return words;
}

std::string wordTokenizerJson() {
  // In the order of ids, so that the file reads well.
  nlohmann::ordered_json vocabulary = nlohmann::ordered_json::object();
  std::int64_t next = 0;
  for (int byte = 0; byte < 256; ++byte)
    vocabulary[models::byteCharacter(static_cast<unsigned char>(byte))] = next++;
  for (std::string_view word : vocabularyWords())
    for (const std::string &before : {std::string(), models::byteCharacter(' ')})
      if (std::string text = before + std::string(word); !vocabulary.contains(text))
        vocabulary[text] = next++;
  nlohmann::ordered_json added = nlohmann::ordered_json::array();
  for (const char *content : {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>",
                              "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"})
    added.push_back({{"id", next++},
                     {"content", content},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  const nlohmann::ordered_json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  const nlohmann::ordered_json model = {{"type", "BPE"},
                                        {"dropout", nullptr},
                                        {"unk_token", nullptr},
                                        {"continuing_subword_prefix", nullptr},
                                        {"end_of_word_suffix", nullptr},
                                        {"fuse_unk", false},
                                        {"byte_fallback", false},
                                        {"ignore_merges", true},
                                        {"vocab", vocabulary},
                                        {"merges", nlohmann::ordered_json::array()}};
  const nlohmann::ordered_json tokenizer = {
      {"version", "1.0"},          {"truncation", nullptr}, {"padding", nullptr},
      {"added_tokens", added},     {"normalizer", nullptr}, {"pre_tokenizer", byte_level},
      {"post_processor", nullptr}, {"decoder", byte_level}, {"model", model}};
  return tokenizer.dump(1) + "\n";
}

} // namespace linmu::distill
