#include "models/text/byte_level.h"
#include <array>
#include <unordered_map>

namespace linmu::models {
namespace {

/// Bytes that print stand for themselves; the others are numbered from 256 in order.
std::array<std::string, 256> makeAlphabet() {
  std::array<std::string, 256> alphabet;
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    bool prints = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    int code_point = prints ? byte : next++;
    if (code_point < 0x80)
      alphabet[byte] = {static_cast<char>(code_point)};
    else
      alphabet[byte] = {static_cast<char>(0xC0 | code_point >> 6),
                        static_cast<char>(0x80 | (code_point & 0x3F))};
  }
  return alphabet;
}

const std::array<std::string, 256> &alphabet() {
  static const auto characters = makeAlphabet();
  return characters;
}

} // namespace

const std::string &byteCharacter(unsigned char byte) { return alphabet()[byte]; }

namespace {

/// Calls `each` with the byte of every character, or with its own bytes if it is outside the alphabet.
template <typename Inside, typename Outside>
void forEachCharacter(std::string_view characters, Inside &&inside, Outside &&outside) {
  static const auto bytes = [] {
    std::unordered_map<std::string_view, char> map;
    for (int byte = 0; byte < 256; ++byte)
      map.emplace(byteCharacter(byte), static_cast<char>(byte));
    return map;
  }();
  while (!characters.empty()) {
    auto lead = static_cast<unsigned char>(characters.front());
    std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::string_view character = characters.substr(0, length);
    if (auto found = bytes.find(character); found != bytes.end())
      inside(found->second);
    else
      outside(character);
    characters.remove_prefix(character.size());
  }
}

} // namespace

bool bytesOfAlphabet(std::string_view characters, std::string &bytes) {
  bytes.clear();
  bool all = true;
  forEachCharacter(
      characters, [&](char byte) { bytes.push_back(byte); }, [&](std::string_view) { all = false; });
  return all;
}

std::string bytesOfCharacters(std::string_view characters) {
  std::string result;
  forEachCharacter(
      characters, [&](char byte) { result.push_back(byte); },
      [&](std::string_view character) { result.append(character); });
  return result;
}

} // namespace linmu::models
