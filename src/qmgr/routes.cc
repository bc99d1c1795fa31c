#include "qmgr/routes.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/quote.h"

namespace postrider::qmgr {

namespace {

std::string_view local_part(std::string_view address) {
  return address.substr(0, address.rfind('@'));
}

std::string_view domain_of(std::string_view address) {
  size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

}  // namespace

Router::Router(const Settings& settings, std::string_view asker)
    : settings_(settings), rewrite_(settings.config, asker) {}

Route Router::to_retry(std::string_view address, std::string_view status, std::string_view reason) const {
  return {settings_.retry_service, fmt::format("{} {}", status, reason), std::string(address)};
}

Route Router::to_error(std::string_view address, std::string_view status, std::string_view reason) const {
  return {settings_.error_service, fmt::format("{} {}", status, reason), std::string(address)};
}

Route Router::filtered(const Message& message, std::string_view address) const {
  std::string_view filter = message.envelope.filter;
  size_t colon = filter.find(':');
  Route out{std::string(filter.substr(0, colon)), "", std::string(address)};
  if (colon != std::string_view::npos) out.nexthop = filter.substr(colon + 1);
  if (out.nexthop.empty()) out.nexthop = settings_.default_filter_nexthop;
  if (out.nexthop.empty()) out.nexthop = domain_of(address);
  if (out.nexthop.empty()) out.nexthop = settings_.myhostname;
  return out;
}

std::string Router::standard_form(const std::string& address) {
  auto reply =
      rewrite_.rewrite("local", mail::quote_822_local(address), Deadline::after(settings_.ipc_timeout));
  if (reply) return mail::unquote_822_local(*reply);
  log::warning("{}", reply.error().text);
  return address;
}

bool Router::is_double_bounce(std::string_view address) const {
  return equals_ignore_case(local_part(address), settings_.double_bounce_sender);
}

Route Router::route(const Message& message, std::string_view address) {
  // What a person asks with `sendmail -bv` is about the way of mail that has passed the filter.
  // A redirection counts for more than a filter.
  bool filter = !message.envelope.filter.empty() && message.envelope.redirect.empty() &&
                (message.flags & proto::kDeliverVerifyOnly) == 0;
  if (filter) return undeferred(message, filtered(message, address));
  Deadline deadline = Deadline::after(settings_.ipc_timeout);
  bool probe = (message.flags & proto::kDeliverUpdateVerify) != 0;
  auto reply = probe ? rewrite_.resolve_verify(message.envelope.sender, address, deadline)
                     : rewrite_.resolve(message.envelope.sender, address, deadline);
  if (!reply) {
    log::warning("{}: {}", message.id, reply.error().text);
    return to_retry(address, "4.3.0", "address resolver failure");
  }
  if ((reply->flags & proto::kResolveFailed) != 0)
    return to_retry(address, "4.3.0", "address resolver failure");
  if ((reply->flags & proto::kResolveInvalid) != 0)
    return to_error(reply->recipient, "5.1.3", "bad address syntax");
  Route out{std::move(reply->transport), std::move(reply->nexthop), std::move(reply->recipient)};
  // Mail to the double-bounce address at this system is dropped here, so that a system without local delivery
  // need not know the address.
  out.discard = (reply->flags & proto::kResolveLocal) != 0 && is_double_bounce(out.recipient);
  return undeferred(message, std::move(out));
}

Route Router::undeferred(const Message& message, Route route) const {
  if (message.flush || !settings_.defer_transports.contains(route.transport)) return route;
  return to_retry(route.recipient, "4.3.2", "deferred transport");
}

}  // namespace postrider::qmgr
