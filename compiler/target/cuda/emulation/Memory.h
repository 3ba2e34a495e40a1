// A memory whose accesses are checked: an operand, or the shared memory of a block.
#pragma once
#include "compiler/target/cuda/emulation/Shadow.h"
#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace linmu::emulation {

enum class FaultKind { error, notModelled };
struct Fault {
  FaultKind kind = FaultKind::error;
  std::string message;
};

class Memory {
public:
  /// `name` in messages, e.g. "shared memory". Without `written` nothing but reads come, which then need no
  /// shadow.
  Memory(std::string name, std::span<std::byte> bytes, unsigned part, bool initialised, bool written);

  using Checked = std::optional<Fault>;
  /// `offset` in bytes; sizes are 1, 2, 4, 8 or 16 bytes, which it must be aligned to.
  Checked load(const Actor &actor, std::int64_t offset, std::span<std::byte> to);
  Checked store(const Actor &actor, std::int64_t offset, std::span<const std::byte> from);
  /// Whether the actor may see what is there, as a lane that gets it from another lane's address.
  Checked look(const Actor &actor, std::int64_t offset, std::size_t bytes);
  /// Whether all threads of this block that know this may see what is there, through the generic proxy.
  /// Inside only.
  bool isKnown(const Knowledge &knowledge, std::uint32_t block, std::int64_t offset, std::size_t bytes) const;
  /// A copy to here begins: what was there is no number from now on.
  Checked beginCopy(const Actor &actor, std::int64_t offset, std::size_t bytes);
  void landCopy(const Actor &actor, std::int64_t offset, std::span<const std::byte> from);

  bool isWritten() const { return written; }
  const std::string &name() const { return title; }

private:
  Checked inside(const char *doing, std::int64_t offset, std::size_t bytes) const;

  std::string title;
  std::span<std::byte> memory;
  bool written;
  Shadow shadow;
};

/// What fresh memory and the targets of copies hold: bytes that are no number in any format.
inline constexpr std::byte notANumber{0xff};

} // namespace linmu::emulation
