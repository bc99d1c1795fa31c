#include "local/resubmission.h"

#include <ctime>

#include <fmt/format.h>

#include "base/casefold.h"
#include "base/time_text.h"
#include "log/log.h"
#include "mail/quote.h"
#include "queue/content.h"
#include "queue/envelope.h"

namespace postrider::local {

using queue::RecordType;
namespace names = queue::attribute;

Result<clients::Submission*> Resubmission::message_for(const Scope& scope) {
  Key key(scope.delivered, scope.sender);
  if (auto known = messages_.find(key); known != messages_.end()) return &known->second;
  uint32_t flags = proto::kCleanupBounce | proto::kCleanupMap;
  if ((job_.request.sendopts & queue::kSmtputf8Requested) != 0) flags |= proto::kCleanupSmtpUtf8;
  if (settings_.smtputf8_autodetect) flags |= proto::kCleanupAutoUtf8;
  clients::Submission message = TRY(cleanup_.begin(flags, deadline()));
  TRY(begin_envelope(message, scope));
  return &messages_.emplace(std::move(key), std::move(message)).first->second;
}

Result<void> Resubmission::begin_envelope(clients::Submission& message, const Scope& scope) {
  const proto::DeliverRequest& request = job_.request;
  int64_t now = delivery::now_microseconds();
  TRY(message.record(RecordType::arrival_time, fmt::format("{} {}", now / 1'000'000, now % 1'000'000),
                     deadline()));
  TRY(message.record(RecordType::sender, scope.sender, deadline()));
  auto attribute = [&](std::string_view name, std::string_view value) -> Result<void> {
    if (value.empty()) return {};
    return message.record(RecordType::attribute, fmt::format("{}={}", name, value), deadline());
  };
  if (scope.dsn_ret != 0) TRY(attribute(names::kReturn, std::to_string(scope.dsn_ret)));
  TRY(attribute(names::kEnvelopeId, scope.dsn_envid));
  TRY(attribute(names::kLogClientName, request.client_name));
  TRY(attribute(names::kLogClientAddress, request.client_address));
  TRY(attribute(names::kLogProtocolName, request.client_protocol));
  TRY(attribute(names::kLogHeloName, request.client_helo));
  TRY(attribute(names::kSaslMethod, request.sasl_method));
  TRY(attribute(names::kSaslUsername, request.sasl_username));
  TRY(attribute(names::kSaslSender, request.sasl_sender));
  TRY(attribute(names::kLogIdent, request.log_ident));
  return attribute(names::kRewriteContext, request.rewrite_context);
}

Result<void> Resubmission::add(const Scope& scope) {
  clients::Submission& message = *TRY(message_for(scope));
  const proto::DeliveryRecipient& recipient = scope.recipient;
  auto attribute = [&](std::string_view name, std::string_view value) {
    return message.record(RecordType::attribute, fmt::format("{}={}", name, value), deadline());
  };
  if (!recipient.dsn_orcpt.empty()) TRY(attribute(names::kDsnOriginal, recipient.dsn_orcpt));
  if (recipient.dsn_notify != 0) TRY(attribute(names::kNotify, std::to_string(recipient.dsn_notify)));
  if (!recipient.original.empty()) {
    TRY(message.record(RecordType::original_recipient, recipient.original, deadline()));
  }
  return message.record(RecordType::recipient, recipient.address, deadline());
}

Result<void> Resubmission::send_content(clients::Submission& message, const std::string& delivered) {
  TRY(message.record(RecordType::message, "", deadline()));
  auto line = [&](const std::string& text) { return message.record(RecordType::text, text, deadline()); };
  TRY(line(fmt::format("Received: by {} ({})", settings_.myhostname, settings_.mail_name)));
  TRY(line(fmt::format("\tid {}; {}", message.queue_id(), mail_date(time(nullptr)))));
  if (settings_.delivered_header.forward)
    TRY(line("Delivered-To: " + casefold(mail::quote_822_local(delivered))));
  queue::ContentReader reader(*job_.file, queue::SizeRecord{.offset = job_.request.data_offset});
  for (;;) {
    auto next = reader.next();
    if (!next && next.error().kind == ErrorKind::invalid) {
      damaged_ = true;
      log::warning("{}: {}", message.queue_id(), next.error().text);
    }
    auto piece = TRY(std::move(next));
    if (!piece) break;
    TRY(message.record(piece->ends_line ? RecordType::text : RecordType::text_part, piece->text, deadline()));
  }
  TRY(message.record(RecordType::extracted, "", deadline()));
  return message.record(RecordType::end, "", deadline());
}

Result<std::optional<std::string>> Resubmission::finish_one() {
  if (messages_.empty()) return std::nullopt;
  auto message = messages_.extract(messages_.begin());
  clients::Submission& submission = message.mapped();
  std::string queue_id = submission.queue_id();
  TRY(send_content(submission, message.key().first));
  proto::CleanupStatus status = TRY(submission.finish(deadline()));
  if (status.problems != 0) {
    return fail(ErrorKind::temporary, std::string(proto::describe_problem(status.problems)));
  }
  return queue_id;
}

}  // namespace postrider::local
