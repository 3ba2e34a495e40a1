// A whole file mapped read-only into memory.
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>

namespace linmu {

class MappedFile {
public:
  /// Throws Error(io) naming the path if it is not a regular file that can be read. Never waits: a FIFO is
  /// refused with the reason. The bytes are those of the size that the file has now, should it grow.
  explicit MappedFile(const std::filesystem::path &path);
  ~MappedFile();
  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

  /// Takes the pages that lie whole in `part` of a mapped file out of this process's memory; whoever reads
  /// them again gets them from the file, or from where the system still has them.
  static void leavePages(std::span<const std::byte> part);

private:
  std::span<const std::byte> bytes_;
};

} // namespace linmu
