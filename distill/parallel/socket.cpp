#include "distill/parallel/socket.h"
#include "runtime/core/error.h"
#include <cerrno>
#include <fmt/format.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace linmu::distill {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

[[noreturn]] void fail(const std::string &what, int error) {
  throw Error(ErrorCode::io, fmt::format("{}: {}", what, std::generic_category().message(error)));
}

Addresses addressesOf(const std::string &host, std::uint16_t port, int type) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = type;
  addrinfo *found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found))
    throw Error(ErrorCode::io, fmt::format("the address {}: {}", host, ::gai_strerror(error)));
  return {found, &::freeaddrinfo};
}

void option(int descriptor, int level, int name, int value) {
  ::setsockopt(descriptor, level, name, &value, sizeof value);
}

/// False if it would have to wait. Throws Disconnected.
bool moved(ssize_t count, std::size_t &done) {
  if (count > 0) {
    done += std::size_t(count);
    return true;
  }
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    return false;
  throw Disconnected();
}

} // namespace

Socket &Socket::operator=(Socket &&other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Socket::~Socket() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

void Socket::send(std::span<const std::byte> bytes) const { exchange(*this, bytes, *this, {}); }

void Socket::receive(std::span<std::byte> bytes) const { exchange(*this, {}, *this, bytes); }

void Socket::shutdown() const { ::shutdown(descriptor_, SHUT_RDWR); }

void Socket::keepAlive() const {
  option(descriptor_, SOL_SOCKET, SO_KEEPALIVE, 1);
  option(descriptor_, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  option(descriptor_, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  option(descriptor_, IPPROTO_TCP, TCP_KEEPCNT, 4);
  option(descriptor_, IPPROTO_TCP, TCP_USER_TIMEOUT, 30000); // milliseconds, of what is under way
}

void exchange(const Socket &to, std::span<const std::byte> out, const Socket &from, std::span<std::byte> in) {
  std::size_t sent = 0, received = 0;
  while (sent < out.size() || received < in.size()) {
    bool progress = false;
    if (sent < out.size())
      progress |= moved(
          ::send(to.descriptor(), out.data() + sent, out.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL), sent);
    if (received < in.size())
      progress |= moved(::recv(from.descriptor(), in.data() + received, in.size() - received, MSG_DONTWAIT),
                        received);
    if (progress)
      continue;
    pollfd waiting[2] = {{to.descriptor(), short(sent < out.size() ? POLLOUT : 0), 0},
                         {from.descriptor(), short(received < in.size() ? POLLIN : 0), 0}};
    if (sent == out.size())
      waiting[0].fd = -1;
    if (received == in.size())
      waiting[1].fd = -1;
    ::poll(waiting, 2, -1);
  }
}

std::string addressTowards(const std::string &host, std::uint16_t port) {
  const Addresses addresses = addressesOf(host, port, SOCK_DGRAM);
  int error = EADDRNOTAVAIL;
  for (const addrinfo *each = addresses.get(); each; each = each->ai_next) {
    const Socket probe(::socket(each->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage mine{};
    socklen_t size = sizeof mine;
    char text[NI_MAXHOST];
    // Of a datagram socket it only chooses a route.
    if (probe.descriptor() >= 0 && ::connect(probe.descriptor(), each->ai_addr, each->ai_addrlen) == 0 &&
        ::getsockname(probe.descriptor(), reinterpret_cast<sockaddr *>(&mine), &size) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr *>(&mine), size, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0)
      return text;
    error = errno;
  }
  fail("no way to " + host, error);
}

Listener::Listener(const std::string &address) {
  const Addresses found = addressesOf(address, 0, SOCK_STREAM);
  socket_ = Socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage mine{};
  socklen_t size = sizeof mine;
  char text[NI_MAXSERV];
  if (socket_.descriptor() < 0 || ::bind(socket_.descriptor(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket_.descriptor(), SOMAXCONN) != 0 ||
      ::getsockname(socket_.descriptor(), reinterpret_cast<sockaddr *>(&mine), &size) != 0)
    fail("cannot wait for ranks at " + address, errno);
  ::getnameinfo(reinterpret_cast<sockaddr *>(&mine), size, nullptr, 0, text, sizeof text, NI_NUMERICSERV);
  port_ = std::uint16_t(std::stoi(text));
}

Socket Listener::accept(double seconds) const {
  pollfd waiting{socket_.descriptor(), POLLIN, 0};
  if (::poll(&waiting, 1, int(1000 * seconds)) <= 0)
    return Socket();
  Socket connection(::accept4(socket_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
  option(connection.descriptor(), IPPROTO_TCP, TCP_NODELAY, 1);
  return connection;
}

Socket connectTo(const std::string &address, std::uint16_t port) {
  const Addresses found = addressesOf(address, port, SOCK_STREAM);
  Socket connection(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connection.descriptor() < 0 ||
      ::connect(connection.descriptor(), found->ai_addr, found->ai_addrlen) != 0)
    fail(fmt::format("no connection to {}:{}", address, port), errno);
  option(connection.descriptor(), IPPROTO_TCP, TCP_NODELAY, 1);
  return connection;
}

} // namespace linmu::distill
