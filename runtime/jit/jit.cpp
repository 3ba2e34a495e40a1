#include "runtime/jit/jit.h"
#include "compiler/target/cuda/emulation/EmulatedExecutor.h"
#include "runtime/core/settings.h"
#include "runtime/jit/cache_entry.h"
#include "runtime/jit/cuda_images.h"
#include <algorithm>

namespace linmu::jit {

namespace {

compiler::Options compilerOptions(const CompileOptions &options, const Target &target) {
  compiler::Options result{.filename = options.filename,
                           .function = options.function,
                           .aliases = options.aliases,
                           .schedule = options.schedule,
                           .target = target.cuda ? "cuda" : "cpu"};
  result.shared_bytes = target.sharedBytes(); // the same sources for all architectures
  if (options.gradient)
    result.gradient = {options.gradient->wrt, options.gradient->of};
  return result;
}

[[noreturn]] void reject(std::string diagnostics) {
  while (!diagnostics.empty() && diagnostics.back() == '\n')
    diagnostics.pop_back();
  throw Error(ErrorCode::invalidPattern, diagnostics);
}

/// Whether code made for one signature serves the other: all but the names must agree.
bool sameButNames(const std::vector<OperandSpec> &a, const std::vector<OperandSpec> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const OperandSpec &left, const OperandSpec &right) {
                      return left.dtype == right.dtype && left.shape == right.shape &&
                             left.content == right.content && left.in_place_of == right.in_place_of;
                    });
}

/// `package` under the names of `description`. Throws Error(corruptFile) if it is not the code of that
/// pattern.
Package named(Package package, const Package &description, const std::string &origin) {
  if (package.key != description.key)
    throw Error(ErrorCode::corruptFile,
                origin + ": expected the key " + description.key + ", got " + package.key);
  if (!sameButNames(package.signature.inputs, description.signature.inputs) ||
      !sameButNames(package.signature.results, description.signature.results))
    throw Error(ErrorCode::corruptFile, origin + ": the signature is not that of the pattern");
  package.signature = description.signature;
  return package;
}

std::string codeName(const std::string &key) { return key + ".lmk"; }

// Both kinds of keys share the memory.
std::string keyOfText(const std::string &identity) { return "text " + identity; }
std::string keyOfCode(const std::string &key, const Target &target) {
  return "code " + target.name() + " " + key;
}

std::int64_t memoryLimit() { return std::int64_t(Settings::current().memory_cache_mib) << 20; }

bool isFileName(const std::string &key) {
  return !key.empty() && key.size() <= 200 &&
         std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isalnum(c); });
}

} // namespace

Kernel Jit::compile(std::string_view source, const CompileOptions &options) {
  Target target = Target::parse(options.target);
  std::string identity = textIdentity(source, options, target.name(), compiler_.build_identity());
  auto text = memory_.slot(keyOfText(identity), memoryLimit());
  std::lock_guard lock(text->mutex);
  if (text->content) {
    ++memory_hits_;
    return *text->content;
  }
  const Settings &settings = Settings::current();
  std::optional<DiskCache> opened;
  if (options.use_disk_cache && settings.disk_cache)
    opened.emplace(settings.cache_dir);
  const DiskCache *disk = opened ? &*opened : nullptr;
  Package description = describe(identity, source, options, target, disk);
  text->content = codeFor(description, source, options, target, disk);
  memory_.filled(keyOfText(identity), *text->content, memoryLimit());
  return *text->content;
}

Package Jit::describe(const std::string &identity, std::string_view source, const CompileOptions &options,
                      const Target &target, const DiskCache *disk) {
  const std::string name = entryName(identity, "index");
  if (disk)
    if (auto content = disk->read(name)) {
      try {
        if (auto described = deserializeEntry(*content, identity, name))
          if (Package description = deserialize(*described, name); isFileName(description.key))
            return description;
      } catch (const Error &) {
        ++corrupt_; // written anew below
      }
    }
  compiler::Bytes described = compiler_.signature(source, compilerOptions(options, target));
  if (!described.ok)
    reject(described.diagnostics);
  Package description = deserialize(described.bytes, "the compiler's signature");
  if (!isFileName(description.key))
    throw Error(ErrorCode::internal, "the compiler's key '" + description.key + "' is no file name");
  publish(disk, name, serializeEntry(identity, described.bytes));
  return description;
}

Kernel Jit::codeFor(const Package &description, std::string_view source, const CompileOptions &options,
                    const Target &target, const DiskCache *disk) {
  const std::string key = keyOfCode(description.key, target);
  auto code = memory_.slot(key, memoryLimit());
  std::lock_guard lock(code->mutex);
  if (code->content) {
    ++memory_hits_;
    return open(named(code->content->package(), description, "the kernel in memory"), options, target, disk);
  }
  if (disk)
    if (auto kernel = readCode(description, options, target, *disk)) {
      ++disk_hits_;
      code->content = *kernel;
      memory_.filled(key, *kernel, memoryLimit());
      return *kernel;
    }
  compiler::Bytes result = compiler_.compile(source, compilerOptions(options, target));
  if (!result.ok)
    reject(result.diagnostics);
  Package package = deserialize(result.bytes, "the compiler's package");
  ++compiled_;
  code->content =
      open(named(std::move(package), description, "the compiler's package"), options, target, disk);
  memory_.filled(key, *code->content, memoryLimit());
  publish(disk, codeName(description.key), result.bytes);
  return *code->content;
}

std::optional<Kernel> Jit::readCode(const Package &description, const CompileOptions &options,
                                    const Target &target, const DiskCache &disk) {
  const std::string name = codeName(description.key);
  auto content = disk.read(name);
  if (!content)
    return std::nullopt;
  try {
    return open(named(deserialize(*content, name), description, name), options, target, &disk);
  } catch (const Error &error) {
    // What NVRTC lacks or refuses is no fault of the file.
    if (error.code() == ErrorCode::io || (target.cuda && error.code() != ErrorCode::corruptFile))
      throw;
    ++corrupt_;
    return std::nullopt;
  }
}

Kernel Jit::open(Package package, const CompileOptions &options, const Target &target,
                 const DiskCache *disk) {
  if (target.cuda != (package.target == "cuda"))
    throw Error(ErrorCode::corruptFile,
                "expected code for " + target.name() + ", got code for '" + package.target + "'");
  if (target.emulate)
    return Kernel::open(std::move(package),
                        [](const Package &opened) { return emulation::openEmulated(opened); });
  if (!package.sources.empty()) {
    ImageCounts counts;
    package = withImages(std::move(package), target.architectures, disk, counts, options.package_folders);
    images_compiled_ += counts.compiled;
    image_disk_hits_ += counts.disk_hits;
    corrupt_ += counts.corrupt;
    unwritten_ += counts.unwritten;
  }
  return Kernel::open(std::move(package));
}

void Jit::publish(const DiskCache *disk, const std::string &name, std::span<const std::byte> content) {
  if (disk && !disk->write(name, content))
    ++unwritten_;
}

std::string Jit::explain(std::string_view source, const CompileOptions &options, bool json) {
  compiler::Text report =
      compiler_.explain(source, compilerOptions(options, Target::parse(options.target)), json);
  if (!report.ok)
    reject(report.diagnostics);
  return report.text;
}

CompileStatistics Jit::statistics() const {
  return {compiled_,  disk_hits_,      memory_hits_,     corrupt_,
          unwritten_, memory_.bytes(), images_compiled_, image_disk_hits_};
}

} // namespace linmu::jit
