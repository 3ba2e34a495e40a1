#include "runtime/jit/cuda_images.h"
#include "runtime/core/byte_stream.h"
#include "runtime/core/error.h"
#include "runtime/core/for_each_on_threads.h"
#include "runtime/jit/cache_entry.h"
#include "runtime/jit/nvrtc.h"
#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

namespace linmu::jit {

namespace {

/// An image on its way from a source.
struct Work {
  std::string kernel, text;
  cuda::Architecture architecture;
  std::string identity{}, entry{}; ///< on disk
  std::vector<std::byte> code{};
  ImageCounts counts{};
  std::exception_ptr error{};
};

/// Everything that decides what an image is.
std::string identityOf(const Work &work, const Nvrtc &nvrtc) {
  ByteWriter out;
  out.writeText("cubin");
  out.writeText(nvrtc.identity());
  for (const std::string &option : Nvrtc::fixedOptions())
    out.writeText(option);
  out.writeText(work.architecture.name());
  out.writeText(work.text);
  return textOf(out);
}

void readFrom(const DiskCache &disk, Work &work, const Nvrtc &nvrtc) {
  work.identity = identityOf(work, nvrtc);
  work.entry = entryName(work.identity, "cubin");
  auto content = disk.read(work.entry);
  if (!content)
    return;
  try {
    if (auto code = deserializeEntry(*content, work.identity, work.entry)) {
      work.code = std::move(*code);
      ++work.counts.disk_hits;
    }
  } catch (const Error &) {
    ++work.counts.corrupt; // written anew by compile()
  }
}

void compile(Work &work, const Nvrtc &nvrtc, const DiskCache *disk) {
  // The name stands in what profilers read of the code, which may be another pattern's from the disk: it is
  // the kernel's alone.
  work.code = nvrtc.compile(work.text, work.kernel + ".cu", work.architecture).cubin;
  ++work.counts.compiled;
  if (disk && !disk->write(work.entry, serializeEntry(work.identity, work.code)))
    ++work.counts.unwritten;
}

/// Compiles what has no code yet. The error of the first in `all` that has one is thrown.
void compileMissing(std::vector<Work> &all, const Nvrtc &nvrtc, const DiskCache *disk) {
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].code.empty())
      missing.push_back(i);
  // The longest first, so that no thread begins one when the others are done.
  std::sort(missing.begin(), missing.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(all[b].text.size(), a) < std::pair(all[a].text.size(), b);
  });
  std::atomic<std::size_t> failed = all.size(); // the first in `all` so far
  forEachOnThreads(missing.size(), [&](std::size_t i) {
    const std::size_t at = missing[i];
    if (at > failed)
      return;
    try {
      compile(all[at], nvrtc, disk);
    } catch (...) {
      all[at].error = std::current_exception();
      for (std::size_t first = failed; at < first && !failed.compare_exchange_weak(first, at);) {
      }
    }
  });
  if (failed < all.size())
    std::rethrow_exception(all[failed].error);
}

} // namespace

Package withImages(Package package, std::span<const cuda::Architecture> architectures, const DiskCache *disk,
                   ImageCounts &counts, std::span<const std::filesystem::path> package_folders) {
  const Nvrtc nvrtc = Nvrtc::find(package_folders);
  std::vector<Work> all;
  for (const cuda::Architecture &architecture : architectures)
    for (const KernelSource &source : package.sources)
      all.push_back({source.kernel, package.prelude + source.text, architecture});
  if (disk)
    for (Work &work : all)
      readFrom(*disk, work, nvrtc);
  compileMissing(all, nvrtc, disk);
  for (Work &work : all) {
    counts.compiled += work.counts.compiled;
    counts.disk_hits += work.counts.disk_hits;
    counts.corrupt += work.counts.corrupt;
    counts.unwritten += work.counts.unwritten;
    package.images.push_back({work.architecture.name(), std::move(work.kernel), std::move(work.code)});
  }
  package.sources.clear();
  package.prelude.clear();
  return package;
}

} // namespace linmu::jit
