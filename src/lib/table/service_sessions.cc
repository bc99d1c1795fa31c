#include "table/service_sessions.h"

#include <fmt/format.h>

#include "base/text.h"
#include "io/offload.h"
#include "mail/host_port.h"
#include "sys/name_service.h"

namespace postrider::table {

namespace {

/// What Postfix says where no address could be found: the C library's last word for a socket that was not
/// bound.
constexpr std::string_view kNoAddress = "Cannot assign requested address";

}  // namespace

Result<ServiceAddress> ServiceAddress::tcp(std::string_view text) {
  auto parts = mail::parse_port_with_host(text, "");
  if (!parts) return fail(ErrorKind::invalid, fmt::format("{}: {}", printable(text), parts.error().text));
  ServiceAddress out;
  out.host = parts->host;
  out.port = parts->port;
  out.shown = text;
  return out;
}

Result<ServiceAddress> ServiceAddress::parse(std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size())
    return fail(ErrorKind::invalid, fmt::format("need service transport:endpoint instead of \"{}\"",
                                                printable(text.substr(0, colon))));
  std::string_view transport = text.substr(0, colon), endpoint = text.substr(colon + 1);
  if (transport == "inet") return tcp(endpoint);
  if (transport == "unix") {
    ServiceAddress out;
    out.path = out.shown = endpoint;
    return out;
  }
  return fail(ErrorKind::invalid, fmt::format("invalid transport name: {} in service: {}",
                                              printable(transport), printable(text)));
}

ServiceSessions::ServiceSessions(ServiceAddress address, std::string_view what, Limits limits, LogSink log)
    : address_(std::move(address)), what_(what), limits_(limits), log_(std::move(log)) {}

std::unexpected<Error> ServiceSessions::connect_failed(const std::string& reason) {
  if (log_) log_(Severity::warning, fmt::format("{} {}: {}", what_, address_.shown, reason));
  return fail(ErrorKind::temporary, reason);
}

Result<std::vector<sys::Address>> ServiceSessions::find_addresses(Deadline deadline) {
  if (!address_.path.empty()) return std::vector{TRY(sys::Address::from_path(address_.path))};
  auto port = parse_unsigned(address_.port);
  auto not_found = [&](std::string_view why) {
    if (log_)
      log_(Severity::warning,
           fmt::format("host or service {} not found: {}", printable(address_.shown), why));
    return fail(ErrorKind::temporary, std::string(kNoAddress));
  };
  if (!port && !address_.host.empty()) port = sys::service_port(address_.port);
  if (!port || *port > UINT16_MAX) return not_found("Servname not supported for ai_socktype");
  auto number = static_cast<uint16_t>(*port);
  std::string host = address_.host.empty() ? "localhost" : address_.host;
  if (auto numeric = sys::Address::from_ip(host, number)) return std::vector{*numeric};
  auto found = io::offload([host] { return sys::get_host_addresses(host, AF_UNSPEC); }, deadline);
  if (!found) return std::unexpected(std::move(found).error());
  if (!found->found()) return not_found(found->text);
  for (sys::Address& address : found->addresses)
    address.set_port(number);
  return std::move(found->addresses);
}

Result<ServiceSessions::Session> ServiceSessions::take(bool fresh, Deadline deadline) {
  if (!fresh && !idle_.empty()) {
    Session out{std::move(idle_.back().stream), true};
    idle_.pop_back();
    return out;
  }
  Deadline limit = deadline.or_sooner(Deadline::after(limits_.connect));
  auto addresses = find_addresses(limit);
  if (!addresses) return connect_failed(addresses.error().text);
  std::string reason(kNoAddress);
  for (const sys::Address& address : *addresses) {
    auto stream = io::connect(address, std::nullopt, limit);
    if (stream) return Session{std::move(*stream), false};
    // "connect: Connection refused" or the reason alone.
    reason = stream.error().text;
    if (size_t colon = reason.rfind(": "); colon != std::string::npos) reason.erase(0, colon + 2);
  }
  return connect_failed(reason);
}

void ServiceSessions::give_back(io::Stream stream) {
  idle_.push_back({std::move(stream), Clock::now()});
  if (!timer_) timer_ = std::make_unique<io::Timer>([this] { close_old(); });
  if (!timer_->pending()) timer_->start(limits_.idle);
}

void ServiceSessions::close_old() {
  Clock::time_point limit = Clock::now() - limits_.idle;
  while (!idle_.empty() && idle_.front().since <= limit)
    idle_.erase(idle_.begin());
  if (!idle_.empty()) timer_->start(idle_.front().since + limits_.idle - Clock::now());
}

}  // namespace postrider::table
