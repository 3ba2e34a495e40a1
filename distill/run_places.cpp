#include "distill/run_places.h"
#include "runtime/core/error.h"
#include "runtime/io/atomic_file.h"
#include "runtime/io/file_place.h"
#include <cerrno>
#include <fmt/format.h>
#include <system_error>

namespace linmu::distill {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path &path, const std::string &why, const std::string &hint) {
  throw Error(ErrorCode::io, fmt::format("cannot write {}: {}", path.string(), why), hint);
}

constexpr const char *elsewhere = "move it away, or choose another folder for `out`";

void requireFile(const fs::path &path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    refuse(path, fmt::format("it is {}, and a run goes on in a file", kindOf(status)), elsewhere);
  // Trying is surer than asking; without commit() nothing is left.
  AtomicFile probe(path, AtomicFile::Folders::create);
}

void requireResult(const fs::path &path, bool fresh) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno != ENOENT)
      refuse(path, std::generic_category().message(errno), elsewhere);
    return;
  }
  if (S_ISLNK(status.st_mode))
    refuse(path, "it is a link, and the result takes the place of a folder", elsewhere);
  if (!S_ISDIR(status.st_mode))
    refuse(path, fmt::format("it is {}, expected none or a folder", kindOf(status)), elsewhere);
  std::error_code error;
  const bool empty = fs::is_empty(path, error);
  if (error)
    refuse(path, error.message(), elsewhere);
  if (!empty && (fresh || !fs::exists(path / "config.json", error)))
    refuse(path, "the folder holds files, which the result would replace", elsewhere);
}

} // namespace

void requireWritable(const RunPlaces &places) {
  for (const fs::path &file : places.files)
    requireFile(file);
  for (const fs::path &result : places.results)
    requireResult(result, places.fresh);
}

} // namespace linmu::distill
