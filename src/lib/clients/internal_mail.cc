#include "clients/internal_mail.h"

#include <sys/time.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time_text.h"
#include "clients/receive_overrides.h"
#include "config/params/instance.h"
#include "config/params/milter.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "log/log.h"
#include "mail/trace_header.h"
#include "queue/envelope.h"

namespace postrider::clients {

namespace params = config::params;
using queue::RecordType;

namespace {

/// Long lines reach the queue in pieces, as those of other messages do (line_length_limit).
constexpr size_t kMaxPiece = 2048;

/// Whether a list of classes names one of `words`; unknown words are told once, at start-up.
bool lists(std::string_view parameter, std::string_view classes,
           std::initializer_list<std::string_view> known, std::initializer_list<std::string_view> words) {
  bool found = false;
  for (std::string_view word : split_any(classes, kListSeparators)) {
    if (std::ranges::find(known, lowercase(word)) == known.end()) {
      throw config::ConfigError(fmt::format("unknown {} value \"{}\" in \"{}\"", parameter, word, classes),
                                {}, "give words of the list in the documentation");
    }
    if (std::ranges::find(words, lowercase(word)) != words.end()) found = true;
  }
  return found;
}

}  // namespace

InternalMailer::InternalMailer(const config::Config& config, std::string_view asker)
    : cleanup_(config, config.get(params::cleanup_service_name), asker),
      hostname_(config.get(params::myhostname)),
      mail_name_(config.get(params::mail_name)) {
  const std::string filtered = config.get(params::internal_mail_filter_classes);
  auto filters = [&](std::string_view word) {
    return lists("internal_mail_filter_classes", filtered, {"bounce", "notify"}, {word});
  };
  filter_bounces_ = filters("bounce");
  filter_notices_ = filters("notify");
  detect_bounces_ = detects_smtputf8(config, "bounce");
  detect_notices_ = detects_smtputf8(config, "notify");
  detect_probes_ = detects_smtputf8(config, "verify");
}

uint32_t InternalMailer::cleanup_flags(const InternalEnvelope& envelope) const {
  uint32_t flags = proto::kCleanupInternal | proto::kCleanupMap;
  bool filter = false, detect = false;
  switch (envelope.mail_class) {
    case InternalMailClass::bounce:
      filter = filter_bounces_;
      detect = detect_bounces_;
      break;
    case InternalMailClass::notify:
      filter = filter_notices_;
      detect = detect_notices_;
      break;
    case InternalMailClass::verify:
      detect = detect_probes_;
      break;
  }
  if (filter) flags |= proto::kCleanupFilter | proto::kCleanupMilter;
  if (detect) flags |= proto::kCleanupAutoUtf8;
  if ((envelope.send_options & queue::kSmtputf8Requested) != 0) flags |= proto::kCleanupSmtpUtf8;
  if ((envelope.send_options & queue::kRequireTls) != 0) flags |= proto::kCleanupRequireTls;
  return flags;
}

Result<InternalMessage> InternalMailer::begin(const InternalEnvelope& envelope, Deadline deadline) {
  InternalMessage message(TRY(cleanup_.begin(cleanup_flags(envelope), deadline)));
  timeval now;
  ::gettimeofday(&now, nullptr);
  message.put(RecordType::arrival_time, fmt::format("{} {}", now.tv_sec, now.tv_usec), deadline);
  auto attribute = [&](std::string_view name, const auto& value) {
    message.put(RecordType::attribute, fmt::format("{}={}", name, value), deadline);
  };
  attribute(queue::attribute::kLogMessageOrigin, "local");
  attribute(queue::attribute::kRewriteContext, "local");
  if (envelope.trace_flags != 0) attribute(queue::attribute::kTraceFlags, envelope.trace_flags);
  message.put(RecordType::sender, envelope.sender, deadline);
  message.put(RecordType::recipient, envelope.recipient, deadline);
  message.put(RecordType::message, "", deadline);
  message.line(mail::local_received_header({.hostname = hostname_,
                                            .mail_name = mail_name_,
                                            .queue_id = message.queue_id(),
                                            .when = now.tv_sec}),
               deadline);
  message.line(fmt::format("Date: {}", mail_date(now.tv_sec)), deadline);
  return message;
}

void InternalMessage::put(RecordType type, std::string_view data, Deadline deadline) {
  if (state_) state_ = submission_.record(type, data, deadline);
}

void InternalMessage::line(std::string_view text, Deadline deadline) {
  for (std::string_view rest : split_each(text, '\n')) {
    while (rest.size() > kMaxPiece) {
      put(RecordType::text_part, rest.substr(0, kMaxPiece), deadline);
      rest.remove_prefix(kMaxPiece);
    }
    put(RecordType::text, rest, deadline);
  }
}

void InternalMessage::line_part(std::string_view text, Deadline deadline) {
  put(RecordType::text_part, text, deadline);
}

Result<void> InternalMessage::finish(Deadline deadline) {
  put(RecordType::extracted, "", deadline);
  put(RecordType::end, "", deadline);
  TRY(std::move(state_));
  proto::CleanupStatus status = TRY(submission_.finish(deadline));
  if (status.problems == 0) return {};
  if (!status.reason.empty()) return fail(ErrorKind::temporary, std::move(status.reason));
  return fail(ErrorKind::temporary, std::string(proto::describe_problem(status.problems)));
}

}  // namespace postrider::clients
