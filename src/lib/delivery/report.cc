#include "delivery/report.h"

#include <chrono>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time_text.h"
#include "config/params/instance.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "config/params/verify.h"
#include "log/log.h"
#include "mail/dsn_parameters.h"
#include "queue/envelope.h"

namespace postrider::delivery {

namespace params = config::params;

namespace {

proto::AppendStatus append_request(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                                   const mail::DeliveryStatus& status, const Attempt& attempt,
                                   std::string_view action) {
  proto::AppendStatus out;
  out.queue_id = message.queue_id;
  out.recipient = recipient;
  out.status = status.status.text();
  out.action = action;
  out.relay = std::string_view(attempt.relay).substr(0, out.relay.kMax);
  out.reason = std::string_view(status.reason).substr(0, out.reason.kMax);
  out.diagnostic_type = status.diagnostic_type;
  out.diagnostic_text = std::string_view(status.diagnostic_text).substr(0, out.diagnostic_text.kMax);
  out.mta_type = status.mta_type;
  out.mta_name = std::string_view(status.mta_name).substr(0, out.mta_name.kMax);
  return out;
}

/// A failure for good needs a code that says so.
mail::StatusCode permanent(mail::StatusCode code) {
  if (code.is_permanent()) return code;
  log::warning("bounce_append: ignoring dsn code \"{}\"", code.text());
  return "5.0.0";
}

bool wants(const proto::DeliveryRecipient& recipient, mail::Notify what) {
  return (recipient.dsn_notify & what.bits()) != 0;
}

}  // namespace

int64_t now_microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Reporter::Reporter(const config::Config& config, std::string_view asker)
    : services_(config, asker),
      flush_(config, asker),
      verify_(config, asker),
      soft_bounce_(config.get(params::soft_bounce)),
      cache_failed_probes_(config.get(params::address_verify_negative_cache)),
      resolution_(config.get(params::delay_logging_resolution_limit)),
      log_form_(mail::parse_log_form(config.get(params::info_log_address_format))
                    .value_or(mail::LogForm::external)),
      timeout_(config.get(params::ipc_timeout)) {}

void Reporter::log(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                   const mail::DeliveryStatus& status, const Attempt& attempt, std::string_view outcome) {
  int64_t now = now_microseconds();
  const proto::DeliveryTimes& t = message.times;
  int64_t handoff = t.handoff > 0 ? t.handoff : now;
  int64_t connected = attempt.connected_at > 0 ? attempt.connected_at : handoff;
  auto span = [this](int64_t from, int64_t to) { return delay_text(from > 0 ? to - from : 0, resolution_); };
  std::string orig_to;
  if (!recipient.original.empty() && !equals_ignore_case(recipient.original, recipient.address)) {
    orig_to = fmt::format(", orig_to=<{}>", mail::log_address(recipient.original, log_form_));
  }
  std::string uses = attempt.connection_uses > 1 ? fmt::format(", conn_use={}", attempt.connection_uses) : "";
  std::string tls = attempt.tls.empty() ? "" : ", tls=" + attempt.tls;
  std::string delay = span(t.arrival, now);
  log::write(
      log::Severity::info,
      fmt::format("{}: to=<{}>{}, relay={}{}, delay={}, delays={}/{}/{}/{}{}, dsn={}, status={} ({})",
                  message.queue_id, mail::log_address(recipient.address, log_form_), orig_to, attempt.relay,
                  uses, delay, span(t.arrival, t.active), span(t.active, handoff), span(handoff, connected),
                  span(connected, now), tls, status.status.text(), outcome, status.reason),
      "delivery",
      {{"queue_id", message.queue_id},
       {"to", recipient.address},
       {"orig_to", recipient.original},
       {"relay", attempt.relay},
       {"delay", delay},
       {"dsn", status.status.text()},
       {"status", outcome},
       {"reason", status.reason}});
}

bool Reporter::mark_done(const MessageRef& message, const proto::DeliveryRecipient& recipient) {
  if (message.file == nullptr || recipient.offset < 0) return true;
  auto marked = queue::mark_done(*message.file, static_cast<uint64_t>(recipient.offset));
  if (!marked) {
    log::warning("{}: recipient <{}> could not be marked as done, it may be delivered again: {}",
                 message.queue_id, recipient.address, marked.error().text);
  }
  return marked.has_value();
}

Disposition Reporter::probed(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                             const mail::DeliveryStatus& status, const Attempt& attempt) {
  using proto::AddressStatus;
  AddressStatus found = status.status.is_success()     ? AddressStatus::deliverable
                        : status.status.is_permanent() ? AddressStatus::undeliverable
                                                       : AddressStatus::deferred;
  std::string_view outcome = found == AddressStatus::deliverable ? "deliverable" : "undeliverable";
  if (found != AddressStatus::deliverable && !cache_failed_probes_) {
    outcome = "undeliverable-but-not-cached";
  } else {
    // The question was about the address as it was before rewriting; the answer is one about both.
    const std::string& asked = recipient.original.empty() ? recipient.address : recipient.original;
    auto noted = verify_.update(asked, found, status.reason, Deadline::after(timeout_));
    if (noted && asked != recipient.address)
      noted = verify_.update(recipient.address, found, status.reason, Deadline::after(timeout_));
    if (!noted) {
      log::warning("{}: verify service failure: {}", message.queue_id, noted.error().text);
      return Disposition::deferred;
    }
  }
  log(message, recipient, status, attempt, outcome);
  return mark_done(message, recipient) ? Disposition::finished : Disposition::deferred;
}

Disposition Reporter::verify_only(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                                  const mail::DeliveryStatus& status, const Attempt& attempt,
                                  bool deliverable) {
  if ((message.flags & proto::kDeliverUpdateVerify) != 0) return probed(message, recipient, status, attempt);
  proto::AppendStatus request =
      append_request(message, recipient, status, attempt, deliverable ? "deliverable" : "undeliverable");
  auto recorded = services_.append_trace(request, Deadline::after(timeout_));
  log(message, recipient, status, attempt, deliverable ? "deliverable" : "undeliverable");
  if (!recorded || !mark_done(message, recipient)) return Disposition::deferred;
  return Disposition::finished;
}

mail::DeliveryStatus Reporter::filtered(const mail::DeliveryStatus& status) const {
  mail::DeliveryStatus out = status;
  filter_.apply(out, Deadline::after(timeout_));
  return out;
}

Disposition Reporter::sent(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                           const mail::DeliveryStatus& status, const Attempt& attempt) {
  return record_sent(message, recipient, filtered(status), attempt);
}

Disposition Reporter::bounce(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                             const mail::DeliveryStatus& status, const Attempt& attempt) {
  mail::DeliveryStatus failed = status;
  failed.status = permanent(status.status);
  failed = filtered(failed);
  return failed.status.status_class() == '4' ? record_defer(message, recipient, failed, attempt)
                                             : record_bounce(message, recipient, failed, attempt);
}

Disposition Reporter::defer(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                            const mail::DeliveryStatus& status, const Attempt& attempt) {
  mail::DeliveryStatus delayed = status;
  delayed.status = status.status.with_class('4');
  delayed = filtered(delayed);
  return delayed.status.status_class() == '5' ? record_bounce(message, recipient, delayed, attempt)
                                              : record_defer(message, recipient, delayed, attempt);
}

Disposition Reporter::record_sent(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                                  const mail::DeliveryStatus& status, const Attempt& attempt) {
  if ((message.flags & proto::kDeliverVerifyOnly) != 0)
    return verify_only(message, recipient, status, attempt, true);
  bool delay_over = (message.flags & proto::kDeliverDelaySent) != 0 &&
                    (recipient.dsn_notify == 0 || wants(recipient, mail::Notify::delay));
  bool traced_always = (message.flags & proto::kDeliverRecordTrace) != 0;
  if (wants(recipient, mail::Notify::success) || traced_always || delay_over) {
    proto::AppendStatus request =
        append_request(message, recipient, status, attempt, mail::to_text(status.action));
    // The message has been delivered: that its report cannot be recorded must not deliver it again.
    if (auto traced = services_.append_trace(request, Deadline::after(timeout_)); !traced) {
      log::warning("{}: no delivery report for <{}>: {}", message.queue_id, recipient.address,
                   traced.error().text);
    }
  }
  log(message, recipient, status, attempt, "sent");
  return mark_done(message, recipient) ? Disposition::finished : Disposition::deferred;
}

Disposition Reporter::record_bounce(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                                    const mail::DeliveryStatus& status, const Attempt& attempt) {
  const mail::DeliveryStatus& failed = status;
  if ((message.flags & proto::kDeliverVerifyOnly) != 0)
    return verify_only(message, recipient, failed, attempt, false);
  if (soft_bounce_) {
    mail::DeliveryStatus soft = status;
    soft.status = status.status.with_class('4');
    soft.action = mail::Action::delayed;
    proto::AppendStatus request =
        append_request(message, recipient, soft, attempt, mail::to_text(soft.action));
    (void)services_.append_defer(request, Deadline::after(timeout_));
    log(message, recipient, soft, attempt, "SOFTBOUNCE");
    return Disposition::deferred;
  }
  // Also what the sender does not want to hear of: the postmaster may.
  proto::AppendStatus request =
      append_request(message, recipient, failed, attempt, mail::to_text(mail::Action::failed));
  if (auto recorded = services_.append_bounce(request, Deadline::after(timeout_)); !recorded) {
    mail::DeliveryStatus deferred{.status = "4.3.0", .reason = "bounce or trace service failure"};
    return record_defer(message, recipient, deferred, attempt);
  }
  if ((message.flags & proto::kDeliverRecordTrace) != 0) {
    (void)services_.append_trace(request, Deadline::after(timeout_));
  }
  log(message, recipient, failed, attempt, "bounced");
  return mark_done(message, recipient) ? Disposition::finished : Disposition::deferred;
}

void Reporter::trace(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                     const mail::DeliveryStatus& status, const Attempt& attempt) {
  proto::AppendStatus request =
      append_request(message, recipient, status, attempt, mail::to_text(status.action));
  if (auto traced = services_.append_trace(request, Deadline::after(timeout_)); !traced) {
    log::warning("{}: no delivery report for <{}>: {}", message.queue_id, recipient.address,
                 traced.error().text);
  }
}

Disposition Reporter::bounce_to(proto::SendNotice notice, const MessageRef& message,
                                const proto::DeliveryRecipient& recipient, const mail::DeliveryStatus& status,
                                const Attempt& attempt) {
  if (soft_bounce_ || (message.flags & proto::kDeliverVerifyOnly) != 0) {
    return bounce(message, recipient, status, attempt);
  }
  mail::DeliveryStatus failed = status;
  failed.status = status.status.with_class('5');
  proto::BounceOne one;
  one.message = std::move(notice);
  one.outcome = append_request(message, recipient, failed, attempt, mail::to_text(mail::Action::failed));
  if (auto sent = services_.bounce_one(one, Deadline::after(timeout_)); !sent) {
    log::warning("{}: {}", message.queue_id, sent.error().text);
    return defer(message, recipient, {.status = "4.3.0", .reason = "bounce or trace service failure"},
                 attempt);
  }
  log(message, recipient, failed, attempt, "bounced");
  return mark_done(message, recipient) ? Disposition::finished : Disposition::deferred;
}

Disposition Reporter::record_defer(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                                   const mail::DeliveryStatus& status, const Attempt& attempt) {
  const mail::DeliveryStatus& delayed = status;
  if ((message.flags & proto::kDeliverVerifyOnly) != 0)
    return verify_only(message, recipient, delayed, attempt, false);
  proto::AppendStatus request =
      append_request(message, recipient, delayed, attempt, mail::to_text(mail::Action::delayed));
  // The recipient stays in the queue file whether or not the reason can be recorded.
  if (auto recorded = services_.append_defer(request, Deadline::after(timeout_)); !recorded) {
    log::warning("{}: {}", message.queue_id, recorded.error().text);
  }
  if ((message.flags & proto::kDeliverRecordTrace) != 0) {
    (void)services_.append_trace(request, Deadline::after(timeout_));
  }
  note_destination(message, recipient);
  log(message, recipient, delayed, attempt, "deferred");
  return Disposition::deferred;
}

/// For those who ask for one destination's mail (ETRN).
void Reporter::note_destination(const MessageRef& message, const proto::DeliveryRecipient& recipient) {
  std::string_view domain = mail::domain_of(recipient.address);
  if (domain.empty()) return;
  if (flush_.add(domain, message.queue_id, Deadline::after(timeout_)) == proto::FlushResult::failed) {
    log::warning("{}: flush service failure", message.queue_id);
  }
}

Disposition Reporter::report(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                             const mail::DeliveryStatus& status, const Attempt& attempt) {
  switch (status.status.status_class()) {
    case '2':
      return sent(message, recipient, status, attempt);
    case '5':
      return bounce(message, recipient, status, attempt);
    default:
      return defer(message, recipient, status, attempt);
  }
}

}  // namespace postrider::delivery
