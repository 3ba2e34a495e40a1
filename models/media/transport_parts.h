// Transport streams that were written one behind the other into one file.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace linmu::media {

/// Bytes [begin, end) of a file.
struct FilePart {
  std::int64_t begin = 0, end = 0;
};

/// The streams of which a file of 188-byte transport packets (ISO/IEC 13818-1, 2.4.3) consists, at least one.
/// A stream begins where a program association table is followed by new counters: of most identifiers of
/// packets the counter does not go on there, and everything that is no table begins with a new unit. A packet
/// that was lost breaks one counter only. Empty for other files.
std::vector<FilePart> transportParts(std::span<const std::byte> file);

} // namespace linmu::media
