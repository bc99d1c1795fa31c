// The plug-in for redis tables: a small client of our own, with TLS.
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "table/driver.h"
#include "table/redis_protocol.h"

namespace postrider::plugins {
namespace {

using namespace table::driver;
using Clock = std::chrono::steady_clock;

std::string get(const Settings& settings, std::string_view name, std::string_view fallback = {}) {
  auto found = settings.find(name);
  return found == settings.end() ? std::string(fallback) : found->second;
}
bool get_flag(const Settings& settings, std::string_view name, bool fallback) {
  std::string text = get(settings, name, fallback ? "yes" : "no");
  return strcasecmp(text.c_str(), "yes") == 0;
}

std::unexpected<Failure> failure(std::string text) {
  return std::unexpected(Failure{std::move(text)});
}
std::unexpected<Failure> errno_failure(int code) {
  return failure(std::generic_category().message(code));
}
std::unexpected<Failure> tls_failure(const char* what) {
  unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return failure(std::string(what) + (reason != nullptr ? ": " + std::string(reason) : ""));
}

/// A non-blocking socket that is waited for.
class Socket {
 public:
  Socket() = default;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

  Answer<void> connect(int family, const sockaddr* address, socklen_t length, Clock::time_point until) {
    fd_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ < 0) return errno_failure(errno);
    if (::connect(fd_, address, length) == 0) return {};
    if (errno != EINPROGRESS) return errno_failure(errno);
    if (auto ready = wait(POLLOUT, until); !ready) return ready;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno_failure(errno);
    if (error != 0) return errno_failure(error);
    return {};
  }

  Answer<void> wait(short events, Clock::time_point until) const {
    for (;;) {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      if (left <= 0) return failure("timed out");
      pollfd watched{fd_, events, 0};
      int count = poll(&watched, 1, static_cast<int>(left));
      if (count > 0) return {};
      if (count < 0 && errno != EINTR) return errno_failure(errno);
    }
  }

 private:
  int fd_ = -1;
};

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};

class Connection : public RedisConnection {
 public:
  explicit Connection(Timeout timeout) : timeout_(timeout) {}

  Answer<void> open(const Server& server, const Settings& settings) {
    Clock::time_point until = Clock::now() + timeout_;
    auto connected = server.path.empty() ? connect_tcp(server, until) : connect_unix(server.path, until);
    if (!connected) return connected;
    if (get_flag(settings, "tls", false))
      if (auto secured = start_tls(server, settings, until); !secured) return secured;
    return log_in(settings);
  }

  Answer<RedisReply> command(const std::vector<std::string>& words) override {
    Clock::time_point until = Clock::now() + timeout_;
    if (auto sent = send(table::redis_command(words), until); !sent) return std::unexpected(sent.error());
    for (;;) {
      std::string_view rest = input_;
      auto reply = table::parse_redis_reply(rest);
      if (!reply) return std::unexpected(std::move(reply).error());
      if (*reply) {
        input_.erase(0, input_.size() - rest.size());
        return std::move(**reply);
      }
      if (auto received = receive(until); !received) return std::unexpected(received.error());
    }
  }

