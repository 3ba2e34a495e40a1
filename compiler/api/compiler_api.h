// What liblinmu_compiler.so exports: text in, package or text out. No MLIR type crosses it and no
// exception leaves it. Every function may be called by several threads at once, in a fresh process too, and
// in a child forked meanwhile: see fork_guard.h.
#pragma once
#include "compiler/interpreter/HostTensor.h"
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#define LINMU_EXPORT __attribute__((visibility("default")))

namespace linmu::compiler {

/// Which gradients of a pattern; names are those of the text, without %.
struct Gradient {
  std::vector<std::string> wrt; ///< the inputs that want one; empty: all of floats
  std::vector<std::string> of;  ///< the results that have a cotangent; empty: all of floats
};

struct Options {
  std::string filename = "<pattern>"; ///< for messages
  std::string function;               ///< which pattern of the file; empty: its only one
  /// New right-hand sides of type aliases in the text: {"query", "tensor<?x?x28x128xbf16>"} replaces the
  /// definition of !query, so that one readable file serves every head count and element type. The '!' may be
  /// written; the '#' of an attribute alias must be.
  std::map<std::string, std::string> aliases;
  /// Overrides of the schedule: {"algorithm", "recurrent"}, {"chunk", "32"}; see --schedule of linmuc.
  std::map<std::string, std::string> schedule;
  std::string cpu{};          ///< LLVM CPU name; empty: the machine at hand
  std::string target = "cpu"; ///< or "cuda", whose packages hold a source and no machine code
  /// Of "cuda": bytes of shared memory that a block may have on each GPU that the source is for.
  std::int64_t shared_bytes = 163 * 1024;
  /// The pattern of the gradients in place of the text's: it takes the inputs and, for each result of `of`,
  /// its cotangent `d_RESULT`, and gives `d_INPUT` for each input of `wrt`. A gradient of a bf16 or f16 input
  /// is rounded to its type, and that of an input whose batch is 1 has the batch of the call.
  std::optional<Gradient> gradient{};
};

/// llvm and assembly are of the CPU, source is of CUDA.
enum class Emit { pattern, normal, tile, llvm, assembly, source };

/// Either `ok` and the payload, or one rendered diagnostic: "file:line:column: error: ..." with notes.
struct Text {
  bool ok = false;
  std::string text;
  std::string diagnostics;
};
struct Bytes {
  bool ok = false;
  std::vector<std::byte> bytes; ///< a serialised linmu::Package
  std::string diagnostics;
};

struct Names {
  bool ok = false;
  std::vector<std::string> names;
  std::string diagnostics;
};
struct Tensors {
  bool ok = false;
  std::vector<HostTensor> tensors;
  std::string diagnostics;
};

/// The patterns that the text defines, in its order; `options.function` is ignored.
LINMU_EXPORT Names functions(std::string_view source, const Options &options);

/// Hexadecimal hash of the canonical pattern (without names and locations), the schedule overrides, the
/// target and the library's build. Equal keys mean equal machine code.
LINMU_EXPORT Text cacheKey(std::string_view source, const Options &options);

/// The signature of the pattern alone (serialised as a package without code): names come from the text,
/// so they are not part of what the cache stores.
LINMU_EXPORT Bytes signature(std::string_view source, const Options &options);

LINMU_EXPORT Bytes compile(std::string_view source, const Options &options);

/// Per scan: its normal form, or the op and source line that makes it opaque, and the algorithm. Fails with
/// the message of `compile` where that refuses the pattern.
LINMU_EXPORT Text explain(std::string_view source, const Options &options, bool json);

LINMU_EXPORT Text emit(std::string_view source, const Options &options, Emit stage);

/// The pattern as text, as the other functions take it: that of the gradients where `options.gradient` asks
/// for them.
LINMU_EXPORT Text text(std::string_view source, const Options &options);

/// Runs the definition of the pattern in fp64, on operands in the order of the signature; see
/// compiler/interpreter/Interpreter.h for what it checks.
LINMU_EXPORT Tensors interpret(std::string_view source, const Options &options,
                               std::span<const HostTensor> inputs, int threads = 1);

/// A string that changes with every build that could change generated code.
LINMU_EXPORT std::string buildIdentity();

} // namespace linmu::compiler
