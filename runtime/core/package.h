// A kernel package: machine code for one target, the program that launches it, and its signature.
//
// The compiler writes packages and the runtime opens them; this file is all that the two share. It holds
// plain data and depends on nothing.
//
// For the CPU, machine code is one position-independent image without undefined symbols. Each kernel in it
// is a function
//     void kernel(void *const *arguments, std::int64_t first_block, std::int64_t last_block,
//                 std::byte *workspace);
// that runs the blocks [first_block, last_block). `workspace` is private to the calling thread, 64-byte
// aligned, `Launch::workspace_bytes` long and uninitialised. `arguments[i]` points to operand i of the
// launch: a tensor's descriptor, laid out as MLIR's strided memref descriptor,
//     struct { void *allocated, *aligned; std::int64_t offset, sizes[rank], strides[rank]; }
// (strides in elements; offset 0), or the std::int64_t that an expression has become. Behind the operands
// lies a pointer to the grid, std::int64_t[3]; block numbers count its first dimension fastest.
//
// For CUDA, it is one cubin for each kernel and architecture, so that kernels can be compiled beside each
// other and kept apart. The kernel in it is
//     struct Arguments { long long words[n]; };
//     extern "C" __global__ void kernel(const __grid_constant__ Arguments arguments);
// where `words` holds the operands of the launch one after the other, then the grid's three extents. A tensor
// gives its address, sizes[rank] and strides[rank] (in elements; 0 where it broadcasts over the batch), an
// expression its value. The CUDA grid has one dimension, of all blocks: a kernel takes blockIdx.x apart by
// the grid's words, the first dimension fastest.
#pragma once
#include "runtime/core/dtype.h"
#include "runtime/core/expression.h"
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace linmu {

/// What one dimension of an operand is: a constant, or a symbol that all operands of a call agree on.
struct Extent {
  enum Kind : std::uint8_t {
    constant,   ///< exactly `value`
    batch,      ///< B; every operand has it, and an extent of 1 broadcasts over the batch (stride 0)
    tokens,     ///< N, the sequence length
    mediaItems, ///< rows of a media table
    sequences,  ///< S, those of a ragged batch, and `value` more: their table has S + 1 entries
  } kind = constant;
  std::int64_t value = 0; ///< of a constant; what is added to S
  bool operator==(const Extent &) const = default;
  /// The extent in a call.
  std::int64_t evaluate(const Symbols &symbols) const;
};

/// One operand or result of a pattern, as callers see it.
struct OperandSpec {
  /// What kernels take the entries of an operand for. Those that they address memory by are checked before a
  /// launch.
  enum Content : std::uint8_t {
    values,
    tokenOrder, ///< [batch, tokens] of i32: each sequence holds each of 0 .. N-1 once
    mediaTable, ///< [mediaItems, 4] of i32: rows (first token, t, h, w) inside the N tokens, without overlap
    sequenceTable, ///< [sequences + 1] of i32: from 0 to N, no entry below the one before
  };
  static constexpr std::uint32_t none = UINT32_MAX;

  std::string name; ///< the SSA name in the pattern's text, without %
  DType dtype = DType::f32;
  std::vector<Extent> shape; ///< e.g. [batch, tokens, 9, 64]; the last dimension must be contiguous
  Content content = values;  ///< of an input
  /// Of a result: the input in whose memory it may lie, element on element (a next state in the place of the
  /// one before), or `none`.
  std::uint32_t in_place_of = none;
  bool operator==(const OperandSpec &) const = default;
};

struct Signature {
  std::string name; ///< the pattern function's name
  std::vector<OperandSpec> inputs, results;
  bool operator==(const Signature &) const = default;
};

/// Which tensor, or whole number, a launch's operand is bound to.
struct Binding {
  enum Kind : std::uint8_t { input, result, temporary, expression } kind = input;
  std::uint32_t index = 0;
};

/// Position of an expression in Package::expressions.
using ExpressionId = std::uint32_t;

struct Launch {
  std::string kernel;               ///< symbol, for messages and profiles
  std::uint64_t entry = 0;          ///< offset of the function in the image; 0 for CUDA, which has names
  std::vector<ExpressionId> grid;   ///< blocks of one to three dimensions, the fastest first
  std::int64_t workspace_bytes = 0; ///< per thread of the CPU
  std::vector<Binding> operands;
  /// How many blocks a thread is best given at once, where there are so many for each: their walks of the
  /// tokens keep step and share what they bring to the caches.
  std::int64_t blocks_together = 1;
  std::int32_t threads = 0;      ///< of a CUDA block, 1 to 1024; 0 for the CPU
  std::int64_t shared_bytes = 0; ///< dynamic shared memory of a CUDA block
};

/// Launches that run one after the other; the first variant whose condition is not 0 runs.
struct Variant {
  static constexpr ExpressionId always = UINT32_MAX;
  ExpressionId condition = always; ///< `always` for the last variant, and for no other
  std::string algorithm;           ///< for `--explain` and profiles, e.g. "chunked(chunk=16)"
  std::vector<Launch> launches;
};

/// A tensor between two launches: contiguous, 64-byte aligned, uninitialised, allocated by the runtime.
struct Temporary {
  DType dtype = DType::f32;
  std::vector<ExpressionId> shape;
};

/// Machine code: for CUDA of one kernel for one architecture, for the CPU of all kernels.
struct PackageImage {
  std::string architecture; ///< for CUDA, e.g. "sm_90a"; empty for the CPU, which Package::target names
  std::string kernel;       ///< for CUDA, the symbol that launches name; empty for the CPU
  std::vector<std::byte> code;
  bool operator==(const PackageImage &) const = default;
};

/// CUDA C++ of one kernel.
struct KernelSource {
  std::string kernel; ///< the symbol that launches name
  std::string text;   ///< behind Package::prelude, a translation unit of its own
  bool operator==(const KernelSource &) const = default;
};

struct Package {
  std::string key;                       ///< the cache key it was compiled for, hexadecimal
  std::string target;                    ///< "cpu:<triple>:<cpu name>" or "cuda"
  std::vector<std::string> cpu_features; ///< features the code needs, LLVM's names without '+'
  Signature signature;
  std::vector<Expression> expressions;
  std::vector<Temporary> temporaries;
  std::vector<Variant> variants;
  /// One for the CPU; for CUDA, for each architecture one for each kernel that a launch names, in any order.
  std::vector<PackageImage> images;
  /// For CUDA: what runtime/jit makes the images from, one for each kernel that a launch names. Only what the
  /// compiler hands to it has sources, and then no images.
  std::vector<KernelSource> sources;
  std::string prelude; ///< what stands before the text of every source; none where there are no sources
};

/// Serialised form: magic, format version, a 64-bit checksum of everything after it, then the fields.
std::vector<std::byte> serialize(const Package &package);

/// Whether `bytes` begin as every serialised package does.
bool isPackage(std::span<const std::byte> bytes);

/// Throws Error(corruptFile) naming `origin` for anything that is truncated, altered, of another format
/// version, or inconsistent (an entry outside the image, an operand index out of range, no variant that runs
/// in any case).
Package deserialize(std::span<const std::byte> bytes, const std::string &origin);

} // namespace linmu
