// Where LibTorch is, and opening it: the programs start without it, and commands that run models need it.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace linmu::tools {

/// A torch package: the folder that Python imports, with its libraries in lib/.
struct TorchPackage {
  std::filesystem::path folder;
  std::string version; ///< "2.11.0+cu130"; empty if the folder does not say
};

/// The version that LinMU was compiled for. The C++ interface of torch changes between minor versions.
std::string torchVersionNeeded();

/// Whether `version` has the major and minor number of torchVersionNeeded().
bool suits(const std::string &version);

/// Where torch is looked for, in this order: Settings::torch_dir, or else beside the package that a program
/// was installed in, and where it was when LinMU was built.
std::vector<std::filesystem::path> torchFolders();

/// The first of them that holds torch's library.
std::optional<TorchPackage> findTorch();

/// Opens torch's libraries for all that is opened afterwards. Throws Error(unsupported) that says where torch
/// was looked for and how to get it, if there is none or one of another version.
void openTorch();

/// The folder of the running program.
std::filesystem::path programFolder();

} // namespace linmu::tools
