// Aliases: lists, their owners, and whose rights they give.
#include <fmt/format.h>

#include "base/text.h"
#include "local/delivery.h"
#include "log/log.h"
#include "mail/dsn_parameters.h"
#include "mail/quote.h"
#include "mailbox/failure.h"

namespace postrider::local {

namespace {

constexpr std::string_view kOwner = "owner-";
constexpr int kMaxAliasLevel = 100;

}  // namespace

Delivery::Attempt Delivery::expand_alias(Scope scope, const std::string& name) {
  if (agent_.tables.aliases.empty()) return std::nullopt;
  ++scope.level;
  // A name in its own list is the user.
  if (equals_ignore_case(scope.expanded, name)) return std::nullopt;
  if (scope.level > kMaxAliasLevel) {
    std::string reason = "alias database loop for " + printable(name);
    log::warning("{}", reason);
    return report(scope, "5.4.6", reason);
  }
  scope.expanded = name;
  for (const auto& table : agent_.tables.aliases.tables()) {
    auto value = table->lookup(name, deadline());
    if (!value) {
      log::warning("{}: lookup of '{}' failed", table->spec(), printable(name));
      return report(scope, "4.3.0", "alias database unavailable");
    }
    if (*value) return expand_found_alias(std::move(scope), name, *table, std::move(**value));
  }
  return std::nullopt;
}

std::optional<Delivery::Disposition> Delivery::take_rights_of_owner(Scope& scope, const table::Table& table) {
  table::Owner owner = table.owner();
  scope.rights = {};
  if (owner.trust == table::Owner::Trust::trusted) return std::nullopt;
  if (owner.trust == table::Owner::Trust::unknown) {
    log::warning("no owner UID for alias database {}", table.spec());
    return report(scope, mailbox::misconfigured("4.3.0"));
  }
  auto account = agent_.accounts.by_uid(owner.uid);
  if (!account || !*account) {
    log::warning("cannot find alias database owner for {}{}", table.spec(),
                 account ? "" : ": " + account.error().text);
    return report(scope, "4.3.0", "cannot find alias database owner");
  }
  scope.rights = Rights::of(**account);
  return std::nullopt;
}

/// The address that mail for the list `name` gets as its sender; nothing when the list has no owner.
Result<std::optional<std::string>> Delivery::list_owner(std::string_view name) {
  if (!settings_.owner_request_special) return std::nullopt;
  std::string owner = std::string(kOwner) + std::string(name);
  auto found = TRY(agent_.tables.aliases.find(owner, table::Where::all, deadline()));
  if (!found) return std::nullopt;
  if (settings_.expand_owner_alias) owner = found->value;
  std::string standard = TRY(agent_.rewrite.rewrite("local", mail::quote_822_local(owner), deadline()));
  return mail::unquote_822_local(standard);
}

Delivery::Attempt Delivery::expand_found_alias(Scope scope, const std::string& name,
                                               const table::Table& table, std::string value) {
  if (is_probe()) return report(scope, "2.0.0", "aliased to " + printable(value));
  Frame frame{.kind = Frame::Kind::alias, .scope = scope, .before = scope, .name = name};
  Scope& inner = frame.scope;
  inner.from = Expansion::alias;
  if (auto failed = take_rights_of_owner(inner, table)) return failed;
  auto owner = list_owner(name);
  if (!owner) return report(scope, "4.3.0", "alias database unavailable");
  if (*owner) {
    // The list sends the mail now: nobody but it need know whom the message was meant for.
    inner.sender = inner.owner = **owner;
    inner.recipient.dsn_orcpt.clear();
    inner.recipient.original.clear();
  } else if (settings_.reset_owner_alias) {
    inner.owner.clear();
  }
  inner.recipient.dsn_notify = without_success(inner.recipient.dsn_notify);
  if (!settings_.frozen_delivered_to) inner.delivered = inner.recipient.address;
  frame.list = parse_destinations(value);
  frames_.push_back(std::move(frame));
  return Disposition::finished;
}

Delivery::Disposition Delivery::finish_alias(const Frame& frame) {
  if (frame.count == 0) {
    log::warning("no recipient in alias lookup result for {}", printable(frame.name));
    return report(frame.before, "4.3.0", "alias database unavailable");
  }
  if ((frame.before.recipient.dsn_notify & mail::Notify::success.bits()) != 0) {
    mail::DeliveryStatus status = mailbox::delivered("alias expanded");
    // A mailing list is the end of the way; an alias is only a station.
    bool list = frame.scope.sender != frame.before.sender;
    status.action = list ? mail::Action::delivered : mail::Action::expanded;
    agent_.reporter.trace(message_ref(), frame.before.recipient, status, attempt());
  }
  return Disposition::finished;
}

}  // namespace postrider::local
