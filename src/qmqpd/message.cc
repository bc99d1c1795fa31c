#include "qmqpd/message.h"

#include <chrono>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/trace_header.h"
#include "mail/verp.h"
#include "proto/cleanup.h"
#include "qmqpd/verp.h"
#include "queue/envelope.h"

namespace postrider::qmqpd {

using queue::RecordType;
namespace names = queue::attribute;

namespace {
constexpr std::string_view kProtocol = "QMQP";
}

Result<Message> Message::begin(const Settings& settings, clients::CleanupClient& cleanup,
                               const clients::RemoteClient& client) {
  auto submission = TRY(cleanup.begin(settings.cleanup_flags, Deadline::after(settings.ipc_timeout)));
  return Message(settings, client, std::move(submission));
}

Message::Message(const Settings& settings, const clients::RemoteClient& client,
                 clients::Submission submission)
    : settings_(&settings), client_(&client), submission_(std::move(submission)) {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  arrival_seconds_ = std::chrono::duration_cast<seconds>(now).count();
  arrival_microseconds_ = std::chrono::duration_cast<std::chrono::microseconds>(now).count() % 1'000'000;
}

void Message::note(const Result<void>& done) {
  if (done || failed_) return;
  log::warning("{}: {}", queue_id(), done.error().text);
  failed_ = true;
}

void Message::put(RecordType type, std::string_view data) {
  if (!failed_) note(submission_.record(type, data, deadline()));
}

void Message::put_attribute(std::string_view name, std::string_view value) {
  put(RecordType::attribute, fmt::format("{}={}", name, value));
}

void Message::content(std::string_view bytes) {
  if (!failed_) note(content_.add(bytes, deadline()));
}

void Message::sender(std::string_view address) {
  auto verp = parse_verp_sender(address);
  if (verp && !mail::are_verp_delimiters(verp->delimiters, settings_->verp_delimiter_filter)) {
    refusal_ = fmt::format("Error: Invalid VERP delimiters: \"{}\". Need two characters from \"{}\"",
                           printable(verp->delimiters), settings_->verp_delimiter_filter);
    return;
  }
  put(RecordType::arrival_time, fmt::format("{} {}", arrival_seconds_, arrival_microseconds_));
  if (!settings_->content_filter.empty()) put(RecordType::filter, settings_->content_filter);
  put(RecordType::sender, verp ? std::string_view(verp->sender) : address);
  if (verp) put(RecordType::verp, verp->delimiters);
  put_client();
}

void Message::put_client() {
  put_attribute(names::kLogClientName, client_->names.name);
  put_attribute(names::kLogClientAddress, client_->address);
  put_attribute(names::kLogClientPort, client_->port);
  put_attribute(names::kLogMessageOrigin, client_->label);
  put_attribute(names::kLogProtocolName, kProtocol);
  put_attribute(names::kClientName, client_->names.name);
  put_attribute(names::kClientAddress, client_->address);
  put_attribute(names::kClientPort, client_->port);
  put_attribute(names::kClientAddressType, fmt::format("{}", client_->family));
  put_attribute(names::kProtocolName, kProtocol);
}

void Message::recipient(std::string_view address) {
  if (!refusal_.empty()) return;
  if (recipients_++ == 0) first_recipient_ = address;
  put(RecordType::recipient, address);
}

std::string Message::received_header() const {
  std::string address = client_->rfc_address();
  mail::ReceivedSession session{.helo_name = {},
                                .client_name = client_->names.name,
                                .client_address = address,
                                .authenticated_sender = {},
                                .with = kProtocol,
                                .qmqp = true};
  mail::ReceivedBy by{.hostname = settings_->myhostname,
                      .mail_name = settings_->mail_name,
                      .queue_id = queue_id(),
                      .when = static_cast<time_t>(arrival_seconds_),
                      .recipient = {}};
  if (recipients_ == 1) by.recipient = first_recipient_;
  return mail::received_header(session, by);
}

void Message::put_line(const queue::ContentRecord& record) {
  queue::HeaderStart::Change change;
  if (!header_start_.done()) change = header_start_.look_at(record);
  if (change.empty_line_before) put(RecordType::text, "");
  if (change.prefix.empty()) return put(record.type, record.text);
  put(record.type, fmt::format("{}{}", change.prefix, record.text));
}

void Message::put_content() {
  const std::string received = received_header();
  for (std::string_view line : split_each(received, '\n'))
    put(RecordType::text, line);
  LineSplitter lines(settings_->line_length_limit,
                     [this](const queue::ContentRecord& record) { put_line(record); });
  while (!failed_) {
    auto piece = content_.next(deadline());
    if (!piece) {
      note(std::unexpected(piece.error()));
    } else if (piece->empty()) {
      break;
    } else {
      lines.add(*piece);
    }
  }
  lines.finish();
}

Message::Outcome Message::finish() {
  if (!refusal_.empty()) return {.letter = 'D', .text = refusal_};
  put(RecordType::message, "");
  put_content();
  put(RecordType::extracted, "");
  put(RecordType::end, "");
  proto::CleanupStatus status;
  if (failed_) {
    status.problems = proto::kProblemWrite;
  } else if (auto done = submission_.finish(deadline())) {
    status = std::move(*done);
  } else {
    note(std::unexpected(done.error()));
    status.problems = proto::kProblemWrite;
  }
  return outcome(status);
}

/// A message may have several faults; the client hears of the most important one.
Message::Outcome Message::outcome(const proto::CleanupStatus& status) const {
  if (status.problems == 0) return {.letter = 'K', .text = fmt::format("Ok: queued as {}", queue_id())};
  auto has = [&](uint32_t problem) { return (status.problems & problem) != 0; };
  auto with_reason = [&](char letter, std::string_view fallback) {
    std::string_view reason = status.reason.empty() ? fallback : std::string_view(status.reason);
    return Outcome{.letter = letter, .text = fmt::format("Error: {}", reason)};
  };
  if (has(proto::kProblemDefer)) return with_reason('Z', "service unavailable");
  if (has(proto::kProblemBad))
    return {.letter = 'Z', .text = fmt::format("Error: internal error {}", status.problems)};
  if (has(proto::kProblemSize)) return {.letter = 'D', .text = "Error: message too large"};
  if (has(proto::kProblemHops)) return {.letter = 'D', .text = "Error: too many hops"};
  if (has(proto::kProblemContent)) return with_reason('D', "message content rejected");
  if (has(proto::kProblemRecipients)) return {.letter = 'D', .text = "Error: no recipients specified"};
  return {.letter = 'Z', .text = "Error: queue file write error"};
}

}  // namespace postrider::qmqpd
