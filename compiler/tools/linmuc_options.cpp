#include "compiler/tools/linmuc_options.h"
#include "runtime/core/error.h"
#include "runtime/core/package_file.h"
#include <algorithm>
#include <functional>
#include <set>

namespace linmu::linmuc {

const char *const helpText =
    R"(linmuc: compiles the patterns of a file, and shows or runs what it makes of them

usage: linmuc FILE [options]      FILE may be - for the standard input
       linmuc OUT.lmk             checks a kernel package and shows what it holds

  --explain[=json]          per scan: the normal form, or the op and line that makes it opaque; the algorithm.
                            What --run and --package refuse is refused here with the same message
  --emit=STAGE              prints pattern, normal, tile, llvm or asm; source with --target=cuda
  --package OUT.lmk         writes a kernel package for the target
  --run IN.safetensors      runs the pattern on the tensors of a file, matched to operands by name;
    --out OUT.safetensors   results go here, complete or not at all
  --target=TARGET           cpu, the default; interpreter (the fp64 definition) for --run; cuda for the GPUs of
                            this machine, or cuda:sm_90a,sm_80 for those named; --run takes the first GPU;
                            emulate runs the kernels for GPUs without one, every access checked, for --run
  --gradient                takes the pattern of the gradients in place of the pattern: prints it, or with other options
                            explains, emits, packages or runs it. It takes the inputs and a cotangent d_RESULT for
                            each float result, and gives d_INPUT for each input of floats
    --wrt=NAME,...          for these inputs only
    --of=NAME,...           of these results only: cotangents of others are zero, and no inputs
  --function=NAME           one pattern of the file; without it --explain and --emit show all of them
  --define=ALIAS=TYPE       replaces the text's definition of a type alias, e.g. query='tensor<?x?x9x64xf32>';
                            '!query=...' is the same, '#window=array<i64: 8, 8, 8>' an attribute's
  --schedule=KEY=VALUE,...  overrides fields of the schedule, e.g. algorithm=recurrent or chunk=64; keys are
                            algorithm, chunk, columns, cores, fuse, key_block, map_block, query_block,
                            recurrent_below, score_growth, segments, whole_blocks, window_share and, on GPUs,
                            blocks (of a multiprocessor at once, at least) and warps (of a block); --explain says
                            what runs by it
  --cpu=NAME                compiles for a CPU by LLVM's name; the machine at hand otherwise
  --version                 prints the version
  --help                    prints this

--run matches tensors to operands by name: the function's arguments without '%' are the names in IN, and the
values that it returns, as the text names them, are those in OUT. A value of `%y:2 = ...` is y_0 or y_1, and one
returned under a name that is taken gets _1. Types and shapes must be the signature's; tensors of IN that are no
operand are named in a warning. With

  func.func @f(%x: tensor<?x?x8x64xbf16>, %decay: tensor<?x?x8xf32>) -> ... { ... return %o, %s : ... }

IN holds 'x' (BF16 [batch, tokens, 8, 64]) and 'decay' (F32 [batch, tokens, 8]), and OUT will hold 'o' and 's':

  save_file({"x": x, "decay": decay}, "in.safetensors")    # Python, safetensors.torch
  linmuc f.mlir --run in.safetensors --out out.safetensors

Every error is one message on the standard error stream, "file:line:column: error: ..." for the text of a
pattern, and exit status 1.
)";

namespace {

[[noreturn]] void refuse(const std::string &message) {
  throw Error(ErrorCode::invalidArgument, message, "see linmuc --help");
}

/// "key=value" of a flag that takes such pairs.
std::pair<std::string, std::string> splitPair(const std::string &flag, const std::string &text,
                                              const char *form) {
  std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    refuse(flag + " requires " + form + ", got '" + text + "'");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

template <typename Choice>
Choice choose(const std::string &flag, const std::string &value,
              const std::vector<std::pair<const char *, Choice>> &choices) {
  std::string names;
  for (auto &[name, choice] : choices) {
    if (value == name)
      return choice;
    names += names.empty() ? name : std::string(", ") + name;
  }
  refuse(flag + " requires one of " + names + ", got '" + value + "'");
}

void parseSchedule(const std::string &value, CommandLine &line) {
  for (std::size_t begin = 0; begin <= value.size();) {
    std::size_t end = std::min(value.find(',', begin), value.size());
    auto [key, setting] = splitPair("--schedule", value.substr(begin, end - begin), "KEY=VALUE,...");
    if (!line.options.schedule.emplace(key, setting).second)
      refuse("--schedule sets '" + key + "' twice");
    begin = end + 1;
  }
}

std::vector<std::string> splitNames(const std::string &flag, const std::string &value) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= value.size();) {
    std::size_t end = std::min(value.find(',', begin), value.size());
    names.push_back(value.substr(begin, end - begin));
    if (names.back().empty() || std::count(names.begin(), names.end(), names.back()) > 1)
      refuse(flag + " requires different names as in q,k, got '" + value + "'");
    begin = end + 1;
  }
  return names;
}

