// Who wrote and who read each part of a memory, and whether it has a value.
#pragma once
#include "compiler/target/cuda/emulation/Clocks.h"
#include <cstddef>
#include <string>

namespace linmu::emulation {

/// Who makes an access. Blocks are counted from 1; 0 is what happened before the launch.
struct Actor {
  const Clocks *clocks = nullptr;
  std::uint32_t block = 0;
  std::uint16_t thread = 0;
  Proxy proxy = Proxy::generic;
  int line = 0;
};

class Shadow {
public:
  /// Of `bytes` bytes that are told apart in parts of `part` bytes, a power of two.
  Shadow(std::size_t bytes, unsigned part, bool initialised);

  unsigned partBytes() const { return 1U << shift; }

  /// Check an access and keep it in mind. False for a fault, which fault() describes: a read of what nothing
  /// has written or what a copy has not brought yet, or an access that is not ordered with another one to the
  /// same place, of which one writes. Offsets are inside, and multiples of a part like the sizes.
  bool read(const Actor &actor, std::size_t offset, std::size_t bytes);
  bool write(const Actor &actor, std::size_t offset, std::size_t bytes);
  /// Whether `actor` may read here, without keeping in mind that it did.
  bool mayRead(const Actor &actor, std::size_t offset, std::size_t bytes);

  /// Whether every part has a value, written before all that is known; for threads of `block` that know this.
  bool isKnown(const Knowledge &knowledge, std::uint32_t block, std::size_t offset, std::size_t bytes) const;

  /// From now on a copy of `actor` writes here; nobody may look until it has landed.
  bool beginCopy(const Actor &actor, std::size_t offset, std::size_t bytes);
  /// It has landed: as if `actor` had written now.
  void landCopy(const Actor &actor, std::size_t offset, std::size_t bytes);

  const std::string &fault() const { return message; }

private:
  struct Access {
    std::uint32_t block = 0;
    Clock clock = 0;
    int line = 0;
    std::uint16_t thread = 0;
    Proxy proxy = Proxy::generic;
  };
  struct Part {
    Access writer, reader;  ///< the reader is one of those since the last write; clock 0 for none
    std::int32_t more = -1; ///< in `readers`: the others
    bool initialised = false, copying = false;
  };
  /// Reads of one part that are not ordered with each other.
  struct Readers {
    const Knowledge *prunedFor = nullptr;
    std::vector<Access> list;
    std::vector<std::uint16_t> placeOf; ///< in the list + 1, of each thread
  };

  bool ordered(const Actor &actor, const Access &before) const;
  void keepReader(const Actor &actor, Part &part);
  void keepAmongOthers(const Actor &actor, Part &part, const Access &access);
  bool complain(const Actor &actor, const char *doing, const char *done, const Access &other);
  bool checkValue(const Actor &actor, const Part &part);
  bool checkWrite(const Actor &actor, Part &part);

  unsigned shift;
  std::vector<Part> parts;
  std::vector<Readers> readers;
  std::string message;
};

} // namespace linmu::emulation
