#include "models/media/transport_parts.h"
#include <algorithm>
#include <array>
#include <optional>

namespace linmu::media {
namespace {

constexpr std::int64_t packet_bytes = 188;
constexpr int identifiers = 1 << 13;
constexpr int null_packets = identifiers - 1;
constexpr int association_table = 0;
// Tables that describe the service, which muxers write before the program association table.
constexpr int first_of_streams = 0x20;
// Behind a table each stream has its first packet within so many.
constexpr std::int64_t packets_looked_at = 64;

/// A packet with a payload.
struct Packet {
  int identifier;
  bool starts_unit;
  int counter;
};

class Packets {
public:
  explicit Packets(std::span<const std::byte> file) : file_(file) {}

  std::int64_t count() const { return static_cast<std::int64_t>(file_.size()) / packet_bytes; }

  bool areAll() const {
    for (std::int64_t index = 0; index < count(); ++index)
      if (byteOf(index, 0) != 0x47)
        return false;
    return count() > 0;
  }

  /// Nothing for one without a payload, whose counter stands still.
  std::optional<Packet> operator[](std::int64_t index) const {
    const int identifier = (byteOf(index, 1) & 0x1F) << 8 | byteOf(index, 2);
    if (identifier == null_packets || !(byteOf(index, 3) & 0x10))
      return std::nullopt;
    return Packet{identifier, (byteOf(index, 1) & 0x40) != 0, byteOf(index, 3) & 0x0F};
  }

private:
  int byteOf(std::int64_t index, int at) const {
    return std::to_integer<int>(file_[static_cast<std::size_t>(index * packet_bytes + at)]);
  }
  std::span<const std::byte> file_;
};

using Counters = std::array<std::int8_t, identifiers>; ///< of the last packet each; -1 before the first

/// Whether a stream begins at packet `first`, behind packets that ended with `counters`.
bool beginsAnew(const Packets &packets, std::int64_t first, const Counters &counters) {
  std::array<bool, identifiers> seen{};
  int breaks = 0, known = 0;
  const std::int64_t end = std::min(packets.count(), first + packets_looked_at);
  for (std::int64_t index = first; index < end; ++index) {
    const std::optional<Packet> packet = packets[index];
    if (!packet || seen[packet->identifier])
      continue;
    seen[packet->identifier] = true;
    if (packet->identifier >= first_of_streams && !packet->starts_unit)
      return false;
    if (counters[packet->identifier] < 0)
      continue;
    ++known;
    breaks += packet->counter != ((counters[packet->identifier] + 1) & 15);
  }
  return 2 * breaks > known;
}

} // namespace

std::vector<FilePart> transportParts(std::span<const std::byte> file) {
  const Packets packets(file);
  if (!packets.areAll())
    return {};
  std::vector<FilePart> parts{{0, 0}};
  Counters counters;
  counters.fill(-1);
  std::int64_t tables = 0; // the first of the tables that stand side by side
  for (std::int64_t index = 0; index < packets.count(); ++index) {
    const std::optional<Packet> packet = packets[index];
    if (packet && packet->identifier == association_table && tables > 0 &&
        beginsAnew(packets, tables, counters)) {
      parts.back().end = tables * packet_bytes;
      parts.push_back({tables * packet_bytes, 0});
      counters.fill(-1);
    }
    if (!packet)
      continue;
    counters[packet->identifier] = static_cast<std::int8_t>(packet->counter);
    if (packet->identifier >= first_of_streams)
      tables = index + 1;
  }
  parts.back().end = static_cast<std::int64_t>(file.size());
  return parts;
}

} // namespace linmu::media
