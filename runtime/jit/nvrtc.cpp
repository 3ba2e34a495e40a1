#include "runtime/jit/nvrtc.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <link.h>
#include <map>
#include <mutex>

namespace linmu::jit {

namespace fs = std::filesystem;

// The C API, of NVRTC 11.1 or later.
struct Nvrtc::Api {
  using Program = struct ProgramTag *;
  int (*create)(Program *program, const char *source, const char *name, int headers, const char *const *texts,
                const char *const *names);
  int (*destroy)(Program *program);
  int (*compile)(Program program, int options, const char *const *texts);
  int (*cubin_size)(Program program, std::size_t *bytes);
  int (*cubin)(Program program, char *bytes);
  int (*log_size)(Program program, std::size_t *bytes);
  int (*log)(Program program, char *text);
  const char *(*error)(int status);
};

namespace {

bool isNvrtc(const fs::path &file) {
  std::string name = file.filename().string();
  return name.starts_with("libnvrtc.so.") && name.find_first_not_of("0123456789.", 12) == name.npos;
}

/// The latest libnvrtc.so.N of a folder.
fs::path libraryIn(const fs::path &folder) {
  fs::path latest;
  int of_latest = -1;
  std::error_code none;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, none))
    if (isNvrtc(entry.path()))
      if (int version = std::atoi(entry.path().filename().c_str() + 12); version > of_latest) {
        latest = entry.path();
        of_latest = version;
      }
  return latest;
}

/// What an environment variable names; empty where it is not set.
fs::path folderOf(const char *variable) {
  const char *value = std::getenv(variable);
  return value ? value : "";
}

/// The folders of Python packages from which this process has loaded a library, in the order of loading.
std::vector<fs::path> packageFolders() {
  std::vector<fs::path> folders;
  auto visit = [](dl_phdr_info *info, std::size_t, void *data) {
    auto &found = *static_cast<std::vector<fs::path> *>(data);
    std::string path = info->dlpi_name;
    for (const char *name : {"/site-packages/", "/dist-packages/"})
      if (std::size_t at = path.find(name); at != path.npos) {
        fs::path folder = path.substr(0, at + std::string(name).size() - 1);
        if (std::find(found.begin(), found.end(), folder) == found.end())
          found.push_back(folder);
      }
    return 0;
  };
  dl_iterate_phdr(visit, &folders);
  std::error_code none;
  if (fs::path environment = folderOf("VIRTUAL_ENV"); !environment.empty())
    for (const fs::directory_entry &entry : fs::directory_iterator(environment / "lib", none))
      if (entry.path().filename().string().starts_with("python3"))
        folders.push_back(entry.path() / "site-packages");
  return folders;
}

/// nvidia/cu13/lib, nvidia/cuda_nvrtc/lib and the like.
fs::path libraryOfPackages(const fs::path &folder) {
  fs::path latest;
  std::error_code none;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder / "nvidia", none))
    if (fs::path file = libraryIn(entry.path() / "lib"); file.filename() > latest.filename())
      latest = file;
  return latest;
}

fs::path libraryOfToolkit(const fs::path &toolkit) {
  for (const char *folder : {"lib64", "lib"})
    if (fs::path file = libraryIn(toolkit / folder); !file.empty())
      return file;
  return {};
}

/// The file that the system's loader takes for one of the names.
fs::path libraryOfLoader() {
  for (const char *name : {"libnvrtc.so.13", "libnvrtc.so.12"})
    if (void *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL))
      if (link_map *map = nullptr; dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0)
        return map->l_name;
  return {};
}

fs::path findLibrary(std::span<const fs::path> given) {
  if (const fs::path &named = Settings::current().nvrtc; !named.empty())
    return named;
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (fs::path toolkit = folderOf(variable); !toolkit.empty())
      if (fs::path file = libraryOfToolkit(toolkit); !file.empty())
        return file;
  std::vector<fs::path> folders(given.begin(), given.end());
  for (fs::path &folder : packageFolders())
    folders.push_back(std::move(folder));
  for (const fs::path &folder : folders)
    if (fs::path file = libraryOfPackages(folder); !file.empty())
      return file;
  if (fs::path file = libraryOfToolkit("/usr/local/cuda"); !file.empty())
    return file;
  return libraryOfLoader();
}

