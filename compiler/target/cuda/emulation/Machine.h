// What the portable prelude asks of the emulation; a kernel compiled for the host reaches everything through
// it.
#pragma once
#include <cstddef>
#include <cstdint>

namespace linmu::emulation {

/// A line of the kernel's text, or of what its #line directives name.
struct Where {
  const char *file = "";
  int line = 0;
};

/// A byte of an operand: the argument it was given by, and how far behind its first byte.
struct GlobalPlace {
  std::uint32_t buffer = 0;
  std::int64_t offset = 0;
};

/// Instructions that the 32 lanes of a warp carry out together.
enum class WarpInstruction {
  shuffle,
  shuffleXor,
  shuffleUp,
  shuffleDown,
  ballot,
  synchronize,
  loadMatrix,
  loadMatrixTransposed,
  storeMatrix,
  storeMatrixTransposed,
  productM16N8K16BF16,
  productM16N8K16F16,
  productM16N8K8BF16,
  productM16N8K8F16,
  productM16N8K8TF32,
};

/// What one lane brings to such an instruction and takes from it.
struct Lane {
  std::uint32_t values[6] = {}; ///< operands in the order of the instruction; results from the first on
  float sums[4] = {};           ///< of products
  std::uint32_t address = 0;    ///< in shared memory
  std::uint32_t count = 0;      ///< matrices
};

/// A memory access that is not of a warp.
enum class MemoryOp { load, loadConstant, store };

class Machine {
public:
  virtual std::uint32_t threadIndex() = 0;
  virtual std::uint32_t blockIndex(int dimension) = 0;
  virtual std::uint32_t blockCount(int dimension) = 0;

  /// Moves 1 to 16 bytes between `registers` and memory.
  virtual void accessGlobal(MemoryOp op, void *registers, GlobalPlace place, std::uint32_t bytes,
                            Where where) = 0;
  virtual void accessShared(MemoryOp op, void *registers, std::uint32_t address, std::uint32_t bytes,
                            Where where) = 0;

  virtual void copyAsync(std::uint32_t to, GlobalPlace from, std::uint32_t bytes, std::uint32_t live,
                         Where where) = 0;
  virtual void copyCommit(Where where) = 0;
  virtual void copyWait(std::uint32_t pending, Where where) = 0;

  virtual void warp(WarpInstruction instruction, Lane &lane, Where where) = 0;
  /// `threads` 0: all of the block. Without `wait` it only counts. Yields whether any thread brought
  /// `condition`.
  virtual bool barrier(std::uint32_t id, std::uint32_t threads, bool wait, bool condition, Where where) = 0;
  virtual void fenceProxyAsync(Where where) = 0;

protected:
  ~Machine() = default;
};

/// How a parameter of a kernel is passed.
enum class ParameterKind : std::uint8_t { scalar, input, output };
struct Parameter {
  ParameterKind kind = ParameterKind::scalar;
  std::uint32_t bytes = 0; ///< of a scalar, or of an operand's element
};

/// A kernel compiled for the host.
struct Kernel {
  /// `arguments[i]` points to a scalar or a GlobalPlace.
  void (*run)(Machine &machine, const void *const *arguments) = nullptr;
  const Parameter *parameters = nullptr;
  std::size_t parameterCount = 0;
};

} // namespace linmu::emulation
