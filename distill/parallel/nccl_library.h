// NCCL's C interface, found in the process.
#pragma once
#include <array>
#include <cstddef>

namespace linmu::distill {

/// torch's CUDA package brings NCCL and opens it with itself. LinMU is built without CUDA's headers, which
/// c10d's own wrapper of NCCL (ProcessGroupNCCL) needs, and must start where there is no NCCL; the C
/// functions are stable since 2.0, and their types are repeated here.
struct NcclLibrary {
  using Communicator = struct ncclComm *;
  using Stream = void *; ///< cudaStream_t
  struct UniqueId {
    std::array<char, 128> bytes;
  };
  enum Type : int { i64 = 4, f32 = 7, f64 = 8 };
  static constexpr int sum = 0;
  static constexpr int success = 0;

  int (*getVersion)(int *version);
  int (*getUniqueId)(UniqueId *id);
  int (*commInitRank)(Communicator *communicator, int ranks, UniqueId id, int rank);
  int (*commAbort)(Communicator communicator);
  int (*commDestroy)(Communicator communicator);
  int (*allReduce)(const void *from, void *to, std::size_t count, int type, int operation,
                   Communicator communicator, Stream stream);
  int (*broadcast)(const void *from, void *to, std::size_t count, int type, int root,
                   Communicator communicator, Stream stream);
  const char *(*getErrorString)(int result);

  /// Throws Error(unsupported) where there is none, or a function is missing.
  static const NcclLibrary &get();
  /// Throws Error(io) naming `what` and NCCL's reason unless `result` is success.
  void check(int result, const char *what) const;
};

} // namespace linmu::distill
