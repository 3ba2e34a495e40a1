#include "compiler/tools/linmuc_package.h"
#include "runtime/core/cpu_features.h"
#include "runtime/core/cuda/devices.h"
#include "runtime/core/error.h"
#include "runtime/core/package.h"
#include "runtime/core/package_file.h"
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>

namespace linmu::linmuc {
namespace {

// How tightly an operator binds; atoms and calls of functions are never put in brackets.
enum Strength { either, both, comparison, sum, product, atom };

struct Operator {
  const char *text; ///< between the operands, or the name of a function
  Strength strength;
};

Operator operatorOf(Expression::Term::Kind kind) {
  using Term = Expression::Term;
  switch (kind) {
  case Term::add:
    return {"+", sum};
  case Term::subtract:
    return {"-", sum};
  case Term::multiply:
    return {"*", product};
  case Term::divide:
    return {"div", product};
  case Term::remainder:
    return {"mod", product};
  case Term::ceilDivide:
    return {"ceildiv", atom};
  case Term::minimum:
    return {"min", atom};
  case Term::maximum:
    return {"max", atom};
  case Term::equal:
    return {"==", comparison};
  case Term::less:
    return {"<", comparison};
  case Term::both:
    return {"and", both};
  default:
    return {"or", either};
  }
}

std::string symbolOf(const Expression::Term &term) {
  using Term = Expression::Term;
  switch (term.kind) {
  case Term::batch:
    return "B";
  case Term::tokens:
    return "N";
  case Term::mediaItems:
    return "M";
  case Term::sequences:
    return "S";
  case Term::longestSequence:
    return "L";
  default:
    return std::to_string(term.value);
  }
}

/// A valid expression as one writes it: "B * ceildiv(N, 64) < 8 and N < 16".
std::string textOf(const Expression &expression) {
  struct Part {
    std::string text;
    Strength strength;
  };
  std::vector<Part> parts;
  for (const Expression::Term &term : expression.terms) {
    if (term.kind < Expression::Term::add) {
      parts.push_back({symbolOf(term), atom});
      continue;
    }
    Part right = std::move(parts.back());
    parts.pop_back();
    Part &left = parts.back();
    const auto [text, strength] = operatorOf(term.kind);
    if (strength == atom) {
      left = {fmt::format("{}({}, {})", text, left.text, right.text), atom};
      continue;
    }
    auto bracketed = [](const Part &part, bool needed) { return needed ? "(" + part.text + ")" : part.text; };
    // Equally strong operators group from the left.
    left = {fmt::format("{} {} {}", bracketed(left, left.strength < strength), text,
                        bracketed(right, right.strength <= strength)),
            strength};
  }
  return parts.back().text;
}

std::string shapeOf(const std::vector<Extent> &shape) {
  static constexpr const char *symbols[] = {"", "B", "N", "M", "S"};
  std::vector<std::string> extents;
  for (const Extent &extent : shape) {
    std::string text = symbols[extent.kind];
    if (extent.kind == Extent::constant || extent.value != 0)
      text += (text.empty() ? "" : " + ") + std::to_string(extent.value);
    extents.push_back(text);
  }
  return fmt::format("[{}]", fmt::join(extents, ", "));
}

std::string bytes(std::size_t count) {
  // The locale's grouping is not what a script that reads this expects to change.
  std::string digits = std::to_string(count);
  for (auto at = std::ptrdiff_t(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(std::size_t(at), ",");
  return digits + (count == 1 ? " byte" : " bytes");
}

std::string contentOf(const OperandSpec &operand) {
  return operand.content == OperandSpec::tokenOrder      ? ", a token order"
         : operand.content == OperandSpec::mediaTable    ? ", a media table"
         : operand.content == OperandSpec::sequenceTable ? ", a table of sequences"
                                                         : "";
}

std::string operands(const char *heading, const std::vector<OperandSpec> &specs, const Signature &signature) {
  std::string text = fmt::format("{}\n", heading);
  std::size_t width = 0;
  for (const OperandSpec &spec : specs)
    width = std::max(width, spec.name.size());
  for (const OperandSpec &spec : specs) {
    text += fmt::format("  {:<{}}  {:<4} {}{}", spec.name, width, name(spec.dtype), shapeOf(spec.shape),
                        contentOf(spec));
    if (spec.in_place_of != OperandSpec::none)
      text += fmt::format(", may lie in the memory of {}", signature.inputs[spec.in_place_of].name);
    text += "\n";
  }
  return text;
}

std::vector<std::string> textsOf(const std::vector<ExpressionId> &ids, const Package &package) {
  std::vector<std::string> texts;
  for (ExpressionId id : ids)
    texts.push_back(textOf(package.expressions[id]));
  return texts;
}

std::string bindingOf(const Binding &binding, const Package &package) {
  switch (binding.kind) {
  case Binding::input:
    return package.signature.inputs[binding.index].name;
  case Binding::result:
    return package.signature.results[binding.index].name;
  case Binding::temporary:
    return fmt::format("temporary {}", binding.index);
  case Binding::expression:
    break;
  }
  return textOf(package.expressions[binding.index]);
}

std::string launchOf(const Launch &launch, const Package &package) {
  std::vector<std::string> bound;
  for (const Binding &binding : launch.operands)
    bound.push_back(bindingOf(binding, package));
  std::string text = fmt::format("     {}({})\n       grid {}, ", launch.kernel, fmt::join(bound, ", "),
                                 fmt::join(textsOf(launch.grid, package), " x "));
  if (package.target == "cuda")
    return text + fmt::format("{} threads a block, {} of shared memory\n", launch.threads,
                              bytes(std::size_t(launch.shared_bytes)));
  return text + fmt::format("{} of workspace a thread, {} of its blocks together, at byte {} of the code\n",
                            bytes(std::size_t(launch.workspace_bytes)), launch.blocks_together, launch.entry);
}

std::string variants(const Package &package) {
  std::string text = "variants, the first whose condition holds runs\n";
  for (std::size_t i = 0; i < package.variants.size(); ++i) {
    const Variant &variant = package.variants[i];
    const std::string when = variant.condition != Variant::always
                                 ? "if " + textOf(package.expressions[variant.condition])
                                 : "in any case";
    text += fmt::format("  {}. {}, {}\n", i + 1, variant.algorithm, when);
    for (const Launch &launch : variant.launches)
      text += launchOf(launch, package);
  }
  return text;
}

std::string temporaries(const Package &package) {
  std::string text;
  for (std::size_t i = 0; i < package.temporaries.size(); ++i)
    text += fmt::format("  {}  {:<4} [{}]\n", i, name(package.temporaries[i].dtype),
                        fmt::join(textsOf(package.temporaries[i].shape, package), ", "));
  return text.empty() ? text : "temporaries\n" + text;
}

std::string cudaVerdict(const Package &package) {
  try {
    for (const cuda::DeviceInfo &device : cuda::devices())
      for (const PackageImage &image : package.images)
        if (auto architecture = cuda::Architecture::parse(image.architecture);
            architecture && architecture->runsOn(device.major, device.minor))
          return "this machine runs it, on " + device.name;
    return "no GPU of this machine runs it";
  } catch (const Error &error) {
    return std::string("this machine does not run it: ") + error.what();
  }
}

/// "this machine runs it", or what it lacks.
std::string verdict(const Package &package) {
  if (package.target == "cuda")
    return cudaVerdict(package);
  const std::string prefix = "cpu:" + std::string(architecture());
  if (!package.target.starts_with(prefix))
    return fmt::format("this machine, {}, does not run it", prefix);
  std::vector<std::string> missing;
  std::copy_if(package.cpu_features.begin(), package.cpu_features.end(), std::back_inserter(missing),
               [](const std::string &feature) { return !cpuHas(feature); });
  return missing.empty() ? "this machine runs it"
                         : fmt::format("this machine lacks {}", fmt::join(missing, ", "));
}

/// "14,144 bytes of code"; for CUDA "9,216 bytes of code for sm_80", all kernels together, one architecture
/// after the other.
std::string codeSizes(const Package &package) {
  std::vector<std::pair<std::string, std::size_t>> sizes;
  for (const PackageImage &image : package.images) {
    auto same = std::find_if(sizes.begin(), sizes.end(),
                             [&](const auto &size) { return size.first == image.architecture; });
    if (same == sizes.end())
      same = sizes.insert(same, {image.architecture, 0});
    same->second += image.code.size();
  }
  std::vector<std::string> texts;
  for (const auto &[architecture, size] : sizes)
    texts.push_back(bytes(size) + " of code" + (architecture.empty() ? "" : " for " + architecture));
  return fmt::format("{}", fmt::join(texts, ", "));
}

} // namespace

std::string describePackage(const std::filesystem::path &path) {
  const std::vector<std::byte> content = readPackageFile(path);
  const Package package = deserialize(content, path.string());
  std::string text =
      fmt::format("{}: a sound package of pattern '{}'\n", path.string(), package.signature.name);
  text += fmt::format("target    {}; {}\n", package.target, verdict(package));
  if (!package.cpu_features.empty())
    text += fmt::format("features  {}\n", fmt::join(package.cpu_features, " "));
  text += fmt::format("key       {}\n", package.key);
  text += fmt::format("size      {}, with {}\n", bytes(content.size()), codeSizes(package));
  text += operands("inputs", package.signature.inputs, package.signature);
  text += operands("results", package.signature.results, package.signature);
  return text + temporaries(package) + variants(package);
}

} // namespace linmu::linmuc
