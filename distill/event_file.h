// Scalars over steps in TensorBoard's format.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::distill {

struct EventScalar {
  std::string tag; ///< "loss/hidden": a chart, and before the slash its group
  double value = 0;
};

/// A file of TFRecords, each an Event message of tensorflow/core/util/event.proto. The few fields that it
/// needs are encoded here: torch has protobuf inside, of a version of its own, whose symbols must not meet
/// another's.
class EventFile {
public:
  /// Goes on in `path` behind its last event of a step up to `step`: later ones, and what a killed process
  /// left half-written, are dropped. Makes the file where there is none. Throws Error(io) naming the path if
  /// the file system refuses.
  EventFile(const std::filesystem::path &path, std::int64_t step);
  ~EventFile();
  EventFile(const EventFile &) = delete;
  EventFile &operator=(const EventFile &) = delete;

  /// One event, in the file once this returns. `wall_time` in seconds since 1970. Throws Error(io).
  void add(std::int64_t step, double wall_time, const std::vector<EventScalar> &scalars);

private:
  void append(std::string_view message);
  [[noreturn]] void fail(int error) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// CRC-32C (Castagnoli) of `bytes`.
std::uint32_t crc32c(std::string_view bytes);

} // namespace linmu::distill
