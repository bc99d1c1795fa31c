// Names that are neither alias nor account.
#include <fmt/format.h>

#include "base/text.h"
#include "local/delivery.h"
#include "local/environment.h"
#include "log/log.h"
#include "mail/quote.h"
#include "mailbox/failure.h"

namespace postrider::local {

std::optional<std::string> Delivery::transport_for(const Scope& scope, const table::Maps& maps,
                                                   const std::string& otherwise,
                                                   std::optional<Disposition>& failed) {
  if (!maps.empty()) {
    auto found = maps.find(scope.user, table::Where::all, deadline());
    if (!found) {
      failed = report(scope, "4.3.0", "table lookup failure");
      return std::nullopt;
    }
    if (*found) return std::move((*found)->value);
  }
  if (otherwise.empty()) return std::nullopt;
  return otherwise;
}

/// Nothing when the address is the relay's own, which does not exist either.
Delivery::Attempt Delivery::relay_unknown(Scope scope) {
  ++scope.level;
  scope.unmatched.reset();
  scope.rights = {};
  auto relay = expand_for(settings_.luser_relay, scope, job_.request, settings_, std::nullopt);
  if (!relay) {
    log::warning("{}", relay.error().text);
    return report(scope, mailbox::misconfigured("4.3.5"));
  }
  // One address, whatever it looks like: "|command" and "/file" have no meaning here.
  std::string address = mail::quote_822_local(relay->text);
  auto standard = agent_.rewrite.rewrite("local", address, deadline());
  if (!standard) return report(scope, "4.3.0", "address resolver failure");
  if (equals_ignore_case(mail::unquote_822_local(*standard), scope.recipient.address)) return std::nullopt;
  Frame frame{.kind = Frame::Kind::relay, .scope = std::move(scope)};
  frame.list.push_back({Destination::Kind::address, std::move(*standard)});
  frames_.push_back(std::move(frame));
  return Disposition::finished;
}

Delivery::Disposition Delivery::deliver_unknown(const Scope& scope) {
  std::optional<Disposition> failed;
  auto transport =
      transport_for(scope, agent_.tables.fallback_transports, settings_.fallback_transport, failed);
  if (failed) return *failed;
  if (transport) return pass_on(scope, *transport);
  if (!settings_.luser_relay.empty()) {
    if (Attempt relayed = relay_unknown(scope)) return *relayed;
  }
  // Sites without these aliases would bounce bounces.
  if (scope.user == "mailer-daemon" || scope.user == "postmaster") {
    log::warning("required alias not found: {}", scope.user);
    return report(scope, "2.0.0", "discarded");
  }
  return report(scope, "5.1.1", fmt::format("unknown user: \"{}\"", printable(scope.user)));
}

}  // namespace postrider::local
