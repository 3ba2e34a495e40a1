// linmuc: compiles the patterns of a file, and shows or runs what it makes of them.
#include "compiler/tools/linmuc_options.h"
#include "compiler/tools/linmuc_package.h"
#include "compiler/tools/linmuc_run.h"
#include "runtime/core/error.h"
#include "runtime/core/version.h"
#include "runtime/io/atomic_file.h"
#include "runtime/io/input_text.h"
#include "runtime/io/mapping_fault.h"
#include "runtime/io/standard_streams.h"
#include "runtime/jit/cuda_images.h"
#include <cstdio>

using namespace linmu;
using namespace linmu::linmuc;

/// The output at `path`, checked before any work. No output may take the place of the patterns it comes from.
static std::optional<AtomicFile> openOutput(const std::optional<std::filesystem::path> &path,
                                            const CommandLine &line) {
  std::error_code status;
  if (path && std::filesystem::is_regular_file(*path, status) &&
      std::filesystem::equivalent(*path, line.file, status))
    throw Error(ErrorCode::invalidArgument, path->string() + " holds the patterns, and would be overwritten");
  if (!path)
    return std::nullopt;
  return std::optional<AtomicFile>(std::in_place, *path);
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
  compiler::Options options = line.options;
  if (line.target == RunTarget::cuda) {
    target = jit::Target::parse(line.cuda);
    options.shared_bytes = target->sharedBytes();
  }
  std::vector<std::byte> bytes = valid(compiler::compile(source, options)).bytes;
  if (!target)
    return bytes;
  jit::ImageCounts counts;
  Package package = deserialize(bytes, "the compiler's package");
  return serialize(jit::withImages(std::move(package), target->architectures, nullptr, counts));
}

/// The gradients of the patterns in place of the patterns, which messages then name.
static std::string takeGradients(const std::string &source, CommandLine &line) {
  line.options.gradient = line.gradients;
  std::string text = forEachFunction(source, line, "\n",
                                     [&](const auto &options) { return compiler::text(source, options); });
  line.options.gradient.reset();
  line.options.filename = "<gradient of " + line.options.filename + ">";
  line.options.function.clear();
  line.options.aliases.clear();
  return text;
}

static void execute(CommandLine line) {
  std::optional<AtomicFile> package = openOutput(line.package, line);
  std::optional<AtomicFile> results = openOutput(line.run ? std::optional(line.out) : std::nullopt, line);
  // What is shown is what a package for these would hold.
  if (line.target == RunTarget::cuda && line.cuda.find(':') != std::string::npos)
    line.options.shared_bytes = jit::Target::parse(line.cuda).sharedBytes();
  std::string source = line.show ? "" : readInputText(line.file, noticeOnErrorStream("linmuc"));
  // Everything that can fail comes before the first byte of output.
  std::string text;
  if (line.show)
    text = describePackage(line.file);
  if (line.gradient) {
    source = takeGradients(source, line);
    if (line.explain == Report::none && !line.emit && !package && !results)
      text = source;
  }
  if (line.explain != Report::none) {
    bool json = line.explain == Report::json;
    text += forEachFunction(source, line, json ? "," : "\n",
                            [&](const auto &options) { return compiler::explain(source, options, json); });
  }
  if (line.emit)
    text += forEachFunction(source, line, "\n",
                            [&](const auto &options) { return compiler::emit(source, options, *line.emit); });
  if (package) {
    std::vector<std::byte> bytes = packageOf(source, line);
    package->write(bytes.data(), bytes.size());
    package->commit();
  }
  if (results)
    runOnFile(source, line, *results);
  writeStandardOutput(text);
}

int main(int argc, char **argv) {
  prepareStandardStreams();
  endOnSignals();
  reportMappingFaults("linmuc");
  try {
    CommandLine line = parseCommandLine({argv + 1, argv + argc});
    if (line.help) {
      writeStandardOutput(helpText);
      return 0;
    }
    if (line.version) {
      writeStandardOutput(std::string("linmuc ") + version() + "\n");
      return 0;
    }
    line.options.filename = line.file == "-" ? "<stdin>" : line.file.string();
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
