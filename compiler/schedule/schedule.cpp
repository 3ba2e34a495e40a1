#include "compiler/schedule/schedule.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"

using namespace linmu;

static llvm::Error invalid(llvm::StringRef key, const llvm::Twine &expected, llvm::StringRef actual) {
  return llvm::createStringError("schedule: requires " + key + " to be " + expected + ", got '" + actual +
                                 "'");
}

static llvm::Error parseInteger(llvm::StringRef key, llvm::StringRef text, std::int64_t minimum,
                                std::int64_t maximum, std::int64_t multiple, std::int64_t &result) {
  std::int64_t value = 0;
  if (!text.getAsInteger(10, value) && value >= minimum && value <= maximum && value % multiple == 0) {
    result = value;
    return llvm::Error::success();
  }
  std::string kind = multiple == 1 ? "a whole number" : "a multiple of " + std::to_string(multiple);
  return invalid(key, kind + " from " + llvm::Twine(minimum) + " to " + llvm::Twine(maximum), text);
}

static llvm::Error parseEntry(llvm::StringRef key, llvm::StringRef value, Schedule &schedule) {
  if (key == "algorithm") {
    if (value == "auto")
      schedule.algorithm = Schedule::Algorithm::automatic;
    else if (value == "recurrent")
      schedule.algorithm = Schedule::Algorithm::recurrent;
    else if (value == "chunked")
      schedule.algorithm = Schedule::Algorithm::chunked;
    else
      return invalid(key, "auto, recurrent or chunked", value);
    return llvm::Error::success();
  }
  if (key == "fuse") {
    if (value != "true" && value != "false")
      return invalid(key, "true or false", value);
    schedule.fuse = value == "true";
    return llvm::Error::success();
  }
  if (key == "chunk")
    return parseInteger(key, value, 8, 256, 8, schedule.chunk);
  if (key == "recurrent_below")
    return parseInteger(key, value, 0, 1 << 20, 1, schedule.recurrent_below);
  if (key == "map_block")
    return parseInteger(key, value, 8, 256, 8, schedule.map_block);
  if (key == "query_block")
    return parseInteger(key, value, 8, 256, 8, schedule.query_block);
  if (key == "key_block")
    return parseInteger(key, value, 8, 256, 8, schedule.key_block);
  return llvm::createStringError(
      "schedule: requires a key out of algorithm, chunk, fuse, key_block, map_block, query_block and "
      "recurrent_below, got '" +
      key + "'");
}

llvm::Expected<Schedule> linmu::parseSchedule(const std::map<std::string, std::string> &overrides) {
  Schedule schedule;
  for (const auto &[key, value] : overrides)
    if (llvm::Error error = parseEntry(key, value, schedule))
      return std::move(error);
  return schedule;
}

llvm::Expected<Schedule> linmu::parseSchedule(llvm::StringRef overrides) {
  std::map<std::string, std::string> entries;
  llvm::SmallVector<llvm::StringRef> parts;
  overrides.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    auto [key, value] = part.split('=');
    if (key.size() == part.size())
      return llvm::createStringError("schedule: requires KEY=VALUE, got '" + part + "'");
    if (!entries.emplace(key.trim().str(), value.trim().str()).second)
      return llvm::createStringError("schedule: requires each key once, got '" + key + "' twice");
  }
  return parseSchedule(entries);
}

std::int64_t linmu::chunkedWorkspaceBytes(const StateCost &state, std::int64_t chunk) {
  std::int64_t keys = chunk * state.key_size * (state.reads + 2 * state.writes);
  std::int64_t values = chunk * state.value_size * (state.reads + state.writes);
  std::int64_t scores = chunk * chunk * state.reads * state.writes;
  return 4 * (state.key_size * state.value_size + keys + values + scores);
}

std::int64_t linmu::chooseChunk(llvm::ArrayRef<StateCost> states, const Schedule &schedule) {
  if (schedule.chunk)
    return schedule.chunk;
  constexpr std::int64_t cacheBytes = 1 << 20;
  std::int64_t chunk = 16;
  auto workspace = [&] {
    std::int64_t bytes = 0;
    for (const StateCost &state : states)
      bytes += chunkedWorkspaceBytes(state, chunk);
    return bytes;
  };
  while (chunk > 8 && workspace() > cacheBytes)
    chunk /= 2;
  return chunk;
}

WindowTiles linmu::chooseWindowTiles(const WindowSizes &sizes, const Schedule &schedule) {
  constexpr std::int64_t cacheBytes = 1 << 19;
  std::int64_t volume = (sizes.volume + 7) / 8 * 8;
  WindowTiles tiles;
  tiles.queries = std::min(schedule.query_block, volume);
  tiles.keys = std::min<std::int64_t>(schedule.key_block ? schedule.key_block : 64, volume);
  bool fits =
      !schedule.key_block && volume <= 1024 && volume <= cacheBytes / 4 / (sizes.key_size + sizes.value_size);
  tiles.whole = fits ? volume : tiles.keys;
  return tiles;
}
