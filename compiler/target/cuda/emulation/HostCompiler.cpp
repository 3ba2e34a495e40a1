#include "compiler/target/cuda/emulation/HostCompiler.h"
#include "compiler/target/cuda/prelude/Prelude.h"
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace linmu::emulation;

extern char **environ;

HostKernel::~HostKernel() { dlclose(library); }

namespace {
/// A fresh folder that goes with this.
class Scratch {
public:
  Scratch() {
    std::error_code missing;
    std::filesystem::path temporary = std::filesystem::temp_directory_path(missing);
    std::string pattern = (temporary / "linmu-emulation-XXXXXX").string();
    if (!missing && mkdtemp(pattern.data()) != nullptr)
      folder = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!folder.empty())
      std::filesystem::remove_all(folder, ignored);
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  std::string file(const char *name) const { return (folder / name).string(); }
  bool exists() const { return !folder.empty(); }

private:
  std::filesystem::path folder;
};
} // namespace

/// The exit status, or -1 where the program could not be started. What it says goes to `log`.
static int runProgram(const std::vector<std::string> &command, const std::string &log) {
  std::vector<char *> words;
  for (const std::string &word : command)
    words.push_back(const_cast<char *>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t process = 0;
  int failed = posix_spawnp(&process, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed != 0 || waitpid(process, &status, 0) != process)
    return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static HostCompilation incomplete(std::string message, std::string file = "", int line = 0) {
  return {nullptr, {Outcome::incomplete, std::move(message), std::move(file), line}};
}

/// The first "file:line:column: error: text" of a compiler's log.
static HostCompilation firstError(const std::string &log) {
  std::ifstream stream(log);
  for (std::string line; std::getline(stream, line);) {
    std::size_t error = line.find(": error: ");
    if (error == std::string::npos)
      error = line.find(": fatal error: ");
    if (error == std::string::npos)
      continue;
    std::istringstream place(line.substr(0, error));
    std::string file, number;
    std::getline(place, file, ':');
    std::getline(place, number, ':');
    return incomplete("the portable prelude does not model this: " +
                          line.substr(line.find("error: ", error) + 7),
                      file, std::atoi(number.c_str()));
  }
  return incomplete("the host compiler failed and named no error");
}

HostCompilation linmu::emulation::compileForHost(std::string_view text, const std::string &name,
                                                 const std::string &compiler) {
  Scratch scratch;
  if (!scratch.exists())
    return incomplete("cannot create a folder for the compiler in the folder for temporary files");
  std::string source = scratch.file("kernel.cpp"), library = scratch.file("kernel.so"),
              log = scratch.file("log");
  std::ofstream(source) << cuda::hostText(text, name);
  // Kernels are long and straight: optimising one takes five times as long as it saves in a run of some
  // blocks. Sums of products are not contracted, for what the device contracts is nearer to the truth.
  // Registers that nothing has written hold what is no number.
  int status = runProgram({compiler, "-std=c++20", "-O0", "-w", "-fPIC", "-shared", "-ffp-contract=off",
                           "-ftrivial-auto-var-init=pattern", "-fvisibility=hidden", source, "-o", library},
                          log);
  if (status == -1 || status == 127)
    return incomplete("the host compiler '" + compiler + "' cannot be started");
  if (status != 0)
    return firstError(log);
  void *opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr)
    return incomplete(std::string("the compiled kernel cannot be loaded: ") + dlerror());
  const auto *kernel = static_cast<const Kernel *>(dlsym(opened, ("linmu_emulated_" + name).c_str()));
  return {std::make_shared<HostKernel>(opened, kernel), {}};
}

Verdict linmu::emulation::emulate(std::string_view text, const std::string &name, const std::string &compiler,
                                  const Launch &launch, std::span<const Argument> arguments) {
  HostCompilation compilation = compileForHost(text, name, compiler);
  return compilation.kernel ? emulate(**compilation.kernel, launch, arguments) : compilation.verdict;
}
