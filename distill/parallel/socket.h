// TCP connections between ranks.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace linmu::distill {

/// A connection has ended or broken, whosever fault it is.
struct Disconnected {};

class Socket {
public:
  explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
  Socket(Socket &&other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  Socket &operator=(Socket &&other) noexcept;
  ~Socket();

  int descriptor() const { return descriptor_; }

  /// Waits until all is sent. Throws Disconnected.
  void send(std::span<const std::byte> bytes) const;
  /// Waits until `bytes` are filled. Throws Disconnected.
  void receive(std::span<std::byte> bytes) const;
  /// Both ends learn that nothing more comes; who waits on it is woken.
  void shutdown() const;
  /// A machine that cannot be reached is known after 30 seconds.
  void keepAlive() const;

private:
  int descriptor_;
};

/// Sends to one while it receives from another, so that a ring of those who do makes way. Throws
/// Disconnected.
void exchange(const Socket &to, std::span<const std::byte> out, const Socket &from, std::span<std::byte> in);

/// Of this machine as seen from `host`, "127.0.0.1". Throws Error(io) naming `host` where it has no address.
std::string addressTowards(const std::string &host, std::uint16_t port);

/// Waits for connections at `address`, at a port that is free.
class Listener {
public:
  /// Throws Error(io) naming the address if the operating system refuses.
  explicit Listener(const std::string &address);

  std::uint16_t port() const { return port_; }
  /// An invalid socket (descriptor -1) when nobody has come within `seconds`.
  Socket accept(double seconds) const;

private:
  Socket socket_;
  std::uint16_t port_ = 0;
};

/// Throws Error(io) naming the address and the reason.
Socket connectTo(const std::string &address, std::uint16_t port);

} // namespace linmu::distill
