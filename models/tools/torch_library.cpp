#include "models/tools/torch_library.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>

namespace linmu::tools {
namespace {

constexpr const char *library_name = "lib/libtorch.so";

constexpr const char *advice =
    "pip install 'linmu[torch]' puts it beside LinMU; LINMU_TORCH_DIR names the folder "
    "of another torch package";

/// "2.11" of "2.11.0+cu130".
std::string minorOf(const std::string &version) {
  const std::size_t dot = version.find('.');
  return version.substr(0, dot == std::string::npos ? dot : version.find('.', dot + 1));
}

/// The package says it in version.py: `__version__ = '2.11.0+cu130'`.
std::string versionOf(const std::filesystem::path &folder) {
  const std::string key = "__version__ = '";
  std::ifstream file(folder / "version.py");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key))
      return line.substr(key.size(), line.find('\'', key.size()) - key.size());
  return "";
}

std::string listed(const std::vector<std::filesystem::path> &folders) {
  std::string text;
  for (const std::filesystem::path &folder : folders)
    text += (text.empty() ? "" : ", ") + folder.string();
  return text;
}

/// After each operation torch's threads wait for each other by spinning, for 300,000 turns of libgomp: ten
/// milliseconds. Where they share processors with other programs that takes the time which the thread waited
/// for needs, and decoding falls to a twentieth. A hundred microseconds reach from one operation to the next,
/// as fast on a quiet machine. libgomp reads its variables (its manual, GOMP_SPINCOUNT) when it is opened.
void spinBriefly() {
  if (!std::getenv("OMP_WAIT_POLICY"))
    ::setenv("GOMP_SPINCOUNT", "3000", /*overwrite=*/0);
}

} // namespace

std::string torchVersionNeeded() { return LINMU_TORCH_VERSION; }

bool suits(const std::string &version) { return minorOf(version) == minorOf(torchVersionNeeded()); }

std::filesystem::path programFolder() {
  std::error_code status;
  return std::filesystem::read_symlink("/proc/self/exe", status).parent_path();
}

std::vector<std::filesystem::path> torchFolders() {
  if (const std::filesystem::path &given = Settings::current().torch_dir; !given.empty())
    return {given};
  // site-packages/linmu/bin/linmu beside site-packages/torch
  std::vector<std::filesystem::path> folders = {(programFolder() / "../../torch").lexically_normal()};
  if (const std::filesystem::path of_build = LINMU_TORCH_OF_BUILD; !of_build.empty())
    folders.push_back(of_build);
  return folders;
}

std::optional<TorchPackage> findTorch() {
  std::error_code status;
  for (const std::filesystem::path &folder : torchFolders())
    if (std::filesystem::exists(folder / library_name, status))
      return TorchPackage{folder, versionOf(folder)};
  return std::nullopt;
}

void openTorch() {
  const std::optional<TorchPackage> torch = findTorch();
  if (!torch)
    throw Error(ErrorCode::unsupported,
                "models need torch " + torchVersionNeeded() + "; there is none in " + listed(torchFolders()),
                advice);
  if (!suits(torch->version))
    throw Error(ErrorCode::unsupported,
                "models need torch " + minorOf(torchVersionNeeded()) + ", found " +
                    (torch->version.empty() ? "one of unknown version" : torch->version) + " in " +
                    torch->folder.string(),
                advice);
  spinBriefly();
  if (!::dlopen((torch->folder / library_name).c_str(), RTLD_NOW | RTLD_GLOBAL))
    throw Error(ErrorCode::unsupported, std::string("torch cannot be opened: ") + ::dlerror());
}

} // namespace linmu::tools
