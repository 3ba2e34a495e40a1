#include "runtime/jit/cuda_images.h"
#include "runtime/core/byte_stream.h"
#include "runtime/core/error.h"
#include "runtime/jit/cache_entry.h"
#include "runtime/jit/nvrtc.h"

namespace linmu::jit {

namespace {

/// Everything that decides what an image is.
std::string identityOf(const std::string &source, const std::string &architecture, const Nvrtc &nvrtc) {
  ByteWriter out;
  out.writeText("cubin");
  out.writeText(nvrtc.identity());
  for (const std::string &option : Nvrtc::fixedOptions())
    out.writeText(option);
  out.writeText(architecture);
  out.writeText(source);
  return textOf(out);
}

} // namespace

Package withImages(Package package, std::span<const cuda::Architecture> architectures, const DiskCache *disk,
                   ImageCounts &counts, std::span<const std::filesystem::path> package_folders) {
  const Nvrtc nvrtc = Nvrtc::find(package_folders);
  for (const cuda::Architecture &architecture : architectures) {
    PackageImage image{architecture.name(), {}};
    const std::string identity = identityOf(package.source, image.architecture, nvrtc);
    const std::string name = entryName(identity, "cubin");
    if (auto content = disk ? disk->read(name) : std::nullopt) {
      try {
        if (auto code = deserializeEntry(*content, identity, name)) {
          image.code = std::move(*code);
          ++counts.disk_hits;
        }
      } catch (const Error &) {
        ++counts.corrupt; // written anew below
      }
    }
    if (image.code.empty()) {
      image.code = nvrtc.compile(package.source, package.signature.name + ".cu", architecture).cubin;
      ++counts.compiled;
      if (disk && !disk->write(name, serializeEntry(identity, image.code)))
        ++counts.unwritten;
    }
    package.images.push_back(std::move(image));
  }
  package.source.clear();
  return package;
}

} // namespace linmu::jit
