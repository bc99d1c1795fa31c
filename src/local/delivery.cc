#include "local/delivery.h"

#include <fmt/format.h>

#include "base/casefold.h"
#include "base/text.h"
#include "config/params/services.h"
#include "local/as_user.h"
#include "log/log.h"
#include "mail/address_parts.h"
#include "mail/dsn_parameters.h"
#include "mail/quote.h"
#include "mailbox/failure.h"

namespace postrider::local {

namespace {

/// Lists inside lists; each holds an open file at most.
constexpr size_t kMaxNesting = 250;

}  // namespace

std::string Agent::cleanup_service(const config::Config& config) {
  return config.get(config::params::cleanup_service_name);
}

bool Delivery::verify_only() const {
  return (job_.request.flags & (proto::kDeliverVerifyOnly | proto::kDeliverUpdateVerify)) != 0;
}

unsigned Delivery::without_success(unsigned notify) {
  constexpr unsigned kSuccess = mail::Notify::success.bits();
  return notify == kSuccess ? mail::Notify::never.bits() : notify & ~kSuccess;
}

bool Delivery::is_probe() const {
  return (job_.request.flags & proto::kDeliverUpdateVerify) != 0;
}

bool Delivery::first_time(std::string key) {
  key = casefold(key);
  if (seen_.contains(key)) return false;
  if (settings_.duplicate_filter_limit == 0 || seen_.size() < settings_.duplicate_filter_limit) {
    seen_.insert(std::move(key));
  }
  return true;
}

Delivery::Disposition Delivery::report(const Scope& scope, const mail::DeliveryStatus& status) {
  if (damaged_) return Disposition::deferred;
  return agent_.reporter.report(message_ref(), scope.recipient, status, attempt());
}

Delivery::Disposition Delivery::report(const Scope& scope, mail::StatusCode code, std::string reason) {
  return report(scope, code.is_success() ? mailbox::delivered(std::move(reason))
                                         : mailbox::failed(code, std::move(reason)));
}

mailbox::Message Delivery::message_for(const Scope& scope) {
  return {.file = job_.file.get(),
          .data_offset = job_.request.data_offset,
          .sender = scope.sender,
          .original_recipient = settings_.original_to ? std::string(scope.recipient.original) : std::string(),
          .delivered_to = settings_.frozen_delivered_to ? scope.delivered : scope.recipient.address,
          .damaged = &damaged_};
}

mailbox::Identity Delivery::user_identity(const Rights& rights) const {
  return settings_.rootless ? settings_.self : mailbox::Identity{rights.uid, rights.gid};
}

mailbox::Identity Delivery::identity(const Rights& rights) const {
  return rights.uid == 0 ? settings_.default_privs : user_identity(rights);
}

Delivery::Disposition Delivery::run(const proto::DeliveryRecipient& recipient) {
  Scope scope;
  scope.recipient = recipient;
  scope.recipient.offset = -1;
  scope.sender = job_.request.sender;
  scope.dsn_envid = job_.request.dsn_envid;
  scope.dsn_ret = job_.request.dsn_ret;
  scope.delivered = recipient.address;
  const Scope first = scope;
  Disposition done = deliver(std::move(scope));
  if (work_off() == Disposition::deferred) done = Disposition::deferred;
  if (done == Disposition::finished) done = finish_resubmission(first);
  return done;
}

Delivery::Disposition Delivery::work_off() {
  bool deferred = false;
  while (!frames_.empty()) {
    size_t top = frames_.size() - 1;
    bool& outcome = top > 0 ? frames_[top - 1].deferred : deferred;
    Frame& frame = frames_[top];
    if (frame.next < frame.list.size()) {
      ++frame.count;
      // The frame may move when another one is put on the stack.
      Scope scope = frame.scope;
      Destination destination = std::move(frame.list[frame.next++]);
      if (deliver_to(std::move(scope), destination) == Disposition::deferred) frames_[top].deferred = true;
      continue;
    }
    // All addresses of an alias get their turn; of a file only those up to the line that cannot be done now.
    auto more = frame.deferred ? Result<bool>(false) : next_line(frame);
    if (!more) {
      log::warning("error reading forwarding file: {}", more.error().text);
      (void)report(frame.scope, "4.3.0", "error reading forwarding file: " + more.error().text);
      frame.deferred = true;
    } else if (*more) {
      continue;
    }
    Frame finished = std::move(frame);
    frames_.pop_back();
    if (finished.deferred) {
      outcome = true;
    } else if (finish(std::move(finished)) == Disposition::deferred) {
      (frames_.empty() ? deferred : frames_.back().deferred) = true;
    }
  }
  return deferred ? Disposition::deferred : Disposition::finished;
}

/// The addresses of the next line of a file; false at its end.
Result<bool> Delivery::next_line(Frame& frame) {
  if (!frame.file) return false;
  for (;;) {
    auto line = TRY(frame.file->next());
    if (!line) return false;
    if (line->starts_with('#')) continue;
    frame.list = parse_destinations(std::string_view(*line).substr(0, line->find('\0')));
    frame.next = 0;
    if (!frame.list.empty()) return true;
  }
}

Delivery::Disposition Delivery::finish(Frame frame) {
  switch (frame.kind) {
    case Frame::Kind::alias:
      return finish_alias(frame);
    case Frame::Kind::forward_file:
      return finish_forward_file(std::move(frame));
    case Frame::Kind::include:
    case Frame::Kind::relay:
      break;
  }
  return Disposition::finished;
}

Delivery::Disposition Delivery::finish_resubmission(const Scope& first) {
  for (;;) {
    auto queue_id = resubmission_.finish_one();
    if (!queue_id) {
      if (resubmission_.damaged()) {
        damaged_ = true;
      } else {
        log::warning("{}: forwarding: {}", job_.request.queue_id, queue_id.error().text);
      }
      return report(first, "4.3.0", "unable to forward message");
    }
    if (!*queue_id) return Disposition::finished;
    // Whoever wants to hear of success was told of the expansion.
    Scope told = first;
    told.recipient.dsn_notify = without_success(told.recipient.dsn_notify);
    mail::DeliveryStatus status = mailbox::delivered("forwarded as " + **queue_id);
    status.action = mail::Action::relayed;
    if (report(told, status) == Disposition::deferred) return Disposition::deferred;
  }
}

Delivery::Disposition Delivery::deliver(Scope scope) {
  ++scope.level;
  const std::string& address = scope.recipient.address;
  if (!first_time(fmt::format("recipient {} {}", scope.level, address))) return Disposition::finished;
  if (frames_.size() > kMaxNesting) return report(scope, "5.4.6", "recipient nesting limit exceeded");
  if (loops_.contains(address)) {
    return report_to_owner(scope, mailbox::failed("5.4.6", "mail forwarding loop for " + printable(address)));
  }

  std::string lower = casefold(address);
  scope.local = mail::localpart_of(lower);
  scope.domain = mail::domain_of(lower);
  if (!mail::has_domain(lower)) log::warning("no @ in recipient address: {}", printable(lower));
  scope.user = scope.local;
  scope.extension.reset();
  scope.delimiter.clear();
  mail::DelimiterRules rules{.delimiters = settings_.recipient_delimiter,
                             .owner_request_special = settings_.owner_request_special};
  if (auto divided = mail::split_extension(scope.local, rules)) {
    scope.user = divided->user;
    scope.extension = divided->extension;
    scope.delimiter = scope.local.substr(scope.user.size(), 1);
    // It may become part of a file name.
    if (scope.extension->find('/') != std::string::npos) {
      log::warning("{}: address with illegal extension: {}", job_.request.queue_id, printable(scope.local));
      scope.extension.reset();
      scope.local = scope.user;
    }
  }
  scope.unmatched = scope.extension;
  if (scope.user.empty())
    return report(scope, "5.1.3", fmt::format("null username in \"{}\"", printable(address)));
  return deliver_by_name(std::move(scope));
}

Delivery::Disposition Delivery::deliver_by_name(Scope scope) {
  // \user: neither aliases nor a forward file.
  if (scope.recipient.address.starts_with('\\')) {
    for (std::string* part :
         {static_cast<std::string*>(&scope.recipient.address), &scope.local, &scope.user}) {
      part->erase(0, 1);
    }
    if (Attempt done = deliver_to_mailbox(scope)) return *done;
    return deliver_unknown(scope);
  }

  Scope alias = scope;
  alias.unmatched.reset();
  if (Attempt done = expand_alias(alias, scope.local)) return *done;
  if (scope.extension) {
    if (contains(settings_.propagate, Expansion::alias)) alias.unmatched = scope.extension;
    if (Attempt done = expand_alias(std::move(alias), scope.user)) return *done;
  }

  // What lists with an owner, forward files and included files say goes back into the queue: each recipient
  // then has a record of its own.
  bool anothers = !scope.owner.empty() && !equals_ignore_case(scope.owner, scope.user);
  if (anothers || scope.from == Expansion::include) return send_on(std::move(scope));

  if (settings_.require_home_directory) {
    auto account = agent_.accounts.by_name(scope.user);
    if (account && *account) {
      auto home = stat_as((*account)->home, user_identity(Rights::of(**account)));
      if (!home) {
        return report(scope, "4.3.0",
                      fmt::format("cannot access home directory {}: {}", (*account)->home,
                                  mailbox::errno_text(home.error().code)));
      }
    }
  }
  if (Attempt done = expand_forward_file(scope)) return *done;
  if (Attempt done = deliver_to_mailbox(scope)) return *done;
  return deliver_unknown(scope);
}

Delivery::Disposition Delivery::deliver_to(Scope scope, const Destination& destination) {
  ++scope.level;
  switch (destination.kind) {
    case Destination::Kind::file:
      return deliver_to_file(scope, destination.text);
    case Destination::Kind::home:
      return deliver_to_home_file(scope, destination.text);
    case Destination::Kind::command:
      if (contains(settings_.commands_allowed, scope.from))
        return deliver_to_command(scope, destination.text);
      return report(scope, "5.7.1", "mail to command is restricted");
    case Destination::Kind::include:
      return expand_include(std::move(scope), destination.text);
    case Destination::Kind::address:
      break;
  }
  return deliver_address(std::move(scope), destination.text);
}

Delivery::Disposition Delivery::deliver_address(Scope scope, const std::string& external) {
  ++scope.level;
  auto standard = agent_.rewrite.rewrite("local", external, deadline());
  auto route = standard ? agent_.rewrite.resolve("", mail::unquote_822_local(*standard), deadline())
                        : Result<proto::ResolveReply>(std::unexpected(standard.error()));
  if (!route || (route->flags & proto::kResolveFailed) != 0) {
    if (!route) log::warning("{}: {}", job_.request.queue_id, route.error().text);
    return report(scope, "4.3.0", "address resolver failure");
  }
  if ((route->flags & proto::kResolveInvalid) != 0) {
    return report(scope, "5.1.3", "bad recipient address syntax: " + printable(route->recipient));
  }
  std::string address = route->recipient;
  if (scope.unmatched) {
    size_t at = std::min(address.rfind('@'), address.size());
    address.insert(at, scope.delimiter + *scope.unmatched);
  }
  if (address.size() > ipc::kMaxAddress) return report(scope, "5.1.3", "recipient address is too long");
  scope.recipient.address = std::move(address);
  return route->transport == settings_.service ? deliver(std::move(scope)) : send_on(std::move(scope));
}

Delivery::Disposition Delivery::send_on(Scope scope) {
  if (!first_time("indirect " + scope.recipient.address)) return Disposition::finished;
  if (verify_only()) return report(scope, "2.0.0", "forwards to " + scope.recipient.address);
  auto added = resubmission_.add(scope);
  if (added) return Disposition::finished;
  log::warning("{}: forwarding: {}", job_.request.queue_id, added.error().text);
  return report(scope, "4.3.0", "unable to forward message");
}

Delivery::Disposition Delivery::report_to_owner(const Scope& scope, const mail::DeliveryStatus& status) {
  const std::string& address = scope.recipient.address;
  bool everybody = damaged_ || !settings_.owner_request_special || !status.status.is_permanent();
  if (everybody) return report(scope, status);
  std::string name = casefold(mail::localpart_of(address));
  mail::DelimiterRules rules{.delimiters = settings_.recipient_delimiter};
  if (auto divided = mail::split_extension(name, rules)) name = std::string(divided->user);
  auto owner = list_owner(name);
  if (!owner) return report(scope, "4.3.0", "alias database unavailable");
  if (!*owner) return report(scope, status);
  const proto::DeliverRequest& request = job_.request;
  proto::SendNotice notice;
  notice.queue_name = request.queue_name;
  notice.queue_id = request.queue_id;
  notice.encoding = request.encoding;
  notice.sendopts = request.sendopts;
  notice.sender = **owner;
  // How the sender wanted to be told is no matter of the owner's.
  if (scope.from == Expansion::none) {
    notice.dsn_envid = request.dsn_envid;
    notice.dsn_ret = request.dsn_ret;
  }
  return agent_.reporter.bounce_to(std::move(notice), message_ref(), scope.recipient, status, attempt());
}

}  // namespace postrider::local
