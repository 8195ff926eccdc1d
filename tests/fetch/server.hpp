#pragma once

// A small HTTP/1.1 server for tests: loopback alone, a port of the system's choice, one answer for
// each connection. What it does wrong is up to the test.

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tombola/core/error.hpp"
#include "tombola/io/descriptor.hpp"

namespace tombola::test {

/// What a client asked for.
struct asked {
  std::string target;  ///< `/file`; a whole address where the server is taken for a proxy
  std::string head;    ///< the lines after the first one
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto at = head.find(name + ": ");
    if (at == head.npos) return {};
    const auto from = at + name.size() + 2;
    return head.substr(from, head.find("\r\n", from) - from);
  }
  /// First byte of the range that is asked for; 0 where none is.
  [[nodiscard]] std::size_t from() const {
    const std::string range = header("Range");
    return range.starts_with("bytes=") ? std::strtoul(range.c_str() + 6, nullptr, 10) : 0;
  }
};

/// The other end of a connection.
class peer {
public:
  peer(int fd, const std::atomic<bool>& over) : fd_{fd}, over_{&over} {}

  /// False when the client is gone or the test is over.
  bool send(std::string_view bytes) const {
    while (!bytes.empty() && !*over_) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) continue;  // the client is busy
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return bytes.empty();
  }
  /// Says nothing until the client leaves or the test is over.
  void stall() const {
    char c = 0;
    while (!*over_) {
      pollfd p{fd_, POLLIN, 0};
      if (::poll(&p, 1, 20) > 0 && ::recv(fd_, &c, 1, 0) <= 0) return;
    }
  }

private:
  int fd_;
  const std::atomic<bool>* over_;
};

using answering = std::function<void(const peer&, const asked&)>;

class http_server {
public:
  explicit http_server(answering answer) : answer_{std::move(answer)} {
    listening_ = io::descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    if (!listening_.is_open() || ::bind(listening_.get(), address, size) != 0 ||
        ::listen(listening_.get(), 16) != 0 ||
        ::getsockname(listening_.get(), address, &size) != 0) {
      throw runtime_failure("no server for the test: " + io::system_text(errno));
    }
    port_ = ntohs(at.sin_port);
    thread_ = std::thread{[this] { run(); }};
  }
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;
  ~http_server() {
    over_ = true;
    thread_.join();
    for (std::thread& t : peers_) t.join();
  }

  /// `http://127.0.0.1:PORT` and a path.
  [[nodiscard]] std::string operator/(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/" + path;
  }
  /// Everything that was asked for so far.
  [[nodiscard]] std::vector<asked> log() const {
    const std::lock_guard guard{mutex_};
    return log_;
  }

private:
  void run() {
    while (!over_) {
      pollfd p{listening_.get(), POLLIN, 0};
      if (::poll(&p, 1, 20) <= 0) continue;
      const int fd = ::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) peers_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    const io::descriptor owner{fd};
    // A client that does not read must not keep the test from ending.
    const timeval wait{0, 100'000};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    std::string text;
    char c = 0;
    while (!text.ends_with("\r\n\r\n")) {
      if (::recv(fd, &c, 1, 0) != 1) return;
      text += c;
    }
    const auto line = text.find("\r\n"), first = text.find(' ');
    const asked what{text.substr(first + 1, text.find(' ', first + 1) - first - 1),
                     text.substr(line + 2)};
    {
      const std::lock_guard guard{mutex_};
      log_.push_back(what);
    }
    answer_(peer{fd, over_}, what);
    ::shutdown(fd, SHUT_WR);
    // Closing with bytes unread would reset the connection, and what was sent might not arrive.
    while (!over_ && ::recv(fd, &c, 1, MSG_DONTWAIT) > 0) {
    }
  }

  answering answer_;
  io::descriptor listening_;
  std::uint16_t port_ = 0;
  std::atomic<bool> over_ = false;
  mutable std::mutex mutex_;
  std::vector<asked> log_;
  std::vector<std::thread> peers_;
  std::thread thread_;
};

/// `200 OK` with these headers, each with its line end.
[[nodiscard]] inline std::string head_of(const std::string& status, const std::string& headers) {
  return "HTTP/1.1 " + status + "\r\nConnection: close\r\n" + headers + "\r\n";
}
[[nodiscard]] inline std::string length_of(std::size_t n) {
  return "Content-Length: " + std::to_string(n) + "\r\n";
}

/// A file as a good server has it: with a name for its content, and in ranges.
struct served {
  std::string content;
  std::string etag = "\"one\"";
  std::size_t cut_at = std::string::npos;  ///< bytes of an answer after which the connection ends
  bool ranges = true;

  void answer(const peer& to, const asked& what) const {
    const std::size_t from = what.from();
    const bool part = ranges && from > 0 && what.header("If-Range") == etag;
    const std::string body = content.substr(part ? from : 0);
    const std::string said = (ranges ? "Accept-Ranges: bytes\r\n" : "") +
                             (etag.empty() ? std::string{} : "ETag: " + etag + "\r\n") +
                             length_of(body.size());
    const std::string range = "Content-Range: bytes " + std::to_string(from) + "-" +
                              std::to_string(content.size() - 1) + "/" +
                              std::to_string(content.size()) + "\r\n";
    to.send(part ? head_of("206 Partial Content", range + said) : head_of("200 OK", said));
    to.send(body.substr(0, cut_at));
  }
};

/// A redirect.
[[nodiscard]] inline std::string moved_to(const std::string& location) {
  return head_of("302 Found", "Location: " + location + "\r\n" + length_of(0));
}

/// The environment of a machine without proxies: what the shell of the person who runs the tests
/// says must not lead them away from loopback.
inline void forget_proxies() {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                           "no_proxy", "NO_PROXY"}) {
    ::unsetenv(name);
  }
}

}  // namespace tombola::test
