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

std::string bytesOfCharacters(std::string_view characters) {
  static const auto bytes = [] {
    std::unordered_map<std::string_view, char> map;
    for (int byte = 0; byte < 256; ++byte)
      map.emplace(byteCharacter(byte), static_cast<char>(byte));
    return map;
  }();
  std::string result;
  while (!characters.empty()) {
    auto lead = static_cast<unsigned char>(characters.front());
    std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::string_view character = characters.substr(0, length);
    auto found = bytes.find(character);
    if (found != bytes.end())
      result.push_back(found->second);
    else
      result.append(character);
    characters.remove_prefix(character.size());
  }
  return result;
}

} // namespace linmu::models
