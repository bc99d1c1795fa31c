// Connections to lookup services that speak a protocol of their own: tcp, socketmap, memcache, redis.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/stream.h"
#include "table/table.h"

namespace postrider::table {

/// Where such a service is.
struct ServiceAddress {
  std::string host, port;  ///< Of a TCP service.
  std::string path;        ///< Of a UNIX-domain socket.
  std::string shown;       ///< For messages.

  /// "host:port" or "[2001:db8::1]:port"; without a host the text is the port of this machine.
  static Result<ServiceAddress> tcp(std::string_view text);
  /// "inet:host:port" or "unix:/path"; errors are those of Postfix.
  static Result<ServiceAddress> parse(std::string_view text);
};

/// Idle connections to one service. A request takes one, or connects; several requests go on at the same
/// time.
class ServiceSessions {
 public:
  struct Limits {
    seconds connect{100};
    seconds idle{10};  ///< An unused connection is closed after this time.
  };
  /// `what` is how a failure to connect is logged: "connect to" or "connect to TCP map".
  ServiceSessions(ServiceAddress address, std::string_view what, Limits limits, LogSink log);

  /// Talks to the service: `talk(stream)` returns a Result, an error of which closes the connection. One that
  /// was idle may have been closed by the service meanwhile: then once more on a new one. A failure to
  /// connect is logged; `connecting` tells it from others, and the error text is the reason alone.
  template <typename Talk>
  auto exchange(Talk talk, Deadline deadline, bool* connecting = nullptr)
      -> std::invoke_result_t<Talk&, io::Stream&>;

  /// Runs `request` in a fiber, which outside of a service means on an event loop of its own.
  template <typename Call>
  auto in_fiber(Call request) -> std::invoke_result_t<Call&>;

  const ServiceAddress& address() const { return address_; }

 private:
  struct Session {
    io::Stream stream;
    bool reused = false;
  };
  struct Idle {
    io::Stream stream;
    Clock::time_point since;
  };
  /// `fresh`: not one that was idle.
  Result<Session> take(bool fresh, Deadline deadline);
  void give_back(io::Stream stream);
  Result<std::vector<sys::Address>> find_addresses(Deadline deadline);
  std::unexpected<Error> connect_failed(const std::string& reason);
  void close_old();

  ServiceAddress address_;
  std::string what_;
  Limits limits_;
  LogSink log_;
  std::vector<Idle> idle_;  // The oldest first.
  std::unique_ptr<io::Timer> timer_;
};

template <typename Talk>
auto ServiceSessions::exchange(Talk talk, Deadline deadline, bool* connecting)
    -> std::invoke_result_t<Talk&, io::Stream&> {
  for (bool fresh = false;; fresh = true) {
    if (connecting != nullptr) *connecting = true;
    Session session = TRY(take(fresh, deadline));
    if (connecting != nullptr) *connecting = false;
    auto reply = talk(session.stream);
    if (reply) {
      give_back(std::move(session.stream));
      return reply;
    }
    bool maybe_closed = reply.error().kind == ErrorKind::closed || reply.error().kind == ErrorKind::system;
    if (!session.reused || !maybe_closed) return reply;
  }
}

template <typename Call>
auto ServiceSessions::in_fiber(Call request) -> std::invoke_result_t<Call&> {
  if (io::in_fiber()) return request();
  if (io::Loop::exists()) return fail(ErrorKind::temporary, "no lookups before the service has started");
  std::invoke_result_t<Call&> out = fail(ErrorKind::temporary, "");
  io::run_with_loop([&] {
    out = request();
    idle_.clear();
    timer_.reset();
  });
  return out;
}

}  // namespace postrider::table
