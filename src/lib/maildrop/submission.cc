#include "maildrop/submission.h"

#include <fmt/format.h>

#include "base/text.h"
#include "queue/envelope.h"

namespace postrider::maildrop {

namespace {

using queue::RecordType;

namespace attribute = queue::attribute;

/// How much of a refused record a warning shows.
constexpr size_t kShown = 200;

/// Whether the text is a number with no other bits than those of `mask`.
bool is_within(std::string_view text, int64_t mask) {
  auto number = parse_int(text);
  return number && *number >= 0 && (*number & ~mask) == 0;
}

constexpr int kAnyNotify =
    queue::kNotifyNever | queue::kNotifySuccess | queue::kNotifyFailure | queue::kNotifyDelay;

}  // namespace

bool allowed_attribute(std::string_view name, std::string_view value) {
  if (name == attribute::kEncoding) return value.empty() || value == "7bit" || value == "8bit";
  if (name == attribute::kRewriteContext) return value == "local" || value == "remote";
  if (name == attribute::kNotify) return is_within(value, kAnyNotify);
  if (name == attribute::kReturn) return is_within(value, queue::kReturnFull | queue::kReturnHeaders);
  // The other flags belong to address verification: a user must not be able to feed its cache.
  if (name == attribute::kTraceFlags) return is_within(value, kTraceVerifyOnly | kTraceRecord);
  if (name == kSendOptions) return is_within(value, queue::kSmtputf8Requested | queue::kRequireTls);
  return name == attribute::kEnvelopeId || name == attribute::kDsnOriginal;
}

bool SubmissionFilter::allowed(RecordType type) const {
  switch (segment_) {
    case Segment::envelope:
      return type == RecordType::message || type == RecordType::full_name || type == RecordType::sender ||
             type == RecordType::recipient || type == RecordType::verp || type == RecordType::attribute;
    case Segment::content:
      return type == RecordType::text || type == RecordType::text_part || type == RecordType::extracted;
    case Segment::extracted:
      return type == RecordType::recipient || type == RecordType::attribute || type == RecordType::end;
  }
  return false;
}

Result<SubmissionFilter::Verdict> SubmissionFilter::check(RecordType type, std::string_view data) {
  if (!allowed(type)) {
    return fail(ErrorKind::denied, fmt::format("unexpected record type: {}", static_cast<int>(type)));
  }
  switch (type) {
    case RecordType::message:
      segment_ = Segment::content;
      break;
    case RecordType::extracted:
      segment_ = Segment::extracted;
      break;
    case RecordType::sender:
      // Whom a message is from is decided by its first sender record; a second one would only confuse.
      if (sender_) return fail(ErrorKind::denied, "more than one envelope sender");
      sender_ = data;
      break;
    case RecordType::recipient:
      has_recipient_ = true;
      break;
    case RecordType::attribute:
      return check_attribute(data);
    case RecordType::end:
      return Verdict::end;
    default:
      break;
  }
  return Verdict::keep;
}

SubmissionFilter::Verdict SubmissionFilter::check_attribute(std::string_view data) {
  auto parsed = queue::parse_attribute(data);
  if (!parsed) {
    warning_ = fmt::format("ignoring malformed record: {}: {}", parsed.error().text, data.substr(0, kShown));
    return Verdict::drop;
  }
  if (allowed_attribute(parsed->name, parsed->value)) return Verdict::keep;
  warning_ = fmt::format("ignoring attribute record: {}={}", parsed->name.substr(0, kShown),
                         parsed->value.substr(0, kShown));
  return Verdict::drop;
}

}  // namespace postrider::maildrop
