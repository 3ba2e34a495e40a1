// Checkpoints of a run: folders that are there complete or not at all.
#pragma once
#include "distill/tensor_file.h"
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace linmu::distill {

/// Where in a run: after `step` optimiser steps and `part` of the next step's micro-batches.
struct RunPlace {
  std::int64_t step = 0, part = 0;
  auto operator<=>(const RunPlace &) const = default;
};

struct Checkpoint {
  nlohmann::json state;                        ///< state.json
  std::map<std::string, NamedTensors> tensors; ///< of each file, by its name without ".safetensors"
};

/// The checkpoints in a folder, "step-00000120" or, within a step, "step-00000120.3". One is written under
/// another name, each file and the folder are brought to the disk, and then it gets its name: whatever ends
/// the process or the machine, and whenever, a folder of such a name is whole.
class CheckpointStore {
public:
  /// Makes the folder where there is none, and removes what an earlier process had not finished. `keep` >= 1
  /// checkpoints stay, and the best besides. Throws Error(io) where another store is open on the folder, in
  /// whatever process.
  CheckpointStore(std::filesystem::path folder, std::int64_t keep);
  /// Of another process, to read; save() and markBest() are not for it.
  static std::unique_ptr<CheckpointStore> reader(std::filesystem::path folder) {
    return std::unique_ptr<CheckpointStore>(new CheckpointStore(std::move(folder)));
  }
  ~CheckpointStore();
  CheckpointStore(const CheckpointStore &) = delete;
  CheckpointStore &operator=(const CheckpointStore &) = delete;

  /// Publishes, then removes the oldest beyond `keep`. Throws Error(io) that says why and which checkpoint is
  /// the newest now; those that were there are as they were.
  void save(RunPlace place, const Checkpoint &checkpoint);

  /// `place` is the best from here on, and is kept whatever its age.
  void markBest(RunPlace place);

  std::optional<RunPlace> newest() const;
  std::optional<RunPlace> best() const;

  /// Throws Error(corruptFile) naming the file that does not fit, Error(io) for one that cannot be read.
  Checkpoint read(RunPlace place) const;

  std::filesystem::path pathOf(RunPlace place) const;

private:
  explicit CheckpointStore(std::filesystem::path folder) : folder_(std::move(folder)), keep_(1) {}
  std::vector<RunPlace> places() const; ///< ascending
  void removeOld() const;

  std::filesystem::path folder_;
  std::int64_t keep_;
  int lock_ = -1; ///< a descriptor, whose lock ends with the process at the latest; none of a reader
};

} // namespace linmu::distill
