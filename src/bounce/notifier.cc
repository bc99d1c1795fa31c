#include "bounce/notifier.h"

#include "base/text.h"
#include "log/log.h"
#include "mail/quote.h"
#include "mail/verp.h"
#include "proto/delivery.h"
#include "queue/envelope.h"

namespace postrider::bounce {

using dsn::TemplateKind;
using queue::RecipientStatus;

namespace {

class MessageSink final : public dsn::LineSink {
 public:
  MessageSink(clients::InternalMessage& message, Deadline deadline)
      : message_(message), deadline_(deadline) {}
  void line(std::string_view text) override { message_.line(text, deadline_); }
  void line_part(std::string_view text) override { message_.line_part(text, deadline_); }

 private:
  clients::InternalMessage& message_;
  Deadline deadline_;
};

constexpr std::string_view kSenderFailure = "sender non-delivery notification";
constexpr std::string_view kPostmasterFailure = "postmaster non-delivery notification";
constexpr std::string_view kSenderDelay = "sender delay notification";
constexpr std::string_view kPostmasterDelay = "postmaster delay notification";
constexpr std::string_view kStatus = "sender delivery status notification";

}  // namespace

Notifier::Notifier(const Settings& settings, clients::InternalMailer& mailer,
                   const proto::SendNotice& message, const Entries& entries,
                   const dsn::OriginalMessage& original)
    : settings_(settings), mailer_(mailer), message_(message), entries_(entries), original_(original) {}

bool Notifier::is_double_bounce() const {
  return equals_ignore_case(message_.sender, settings_.double_bounce);
}

bool Notifier::sender_wants_header() const {
  return message_.dsn_ret == queue::kReturnHeaders;
}

Notifier::Order Notifier::postmaster_order(TemplateKind kind, std::string_view recipient,
                                           std::string_view event) const {
  return {.kind = kind,
          .sender = settings_.double_bounce,
          .recipient = recipient,
          .postmaster_copy = true,
          .header_only = true,
          .filter = {},
          .event = event};
}

Result<void> Notifier::failure(Deadline deadline) {
  if (is_double_bounce()) {
    log::warning("{}: undeliverable postmaster notification discarded", message_.queue_id);
    return {};
  }
  if (is_null_sender()) {
    if (!settings_.report_double_bounces && !settings_.copy_bounces) return {};
    Order order =
        postmaster_order(TemplateKind::failure, settings_.double_bounce_recipient, kPostmasterFailure);
    order.header_only = false;  // The last copy of the message that there will be.
    return send(order, entries_, deadline);
  }
  TRY(send({.kind = TemplateKind::failure,
            .sender = {},
            .recipient = message_.sender,
            .header_only = sender_wants_header(),
            .filter = {queue::kNotifyFailure},
            .event = kSenderFailure},
           entries_, deadline));
  if (settings_.copy_bounces) {
    copy(postmaster_order(TemplateKind::failure, settings_.bounce_recipient, kPostmasterFailure), entries_,
         "bouncing to", deadline);
  }
  return {};
}

Result<void> Notifier::verp_failures(Deadline deadline) {
  // A notice suspends, and the log must not be read meanwhile by a callback: one after the other.
  std::vector<RecipientStatus> recipients;
  bool complete = entries_.visit([&](const RecipientStatus& entry) { recipients.push_back(entry); });
  if (!complete && recipients.empty()) return failure(deadline);
  for (RecipientStatus& recipient : recipients) {
    std::string address =
        mail::unquote_822_local(recipient.original.empty() ? recipient.recipient : recipient.original);
    std::string sender = mail::verp_sender(message_.verp_delimiters, message_.sender, address);
    OneEntry entry(std::move(recipient));
    TRY(send({.kind = TemplateKind::failure,
              .sender = {},
              .recipient = sender,
              .header_only = sender_wants_header(),
              .filter = {queue::kNotifyFailure},
              .event = kSenderFailure},
             entry, deadline));
    if (settings_.copy_bounces) {
      copy(postmaster_order(TemplateKind::failure, settings_.bounce_recipient, kPostmasterFailure), entry,
           "bouncing to", deadline);
    }
  }
  return {};
}

Result<void> Notifier::delay(Deadline deadline) {
  if (is_double_bounce()) {
    log::warning("{}: undeliverable postmaster notification discarded", message_.queue_id);
    return {};
  }
  Order copy_order = postmaster_order(TemplateKind::delay, settings_.delay_recipient, kPostmasterDelay);
  if (is_null_sender()) {
    if (!settings_.copy_delays) return {};
    copy_order.header_only = false;
    return send(copy_order, entries_, deadline);
  }
  TRY(send({.kind = TemplateKind::delay,
            .sender = {},
            .recipient = message_.sender,
            .header_only = true,
            .filter = {queue::kNotifyDelay},
            .event = kSenderDelay},
           entries_, deadline));
  if (settings_.copy_delays) copy(copy_order, entries_, "warning", deadline);
  return {};
}

Result<void> Notifier::report(Deadline deadline) {
  if (is_double_bounce()) {
    log::info("{}: not sending trace/success notification for double-bounce message", message_.queue_id);
    return {};
  }
  constexpr uint32_t kTraced = proto::kDeliverVerifyOnly | proto::kDeliverRecordTrace;
  Order order{.kind = (message_.flags & kTraced) != 0 ? TemplateKind::verify : TemplateKind::success,
              .sender = {},
              .recipient = message_.sender,
              .header_only = true,
              .filter = {},
              .event = kStatus};
  if (is_null_sender()) {
    if (!settings_.report_double_bounces) {
      log::info("{}: not sending trace/success notification for single-bounce message", message_.queue_id);
      return {};
    }
    order.sender = settings_.double_bounce;
    order.recipient = settings_.double_bounce_recipient;
  }
  return send(order, entries_, deadline);
}

// --- one notice ---

dsn::Form Notifier::make_form(const Order& order) const {
  dsn::Form form;
  form.source = &settings_.templates.get(order.kind);
  form.to = order.recipient;
  form.postmaster_copy = order.postmaster_copy;
  form.header_only = order.header_only;
  if (order.postmaster_copy) return form;
  auto text = settings_.expander.expand(*form.source);
  if (!text) {
    // A notice in other words is better than none until somebody corrects the file.
    log::error("{}", text.error().text);
    form.source = &dsn::built_in_template(order.kind);
    text = settings_.expander.expand(*form.source);
  }
  if (text) form.text = std::move(*text);
  return form;
}

Result<void> Notifier::send(const Order& order, const Entries& entries, Deadline deadline) {
  size_t count = 0;
  bool complete =
      entries.visit([&](const RecipientStatus& entry) { count += order.filter.accepts(entry) ? 1 : 0; });
  // Mail whose recipients cannot be read any more has failed all the same.
  if (count == 0 && (complete || order.kind != TemplateKind::failure)) return {};
  return queue(
      order,
      [&](const auto& visit) {
        return entries.visit([&](const RecipientStatus& entry) {
          if (order.filter.accepts(entry)) visit(entry);
        });
      },
      deadline);
}

Result<void> Notifier::queue(const Order& order, const dsn::Recipients& recipients, Deadline deadline) {
  dsn::Subject subject{.queue_id = message_.queue_id,
                       .sender = original_.sender().value_or(message_.sender),
                       .envelope_id = message_.dsn_envid,
                       .encoding = message_.encoding,
                       .send_options = message_.sendopts};
  dsn::Form form = make_form(order);
  int64_t options = message_.sendopts;
  if ((options & queue::kRequireTls) != 0 && settings_.redact_required_tls) {
    // Without its content the notice may travel where the message must not (RFC 8689 section 5).
    form.header_only = true;
    options &= ~queue::kRequireTls;
  }
  auto notice = mailer_.begin({.sender = order.sender,
                               .recipient = order.recipient,
                               .mail_class = clients::InternalMailClass::bounce,
                               .send_options = options},
                              deadline);
  if (!notice) {
    log::warning("{}: no notice for {}: {}", message_.queue_id, order.recipient, notice.error().text);
    return std::unexpected(notice.error());
  }
  MessageSink sink(*notice, deadline);
  dsn::write_notice(sink, settings_.appearance, subject, form, recipients, original_);
  const std::string id = notice->queue_id();
  // What is wrong with the notice cleanup has said.
  if (auto queued = notice->finish(deadline); !queued) return queued;
  log::write(log::Severity::info, fmt::format("{}: {}: {}", message_.queue_id, order.event, id), "notice",
             {{"queue_id", message_.queue_id}, {"notice_id", id}, {"to", order.recipient}});
  return {};
}

void Notifier::copy(const Order& order, const Entries& entries, std::string_view doing, Deadline deadline) {
  if (!send(order, entries, deadline)) {
    log::warning("{}: postmaster notice failed while {} {}", message_.queue_id, doing, message_.sender);
  }
}

}  // namespace postrider::bounce