void parseTarget(const std::string &value, CommandLine &line) {
  line.target = choose<RunTarget>("--target", value.substr(0, value.find(':')),
                                  {{"cpu", RunTarget::cpu},
                                   {"interpreter", RunTarget::interpreter},
                                   {"cuda", RunTarget::cuda},
                                   {"emulate", RunTarget::emulate}});
  if (line.target == RunTarget::cuda) {
    line.cuda = value;
    line.options.target = "cuda";
  } else if (value == "emulate") {
    line.options.target = "cuda";
  } else if (value.find(':') != value.npos) {
    refuse("--target=" + value.substr(0, value.find(':')) + " takes no architectures, got '" + value + "'");
  }
}

void apply(const std::string &flag, const std::string &value, CommandLine &line) {
  using compiler::Emit;
  if (flag == "--explain")
    line.explain = choose<Report>(flag, value, {{"text", Report::text}, {"json", Report::json}});
  else if (flag == "--emit")
    line.emit = choose<Emit>(flag, value,
                             {{"pattern", Emit::pattern},
                              {"normal", Emit::normal},
                              {"tile", Emit::tile},
                              {"llvm", Emit::llvm},
                              {"asm", Emit::assembly},
                              {"source", Emit::source}});
  else if (flag == "--package")
    line.package = value;
  else if (flag == "--wrt")
    line.gradients.wrt = splitNames(flag, value);
  else if (flag == "--of")
    line.gradients.of = splitNames(flag, value);
  else if (flag == "--run")
    line.run = value;
  else if (flag == "--out")
    line.out = value;
  else if (flag == "--target")
    parseTarget(value, line);
  else if (flag == "--function")
    line.options.function = value;
  else if (flag == "--cpu")
    line.options.cpu = value;
  else if (flag == "--schedule")
    parseSchedule(value, line);
  else if (flag == "--define") {
    auto [alias, type] = splitPair(flag, value, "ALIAS=TYPE");
    if (!line.options.aliases.emplace(alias, type).second)
      refuse("--define defines '" + alias + "' twice");
  }
}

} // namespace

CommandLine parseCommandLine(const std::vector<std::string> &arguments) {
  static const std::set<std::string> flags = {
      "--explain", "--emit",     "--package", "--run",      "--out", "--target", "--function",
      "--cpu",     "--schedule", "--define",  "--gradient", "--wrt", "--of"};
  CommandLine line;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string &argument = arguments[i];
    if (argument == "--help") {
      line.help = true;
      return line;
    }
    if (argument == "--gradient") {
      line.gradient = true;
      seen.insert(argument);
      continue;
    }
    if (argument == "--version") {
      line.version = true;
      return line;
    }
    if (!argument.starts_with("-") || argument == "-") {
      if (!line.file.empty())
        refuse("requires one FILE, got '" + line.file.string() + "' and '" + argument + "'");
      line.file = argument;
      continue;
    }
    std::size_t equals = argument.find('=');
    std::string flag = argument.substr(0, equals), value;
    if (!flags.contains(flag))
      refuse("unknown option '" + flag + "'");
    if (!seen.insert(flag).second && flag != "--define" && flag != "--schedule")
      refuse(flag + " is given twice");
    if (equals != std::string::npos)
      value = argument.substr(equals + 1);
    else if (flag == "--explain")
      value = "text";
    else if (i + 1 < arguments.size() && !arguments[i + 1].starts_with("--"))
      value = arguments[++i];
    if (value.empty())
      refuse(flag + " requires a value");
    apply(flag, value, line);
  }
  if (line.file.empty())
    refuse("requires a FILE with patterns");
  if (isPackageFile(line.file)) {
    if (!seen.empty())
      refuse("'" + line.file.string() + "' is a compiled package, which takes no " + *seen.begin() +
             "; give the file of its patterns");
    line.show = true;
    return line;
  }
  for (const char *flag : {"--wrt", "--of"})
    if (!line.gradient && seen.contains(flag))
      refuse(std::string(flag) + " requires --gradient");
  if (line.explain == Report::none && !line.emit && !line.package && !line.run && !line.gradient)
    refuse("requires something to do: --explain, --emit, --package, --run or --gradient");
  if (line.run && line.out.empty())
    refuse("--run requires --out");
  if (!line.run && seen.contains("--out"))
    refuse("--out requires --run");
  if (!line.run && line.target == RunTarget::interpreter)
    refuse("--target=interpreter requires --run");
  if (!line.run && line.target == RunTarget::emulate)
    refuse("--target=emulate requires --run");
  if ((line.target == RunTarget::cuda || line.target == RunTarget::emulate) && !line.options.cpu.empty())
    refuse("--target=" + std::string(line.target == RunTarget::cuda ? "cuda" : "emulate") +
           " takes no --cpu");
  if (line.run && line.target == RunTarget::cpu && !line.options.cpu.empty())
    refuse("--run with --target=cpu runs on the machine at hand and takes no --cpu");
  return line;
}

} // namespace linmu::linmuc
