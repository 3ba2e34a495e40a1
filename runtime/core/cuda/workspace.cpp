#include "runtime/core/cuda/workspace.h"
#include "runtime/core/cuda/driver.h"
#include "runtime/core/error.h"
#include "runtime/core/launch_frame.h"
#include <string>

namespace linmu::cuda {

Workspace::Workspace(const Signature &signature, std::int64_t bytes, std::int32_t ordinal,
                     const LaunchOptions &options)
    : ordinal_(ordinal), options_(options) {
  if (bytes == 0)
    return;
  const std::string pattern = "pattern '" + signature.name + "': ";
  const std::string wanted = std::to_string(bytes) + " bytes for temporaries";
  if (options.workspace) {
    auto past = std::int64_t(reinterpret_cast<std::uintptr_t>(options.workspace) %
                             std::uintptr_t(LaunchFrame::temporary_alignment));
    if (options.workspace_bytes < bytes || past != 0)
      throw Error(ErrorCode::invalidArgument,
                  pattern + "expected a workspace of " + wanted + ", aligned to " +
                      std::to_string(LaunchFrame::temporary_alignment) + " bytes, got " +
                      std::to_string(options.workspace_bytes) + " bytes at an address that is " +
                      std::to_string(past) + " past that");
    data_ = static_cast<std::byte *>(options.workspace);
    owner_ = caller;
    return;
  }
  if (options.allocator) {
    data_ = static_cast<std::byte *>(options.allocator->allocate(bytes, ordinal, options.stream));
    owner_ = allocator;
    if (!data_)
      throw Error(ErrorCode::io, pattern + "the caller's allocator gave none of " + wanted);
    return;
  }
  const Driver &api = Driver::instance();
  auto stream = static_cast<Stream>(options.stream);
  int capture = abi::capture_none;
  api.check(api.stream_capturing(stream, &capture), pattern + "asking whether the stream captures a graph");
  if (capture != abi::capture_none)
    throw Error(ErrorCode::invalidArgument,
                pattern + "expected a workspace of " + wanted +
                    ", or an allocator, while the stream captures a graph, got neither",
                "Kernel::workspaceBytes() says how much");
  DevicePointer memory = 0;
  api.check(api.allocate_async(&memory, std::size_t(bytes), stream), pattern + "allocating " + wanted);
  data_ = reinterpret_cast<std::byte *>(memory);
  owner_ = driver;
}

Workspace::~Workspace() {
  if (owner_ == allocator && data_)
    options_.allocator->release(data_, ordinal_, options_.stream);
  if (owner_ == driver)
    Driver::instance().free_async(reinterpret_cast<DevicePointer>(data_),
                                  static_cast<Stream>(options_.stream));
}

} // namespace linmu::cuda