 private:
  Answer<void> connect_unix(const std::string& path, Clock::time_point until) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return errno_failure(ENAMETOOLONG);
    memcpy(address.sun_path, path.data(), path.size());
    socket_ = std::make_unique<Socket>();
    return socket_->connect(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address, until);
  }

  Answer<void> connect_tcp(const Server& server, Clock::time_point until) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    int code = getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &list);
    if (code != 0) return failure(gai_strerror(code));
    std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
    Answer<void> outcome = failure("no address");
    for (addrinfo* one = list; one != nullptr; one = one->ai_next) {
      socket_ = std::make_unique<Socket>();
      outcome = socket_->connect(one->ai_family, one->ai_addr, one->ai_addrlen, until);
      if (outcome) break;
    }
    return outcome;
  }

  Answer<void> start_tls(const Server& server, const Settings& settings, Clock::time_point until) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (!context_) return tls_failure("no TLS context");
    std::string file = get(settings, "tls_CAfile"), path = get(settings, "tls_CApath");
    bool verify = get_flag(settings, "tls_verify_cert", true);
    int loaded = file.empty() && path.empty()
                     ? SSL_CTX_set_default_verify_paths(context_.get())
                     : SSL_CTX_load_verify_locations(context_.get(), file.empty() ? nullptr : file.c_str(),
                                                     path.empty() ? nullptr : path.c_str());
    if (loaded != 1) return tls_failure("cannot load the certificates of tls_CAfile or tls_CApath");
    SSL_CTX_set_verify(context_.get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    std::string certificate = get(settings, "tls_cert_file"), key = get(settings, "tls_key_file");
    if (!certificate.empty()) {
      if (key.empty()) key = certificate;
      if (SSL_CTX_use_certificate_chain_file(context_.get(), certificate.c_str()) != 1 ||
          SSL_CTX_use_PrivateKey_file(context_.get(), key.c_str(), SSL_FILETYPE_PEM) != 1)
        return tls_failure("cannot load tls_cert_file and tls_key_file");
    }
    tls_.reset(SSL_new(context_.get()));
    SSL_set_fd(tls_.get(), socket_->fd());
    if (verify && !server.host.empty() && !expect_name(server.host)) return tls_failure("bad host name");
    for (;;) {
      int done = SSL_connect(tls_.get());
      if (done == 1) return {};
      if (auto ready = wait_tls(done, "TLS handshake failed", until); !ready) return ready;
    }
  }

  /// The name or address that the certificate must have.
  bool expect_name(std::string host) {
    X509_VERIFY_PARAM* param = SSL_get0_param(tls_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1) return true;
    SSL_set_tlsext_host_name(tls_.get(), host.data());
    return X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size()) == 1;
  }

  Answer<void> wait_tls(int outcome, const char* what, Clock::time_point until) {
    switch (SSL_get_error(tls_.get(), outcome)) {
      case SSL_ERROR_WANT_READ:
        return socket_->wait(POLLIN, until);
      case SSL_ERROR_WANT_WRITE:
        return socket_->wait(POLLOUT, until);
      case SSL_ERROR_ZERO_RETURN:
        return failure("the server has closed the connection");
      default:
        return tls_failure(what);
    }
  }

  Answer<void> log_in(const Settings& settings) {
    std::string user = get(settings, "user"), password = get(settings, "password"),
                database = get(settings, "database", "0");
    if (!password.empty()) {
      std::vector<std::string> words = {"AUTH"};
      if (!user.empty()) words.push_back(user);
      words.push_back(password);
      if (auto done = expect_ok(words); !done) return done;
    }
    if (database != "0") return expect_ok({"SELECT", database});
    return {};
  }

  Answer<void> expect_ok(const std::vector<std::string>& words) {
    auto reply = command(words);
    if (!reply) return std::unexpected(std::move(reply).error());
    if (reply->kind == RedisReply::Kind::error) return failure(reply->text);
    return {};
  }

  Answer<void> send(std::string_view data, Clock::time_point until) {
    while (!data.empty()) {
      ssize_t count;
      if (tls_) {
        count = SSL_write(tls_.get(), data.data(), static_cast<int>(data.size()));
        if (count <= 0) {
          if (auto ready = wait_tls(static_cast<int>(count), "TLS write failed", until); !ready) return ready;
          continue;
        }
      } else {
        count = ::send(socket_->fd(), data.data(), data.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
          if (auto ready = socket_->wait(POLLOUT, until); !ready) return ready;
          continue;
        }
        if (count < 0) return errno_failure(errno);
      }
      data.remove_prefix(static_cast<size_t>(count));
    }
    return {};
  }

  Answer<void> receive(Clock::time_point until) {
    char buffer[4096];
    for (;;) {
      ssize_t count;
      if (tls_) {
        count = SSL_read(tls_.get(), buffer, sizeof buffer);
        if (count <= 0) {
          if (auto ready = wait_tls(static_cast<int>(count), "TLS read failed", until); !ready) return ready;
          continue;
        }
      } else {
        count = ::recv(socket_->fd(), buffer, sizeof buffer, 0);
        if (count == 0) return failure("the server has closed the connection");
        if (count < 0 && errno == EAGAIN) {
          if (auto ready = socket_->wait(POLLIN, until); !ready) return ready;
          continue;
        }
        if (count < 0) return errno_failure(errno);
      }
      input_.append(buffer, static_cast<size_t>(count));
      return {};
    }
  }

  Timeout timeout_;
  std::unique_ptr<Socket> socket_;
  std::unique_ptr<SSL_CTX, FreeTls> context_;
  std::unique_ptr<SSL, FreeTls> tls_;
  std::string input_;
};

class Driver : public RedisDriver {
 public:
  Answer<std::unique_ptr<RedisConnection>> connect(const Server& server, const Settings& settings,
                                                   Timeout timeout) override {
    auto connection = std::make_unique<Connection>(timeout);
    if (auto opened = connection->open(server, settings); !opened) return std::unexpected(opened.error());
    return connection;
  }
};

}  // namespace
}  // namespace postrider::plugins

POSTRIDER_EXPORT_DRIVER(redis, RedisDriver) {
  static postrider::plugins::Driver driver;
  return &driver;
}