[[noreturn]] void failToFind(const std::string &reason) {
  throw Error(ErrorCode::unsupported, "compiling for CUDA needs NVRTC, which this machine lacks" + reason,
              "install CUDA's toolkit or the Python package nvidia-cuda-nvrtc, or set LINMU_NVRTC to "
              "libnvrtc.so.13");
}

} // namespace

Nvrtc Nvrtc::find(std::span<const fs::path> package_folders) {
  fs::path file = findLibrary(package_folders);
  if (file.empty())
    failToFind("");
  return Nvrtc(file);
}

Nvrtc::Nvrtc(fs::path file) : file_(std::move(file)) {
  std::error_code error;
  fs::path real = fs::canonical(file_, error);
  if (error)
    failToFind(": " + file_.string() + ": " + error.message());
  identity_ = real.string() + ";" + std::to_string(fs::file_size(real, error)) + ";" +
              std::to_string(fs::last_write_time(real, error).time_since_epoch().count());
}

const Nvrtc::Api &Nvrtc::load(const fs::path &file) {
  static std::mutex mutex;
  static std::map<fs::path, Api> loaded; // never unloaded
  std::lock_guard lock(mutex);
  if (auto known = loaded.find(file); known != loaded.end())
    return known->second;
  void *handle = dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (!handle)
    failToFind(": " + std::string(dlerror()));
  Api api{};
  auto resolve = [&](auto &function, const char *name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
    if (!function)
      throw Error(ErrorCode::unsupported,
                  "compiling for CUDA needs NVRTC 11.1 or later: '" + file.string() + "' has no " + name);
  };
  resolve(api.create, "nvrtcCreateProgram");
  resolve(api.destroy, "nvrtcDestroyProgram");
  resolve(api.compile, "nvrtcCompileProgram");
  resolve(api.cubin_size, "nvrtcGetCUBINSize");
  resolve(api.cubin, "nvrtcGetCUBIN");
  resolve(api.log_size, "nvrtcGetProgramLogSize");
  resolve(api.log, "nvrtcGetProgramLog");
  resolve(api.error, "nvrtcGetErrorString");
  return loaded.emplace(file, api).first->second;
}

const std::vector<std::string> &Nvrtc::fixedOptions() {
  static const std::vector<std::string> options = {"--std=c++17", "--generate-line-info"};
  return options;
}

Nvrtc::Result Nvrtc::compile(const std::string &source, const std::string &name,
                             const cuda::Architecture &architecture,
                             const std::vector<std::string> &options) const {
  const Api &api = load(file_);
  auto check = [&](int status, const char *what) {
    if (status != 0)
      throw Error(ErrorCode::internal,
                  std::string("NVRTC cannot ") + what + " '" + name + "': " + api.error(status));
  };
  struct Owner {
    const Api &api;
    Api::Program program = nullptr;
    ~Owner() {
      if (program)
        api.destroy(&program);
    }
  } owner{api};
  check(api.create(&owner.program, source.c_str(), name.c_str(), 0, nullptr, nullptr), "open");

  std::string target = "--gpu-architecture=" + architecture.name();
  std::vector<const char *> texts = {target.c_str()};
  for (const std::vector<std::string> *list : {&fixedOptions(), &options})
    for (const std::string &option : *list)
      texts.push_back(option.c_str());
  int status = api.compile(owner.program, int(texts.size()), texts.data());

  Result result;
  if (std::size_t bytes = 0; api.log_size(owner.program, &bytes) == 0 && bytes > 1) {
    result.log.resize(bytes);
    api.log(owner.program, result.log.data());
    result.log.resize(bytes - 1); // without the zero
  }
  if (status != 0)
    throw Error(ErrorCode::internal, "NVRTC refuses '" + name + "' for " + architecture.name() + " (" +
                                         api.error(status) + "):\n" + result.log);
  std::size_t bytes = 0;
  check(api.cubin_size(owner.program, &bytes), "give the code of");
  result.cubin.resize(bytes);
  check(api.cubin(owner.program, reinterpret_cast<char *>(result.cubin.data())), "give the code of");
  return result;
}

} // namespace linmu::jit
