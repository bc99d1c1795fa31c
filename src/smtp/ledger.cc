#include "smtp/ledger.h"

#include <algorithm>

#include "log/log.h"
#include "mail/dsn_parameters.h"

namespace postrider::smtp_client {

mail::DeliveryStatus local_failure(std::string_view status, std::string reason) {
  mail::DeliveryStatus out;
  out.status = mail::StatusCode::parse(status).value_or(mail::StatusCode("4.3.0"));
  out.reason = std::move(reason);
  return out;
}

mail::DeliveryStatus remote_failure(const smtp::Reply& reply, std::string_view host, std::string reason) {
  mail::DeliveryStatus out;
  auto code = mail::StatusCode::parse(reply.dsn);
  if (code && !code->is_success()) {
    out.status = *code;
    out.reason = std::move(reason);
  } else {
    // "250" where only a refusal or "354" makes sense.
    out.status = "5.5.0";
    out.reason = "Protocol error: " + reason;
  }
  out.mta_type = "dns";
  out.mta_name = host;
  out.diagnostic_type = "smtp";
  out.diagnostic_text = reply.text;
  return out;
}

std::string tls_status(tls::Level configured, tls::Level level, TlsMark mark) {
  std::string name(tls::level_name(configured));
  bool lower = level != configured && !(configured == tls::Level::dane_only && level == tls::Level::dane);
  switch (mark) {
    case TlsMark::open:
      return configured == tls::Level::none ? std::string() : name + "?";
    case TlsMark::violated:
      return "!" + name;
    case TlsMark::plain:
      return name + ":none";
    case TlsMark::satisfied:
      if (!lower) return name;
      return name + (level == tls::Level::half_dane ? ":halfdane" : ":encrypt");
  }
  return {};
}

std::string_view require_status(RequireMark mark) {
  switch (mark) {
    case RequireMark::none:
      return "";
    case RequireMark::open:
      return "/requiretls?";
    case RequireMark::passed_on:
      return "/requiretls";
    case RequireMark::no_verb:
      return "/requiretls:none";
    case RequireMark::no_starttls:
      return "/requiretls:nostarttls";
    case RequireMark::no_match:
      return "/requiretls:nocertmatch";
    case RequireMark::violated:
      return "/!requiretls";
  }
  return "";
}

Ledger::Ledger(delivery::Reporter& reporter, delivery::Job& job, bool soft_bounce)
    : reporter_(reporter), job_(job), soft_bounce_(soft_bounce) {
  entries_.reserve(job.request.recipients.size());
  for (proto::DeliveryRecipient& recipient : job.request.recipients)
    entries_.push_back({&recipient});
}

void Ledger::use_relay(std::string relay, int uses) {
  relay_ = std::move(relay);
  uses_ = uses;
  connected_at_ = 0;
  use_tls_level(tls::Level::none, tls::Level::none);
}

void Ledger::use_tls_level(tls::Level configured, tls::Level level) {
  configured_level_ = configured;
  tls_level_ = level;
  tls_mark_ = TlsMark::open;
  require_mark_ = RequireMark::none;
}

void Ledger::no_relay() {
  use_relay("none", 0);
}

void Ledger::mark_connected() {
  connected_at_ = delivery::now_microseconds();
}

delivery::Attempt Ledger::attempt() const {
  delivery::Attempt out;
  out.relay = relay_;
  out.connected_at = connected_at_;
  out.connection_uses = uses_;
  if (!shows_tls_) return out;
  out.tls = tls_status(configured_level_, tls_level_, tls_mark_);
  if (require_mark_ != RequireMark::none) {
    if (out.tls.empty()) out.tls = tls::level_name(tls::Level::none);
    out.tls += require_status(require_mark_);
  }
  return out;
}

bool Ledger::any_undecided() const {
  return std::ranges::any_of(entries_, [](const Entry& entry) { return entry.mark == Mark::none; });
}

bool Ledger::may_try_another(const mail::DeliveryStatus& why) const {
  return !last_server_ && (why.status.is_temporary() || soft_bounce_);
}

bool Ledger::report_failure(Entry& entry, const mail::DeliveryStatus& why) {
  entry.mark = Mark::final;
  auto how = why.status.is_temporary() ? reporter_.defer(job_.message(), *entry.recipient, why, attempt())
                                       : reporter_.bounce(job_.message(), *entry.recipient, why, attempt());
  bool deferred = how == delivery::Disposition::deferred;
  reply_.deferred = reply_.deferred || deferred;
  return deferred;
}

void Ledger::fail_all(const mail::DeliveryStatus& why, Blame blame) {
  why_ = why;
  if (may_try_another(why)) {
    log::info("{}: {}", job_.request.queue_id, why.reason);
    for (Entry& entry : entries_) {
      if (entry.mark == Mark::none) entry.mark = Mark::kept;
    }
    return;
  }
  // Without a connection, all the time went into the attempts to get one.
  if (connected_at_ == 0) mark_connected();
  bool deferred = false;
  for (Entry& entry : entries_) {
    if (entry.mark == Mark::none) deferred = report_failure(entry, why) || deferred;
  }
  if (blame != Blame::destination || complete_session_ || !deferred || !reply_.site_status.empty()) return;
  reply_.site_status = why.status.text();
  reply_.site_reason = std::string_view(why.reason).substr(0, reply_.site_reason.kMax);
}

void Ledger::fail_one(size_t index, const mail::DeliveryStatus& why) {
  Entry& entry = entries_[index];
  why_ = why;
  if (may_try_another(why)) {
    log::info("{}: {}", job_.request.queue_id, why.reason);
    entry.mark = Mark::kept;
  } else {
    report_failure(entry, why);
  }
}

void Ledger::sent(size_t index, const mail::DeliveryStatus& how, bool success_reported_by_server) {
  Entry& entry = entries_[index];
  entry.mark = Mark::final;
  if (success_reported_by_server) entry.recipient->dsn_notify &= ~mail::Notify::success.bits();
  auto done = reporter_.sent(job_.message(), *entry.recipient, how, attempt());
  if (done == delivery::Disposition::deferred) reply_.deferred = true;
}

void Ledger::settle() {
  std::erase_if(entries_, [](const Entry& entry) { return entry.mark == Mark::final; });
  for (Entry& entry : entries_)
    entry.mark = Mark::none;
  no_relay();
}

void Ledger::drop_all(bool deferred) {
  entries_.clear();
  reply_.deferred = reply_.deferred || deferred;
}

}  // namespace postrider::smtp_client
