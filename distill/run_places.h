// Whether a run may write where it will write in the end, asked before its work.
#pragma once
#include <filesystem>
#include <vector>

namespace linmu::distill {

/// What a run keeps in its folder beside the checkpoints.
struct RunPlaces {
  std::vector<std::filesystem::path> files;   ///< that grow, and are read again by whoever goes on
  std::vector<std::filesystem::path> results; ///< folders, each replaced as a whole
  bool fresh = true;                          ///< nothing of the run is there yet
};

/// Throws Error(io) naming the first file that is there and is none, as a FIFO, or that cannot be written,
/// and the first result that is no folder, or holds files that no run has put there.
void requireWritable(const RunPlaces &places);

} // namespace linmu::distill
