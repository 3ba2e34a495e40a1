#include "distill/checkpoint.h"
#include "models/io/json_file.h"
#include "runtime/core/error.h"
#include "runtime/io/atomic_file.h"
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace linmu::distill {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view unfinished = ".unfinished-", removed = ".removed-";

[[noreturn]] void refuse(const fs::path &path, int error) {
  throw Error(ErrorCode::io, fmt::format("{}: {}", path.string(), std::generic_category().message(error)));
}

/// What has been renamed or written in the folder stays so if the machine goes down.
void bringToDisk(const fs::path &folder) {
  int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool good = descriptor >= 0 && ::fsync(descriptor) == 0;
  int error = errno;
  if (descriptor >= 0)
    ::close(descriptor);
  if (!good)
    refuse(folder, error);
}

std::string nameOf(RunPlace place) {
  return place.part == 0 ? fmt::format("step-{:08}", place.step)
                         : fmt::format("step-{:08}.{}", place.step, place.part);
}

std::optional<RunPlace> placeNamed(const std::string &name) {
  RunPlace place;
  if (std::sscanf(name.c_str(), "step-%ld.%ld", &place.step, &place.part) < 1 || nameOf(place) != name)
    return {};
  return place;
}

} // namespace

CheckpointStore::CheckpointStore(fs::path folder, std::int64_t keep)
    : folder_(std::move(folder)), keep_(keep) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error)
    refuse(folder_, error.value());
  std::vector<fs::path> left;
  for (const auto &entry : fs::directory_iterator(folder_))
    if (std::string name = entry.path().filename(); name.starts_with(unfinished) || name.starts_with(removed))
      left.push_back(entry.path());
  for (const fs::path &path : left)
    fs::remove_all(path);
}

fs::path CheckpointStore::pathOf(RunPlace place) const { return folder_ / nameOf(place); }

std::vector<RunPlace> CheckpointStore::places() const {
  std::vector<RunPlace> places;
  for (const auto &entry : fs::directory_iterator(folder_))
    if (auto place = placeNamed(entry.path().filename()))
      places.push_back(*place);
  std::ranges::sort(places);
  return places;
}

std::optional<RunPlace> CheckpointStore::newest() const {
  auto all = places();
  return all.empty() ? std::nullopt : std::optional(all.back());
}

std::optional<RunPlace> CheckpointStore::best() const {
  std::ifstream file(folder_ / "best");
  std::string name;
  if (!std::getline(file, name))
    return {};
  auto place = placeNamed(name);
  return place && fs::exists(pathOf(*place)) ? place : std::nullopt;
}

void CheckpointStore::markBest(RunPlace place) {
  std::string text = nameOf(place) + "\n";
  AtomicFile file(folder_ / "best");
  file.write(text.data(), text.size());
  file.commit();
  bringToDisk(folder_);
}

void CheckpointStore::save(RunPlace place, const Checkpoint &checkpoint) {
  fs::path made = folder_ / (std::string(unfinished) + nameOf(place));
  try {
    fs::remove_all(made);
    fs::create_directory(made);
    for (const auto &[name, tensors] : checkpoint.tensors)
      writeTensors(made / (name + ".safetensors"), tensors);
    std::string text = checkpoint.state.dump(1) + "\n";
    AtomicFile state(made / "state.json");
    state.write(text.data(), text.size());
    state.commit();
    bringToDisk(made);
    publish(made, pathOf(place));
    bringToDisk(folder_);
  } catch (const std::exception &error) { // linmu::Error and the file system's
    std::error_code ignored;
    fs::remove_all(made, ignored);
    auto last = newest();
    throw Error(ErrorCode::io,
                fmt::format("the checkpoint of step {} was not saved: {}; {}", place.step, error.what(),
                            last ? "kept is " + pathOf(*last).string() : "there is none yet"),
                "make room and go on with --resume");
  }
  removeOld();
}

/// Where there is a checkpoint of that name, the two change places.
void CheckpointStore::publish(const fs::path &made, const fs::path &target) const {
  if (::rename(made.c_str(), target.c_str()) == 0)
    return;
  if (errno != ENOTEMPTY && errno != EEXIST)
    refuse(target, errno);
  if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) != 0)
    refuse(target, errno);
  fs::remove_all(made);
}

void CheckpointStore::remove(const fs::path &path) const {
  // First of all it loses its name.
  fs::path doomed = folder_ / (std::string(removed) + path.filename().string());
  if (::rename(path.c_str(), doomed.c_str()) != 0)
    refuse(path, errno);
  fs::remove_all(doomed);
}

void CheckpointStore::removeOld() const {
  auto all = places();
  auto kept = best();
  for (std::size_t i = 0; i + std::size_t(keep_) < all.size(); ++i)
    if (all[i] != kept)
      remove(pathOf(all[i]));
}

Checkpoint CheckpointStore::read(RunPlace place) const {
  Checkpoint checkpoint;
  fs::path folder = pathOf(place);
  checkpoint.state = models::readJsonObject(folder / "state.json");
  for (const auto &entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors")
      checkpoint.tensors.emplace(entry.path().stem(), readTensors(entry.path()));
  return checkpoint;
}

} // namespace linmu::distill
