#include "distill/checkpoint.h"
#include "models/io/json_file.h"
#include "runtime/core/error.h"
#include "runtime/io/atomic_file.h"
#include "runtime/io/atomic_folder.h"
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

namespace linmu::distill {
namespace {

namespace fs = std::filesystem;

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
    throw Error(ErrorCode::io, fmt::format("cannot make {}: {}", folder_.string(), error.message()));
  fs::path lock = folder_ / "lock";
  lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0 || ::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    std::string reason = lock_ >= 0 && errno == EWOULDBLOCK ? "another process is training there"
                                                            : std::generic_category().message(errno);
    if (lock_ >= 0)
      ::close(lock_);
    throw Error(ErrorCode::io, fmt::format("{}: {}", folder_.string(), reason));
  }
  AtomicFolder::sweep(folder_);
}

CheckpointStore::~CheckpointStore() {
  if (lock_ >= 0)
    ::close(lock_);
}

fs::path CheckpointStore::pathOf(RunPlace place) const { return folder_ / nameOf(place); }

std::vector<RunPlace> CheckpointStore::places() const {
  std::vector<RunPlace> places;
  if (!fs::exists(folder_)) // of a reader
    return places;
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
}

void CheckpointStore::save(RunPlace place, const Checkpoint &checkpoint) {
  try {
    AtomicFolder folder(pathOf(place));
    for (const auto &[name, tensors] : checkpoint.tensors)
      writeTensors(folder.path() / (name + ".safetensors"), tensors);
    std::string text = checkpoint.state.dump(1) + "\n";
    AtomicFile state(folder.path() / "state.json");
    state.write(text.data(), text.size());
    state.commit();
    folder.commit();
  } catch (const std::exception &error) { // linmu::Error and the file system's
    auto last = newest();
    throw Error(ErrorCode::io,
                fmt::format("the checkpoint of step {} was not saved: {}; {}", place.step, error.what(),
                            last ? "kept is " + pathOf(*last).string() : "there is none yet"),
                "make room and go on with --resume");
  }
  removeOld();
}

void CheckpointStore::removeOld() const {
  auto all = places();
  auto kept = best();
  for (std::size_t i = 0; i + std::size_t(keep_) < all.size(); ++i)
    if (all[i] != kept)
      AtomicFolder::remove(pathOf(all[i]));
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
