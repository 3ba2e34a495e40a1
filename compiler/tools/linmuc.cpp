// linmuc: compiles the patterns of a file, and shows or runs what it makes of them.
#include "compiler/tools/linmuc_options.h"
#include "compiler/tools/linmuc_run.h"
#include "runtime/core/error.h"
#include "runtime/io/atomic_file.h"
#include "runtime/jit/cuda_images.h"
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

using namespace linmu;
using namespace linmu::linmuc;

static std::string readText(const std::filesystem::path &path) {
  std::error_code status;
  if (!std::filesystem::is_regular_file(path, status))
    throw Error(ErrorCode::io,
                path.string() + ": requires a file, " +
                    (std::filesystem::exists(path, status) ? "got something else" : "there is none"));
  std::ifstream stream(path, std::ios::binary);
  std::string text;
  for (char block[4096]; stream.read(block, sizeof block), stream.gcount() > 0;)
    text.append(block, stream.gcount());
  if (!stream.is_open() || stream.bad())
    throw Error(ErrorCode::io, path.string() + ": cannot be read");
  return text;
}

template <typename Result> static Result valid(Result result) {
  if (!result.ok)
    throw Error(ErrorCode::invalidPattern, result.diagnostics);
  return result;
}

/// `show` of each pattern, or of the one that was asked for.
template <typename Show>
static std::string forEachFunction(const std::string &source, const CommandLine &line, const char *separator,
                                   Show show) {
  std::vector<std::string> names{line.options.function};
  if (names[0].empty())
    names = valid(compiler::functions(source, line.options)).names;
  std::string text;
  for (const std::string &name : names) {
    compiler::Options options = line.options;
    options.function = name;
    text += (text.empty() ? "" : separator) + valid(show(options)).text;
  }
  return names.size() > 1 && *separator == ',' ? "[\n" + text + "]\n" : text;
}

/// A package that can be opened: one for CUDA has its images.
static std::vector<std::byte> packageOf(const std::string &source, const CommandLine &line) {
  std::optional<jit::Target> target; // what is wrong with it comes before the compilation
  if (line.target == RunTarget::cuda)
    target = jit::Target::parse(line.cuda);
  std::vector<std::byte> bytes = valid(compiler::compile(source, line.options)).bytes;
  if (!target)
    return bytes;
  jit::ImageCounts counts;
  Package package = deserialize(bytes, "the compiler's package");
  return serialize(jit::withImages(std::move(package), target->architectures, nullptr, counts));
}

static void execute(const CommandLine &line) {
  std::string source = readText(line.file);
  // Everything that can fail comes before the first byte of output.
  std::string text;
  if (line.explain != Report::none) {
    bool json = line.explain == Report::json;
    text += forEachFunction(source, line, json ? "," : "\n",
                            [&](const auto &options) { return compiler::explain(source, options, json); });
  }
  if (line.emit)
    text += forEachFunction(source, line, "\n",
                            [&](const auto &options) { return compiler::emit(source, options, *line.emit); });
  if (line.package) {
    std::vector<std::byte> package = packageOf(source, line);
    AtomicFile file(*line.package);
    file.write(package.data(), package.size());
    file.commit();
  }
  if (line.run)
    runOnFile(source, line);
  std::cout << text << std::flush;
  if (!std::cout)
    throw Error(ErrorCode::io, "the standard output cannot be written");
}

int main(int argc, char **argv) {
  try {
    CommandLine line = parseCommandLine({argv + 1, argv + argc});
    if (line.help) {
      std::fputs(helpText, stdout);
      return 0;
    }
    line.options.filename = line.file.string();
    execute(line);
    return 0;
  } catch (const Error &error) {
    // Diagnostics carry their place in the text already.
    bool placed = error.code() == ErrorCode::invalidPattern;
    std::string message = placed ? error.what() : "linmuc: error: " + std::string(error.what());
    if (!error.hint().empty())
      message += "; " + error.hint();
    while (message.ends_with('\n'))
      message.pop_back();
    std::fprintf(stderr, "%s\n", message.c_str());
  } catch (const std::exception &error) {
    std::fprintf(stderr, "linmuc: error: %s\n", error.what());
  }
  return 1;
}
