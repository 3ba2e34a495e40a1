#include "nvrtc.h"
#include <dlfcn.h>
#include <filesystem>

namespace {
using Program = void *;
struct Api {
  int (*create)(Program *, const char *, const char *, int, const char *const *,
                const char *const *) = nullptr;
  int (*destroy)(Program *) = nullptr;
  int (*compile)(Program, int, const char *const *) = nullptr;
  int (*logSize)(Program, std::size_t *) = nullptr;
  int (*log)(Program, char *) = nullptr;
  int (*cubinSize)(Program, std::size_t *) = nullptr;
  int (*cubin)(Program, char *) = nullptr;
};

void *open() {
  if (void *library = dlopen("libnvrtc.so.13", RTLD_NOW))
    return library;
  std::error_code missing;
  for (const auto &python : std::filesystem::directory_iterator(LINMU_TEST_VENV "/lib", missing))
    if (void *library =
            dlopen((python.path() / "site-packages/nvidia/cu13/lib/libnvrtc.so.13").c_str(), RTLD_NOW))
      return library;
  return dlopen("/usr/local/cuda/lib64/libnvrtc.so", RTLD_NOW);
}

const Api *api() {
  static const Api loaded = [] {
    Api api;
    void *library = open();
    if (library == nullptr)
      return api;
    auto symbol = [&](auto &function, const char *name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(library, name));
    };
    symbol(api.create, "nvrtcCreateProgram");
    symbol(api.destroy, "nvrtcDestroyProgram");
    symbol(api.compile, "nvrtcCompileProgram");
    symbol(api.logSize, "nvrtcGetProgramLogSize");
    symbol(api.log, "nvrtcGetProgramLog");
    symbol(api.cubinSize, "nvrtcGetCUBINSize");
    symbol(api.cubin, "nvrtcGetCUBIN");
    return api;
  }();
  return loaded.create != nullptr ? &loaded : nullptr;
}
} // namespace

linmu::NvrtcResult linmu::compileWithNvrtc(const std::string &text, const std::string &architecture,
                                           const std::vector<std::string> &more) {
  NvrtcResult result;
  const Api *nvrtc = api();
  if (nvrtc == nullptr) {
    result.log = "no libnvrtc.so.13 on the library path, in " LINMU_TEST_VENV " or in /usr/local/cuda";
    return result;
  }
  Program program = nullptr;
  if (nvrtc->create(&program, text.c_str(), "kernel.cu", 0, nullptr, nullptr) != 0)
    return result;
  std::string target = "--gpu-architecture=" + architecture;
  std::vector<const char *> options = {target.c_str(), "--std=c++17"};
  for (const std::string &option : more)
    options.push_back(option.c_str());
  result.compiled = nvrtc->compile(program, static_cast<int>(options.size()), options.data()) == 0;
  std::size_t size = 0;
  nvrtc->logSize(program, &size);
  result.log.resize(size);
  nvrtc->log(program, result.log.data());
  while (!result.log.empty() && (result.log.back() == '\0' || result.log.back() == '\n'))
    result.log.pop_back();
  if (result.compiled && nvrtc->cubinSize(program, &size) == 0) {
    result.cubin.resize(size);
    nvrtc->cubin(program, result.cubin.data());
  }
  nvrtc->destroy(&program);
  return result;
}
