#include "cleanup/envelope.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "cleanup/milters.h"
#include "log/log.h"
#include "mail/dsn_parameters.h"
#include "maildrop/submission.h"
#include "queue/envelope.h"

namespace postrider::cleanup {

using queue::RecordType;
namespace names = queue::attribute;

namespace {

bool is_about_recipient(const queue::Record& record) {
  return record.is(RecordType::recipient) || record.is(RecordType::original_recipient) ||
         record.is(RecordType::done) || record.is(RecordType::canceled);
}

/// How much of a bad value a log line shows.
std::string_view shown(std::string_view value) {
  return value.substr(0, 200);
}

constexpr std::string_view kMailerDaemon = "MAILER-DAEMON";

/// Flags that come with access decisions about the message.
constexpr uint32_t kFlagsFromClients = proto::kCleanupHold | proto::kCleanupDiscard;

}  // namespace

// --- recipients ---

/// Takes records that are about recipients. These may come a million at a time, so they are looked for first.
bool Envelope::recipient_record(const queue::Record& record) {
  switch (record.type) {
    case RecordType::recipient:
      recipients_.add(record.data, std::exchange(notes_, {}));
      return true;
    case RecordType::done:
    case RecordType::canceled:
      notes_ = {};
      return true;
    case RecordType::original_recipient:
      if (notes_.original) {
        log::warning("{}: ignoring out-of-order original recipient record <{}>", state_.id(),
                     shown(*notes_.original));
      }
      notes_.original = record.data;
      return true;
    default:
      return false;
  }
}

bool Envelope::recipient_attribute(std::string_view name, std::string_view value) {
  if (name == names::kDsnOriginal) {
    if (notes_.dsn_original) {
      log::warning("{}: ignoring out-of-order DSN original recipient record <{}>", state_.id(),
                   shown(*notes_.dsn_original));
    }
    notes_.dsn_original = value;
    return true;
  }
  if (name != names::kNotify) return false;
  if (notes_.notify != 0) {
    log::warning("{}: ignoring out-of-order DSN notify record <{}>", state_.id(), notes_.notify);
    notes_.notify = 0;
  }
  auto bits = parse_unsigned(value);
  auto notify = bits && *bits != 0 ? mail::Notify::from_bits(static_cast<unsigned>(*bits)) : std::nullopt;
  if (!notify) {
    log::warning("{}: ignoring malformed DSN notify record <{}>", state_.id(), shown(value));
    return true;
  }
  notes_.notify = notify->bits();
  state_.size_flags |= static_cast<int64_t>(notes_.notify) << queue::kNotifyShift;
  return true;
}

/// The recipients begin; what has to stand before them is there.
void Envelope::begin_recipients() {
  if (std::exchange(in_recipients_, true)) return;
  if (!state_.sender) return state_.reject(proto::kProblemBad, "missing sender envelope record");
  if (state_.arrival_seconds == 0) return state_.reject(proto::kProblemBad, "missing time envelope record");
  seconds warn = state_.settings.delay_warning_time;
  if (warn_time_written_ || state_.sender->empty() || warn.count() <= 0) return;
  state_.put(RecordType::warn_time, fmt::format("{:>15}", state_.arrival_seconds + warn.count()));
}

// --- in front of the content ---

void Envelope::record(const queue::Record& record) {
  if (is_about_recipient(record)) begin_recipients();
  if (!state_.writing() || recipient_record(record)) return;
  if (record.is(RecordType::flags)) return take_flags(record.data);
  if (!queue::is_envelope_type(record.type)) {
    return state_.reject(proto::kProblemBad, fmt::format("unexpected record type {} in initial envelope",
                                                         static_cast<int>(record.type)));
  }
  other_record(record);
}

void Envelope::end_of_envelope() {
  begin_recipients();
}

void Envelope::other_record(const queue::Record& record) {
  if (record.is(RecordType::attribute)) return attribute(record);
  // The queue manager cannot stop reading at the last recipient that it wants.
  if (in_recipients_) state_.size_flags |= queue::kMixedRecipients;
  switch (record.type) {
    case RecordType::size:  // Written again when the sizes are known.
    case RecordType::create_time:
      return;
    case RecordType::arrival_time:
      return arrival_time(record);
    case RecordType::full_name:
      if (!state_.full_name.empty()) return;
      state_.full_name = record.data;
      return state_.put(record.type, record.data);
    case RecordType::sender:
      return sender(record.data);
    case RecordType::verp:
      return verp(record);
    case RecordType::warn_time:
      if (std::exchange(warn_time_written_, true)) return;
      return state_.put(record.type, record.data);
    default:
      return state_.put(record.type, record.data);
  }
}

void Envelope::take_flags(std::string_view data) {
  auto flags = parse_unsigned(data);
  if (!flags || (*flags & ~uint64_t{kFlagsFromClients}) != 0) {
    log::warning("{}: ignoring bad extra flags: {}", state_.id(), shown(data));
    return;
  }
  state_.flags |= static_cast<uint32_t>(*flags);
}

void Envelope::arrival_time(const queue::Record& record) {
  if (state_.arrival_seconds == 0) {
    std::string_view rest = trim_left(record.data);
    size_t space = std::min(rest.find(' '), rest.size());
    state_.arrival_seconds = parse_int(rest.substr(0, space)).value_or(state_.writer.created().seconds);
    state_.arrival_microseconds = parse_int(trim(rest.substr(space))).value_or(0);
    state_.put(record.type, record.data);
  }
  state_.put_attribute(names::kCreateTime, std::to_string(state_.writer.created().seconds));
}

void Envelope::sender(std::string_view address) {
  if (state_.sender) return state_.reject(proto::kProblemBad, "multiple envelope sender records");
  std::string final_address = mapper_.standard_form(state_, address);
  // Bounces of other systems may say so in words.
  if (starts_with_ignore_case(final_address, kMailerDaemon) &&
      equals_ignore_case(final_address, mapper_.standard_form(state_, kMailerDaemon))) {
    final_address.clear();
  }
  if (state_.has(proto::kCleanupMap)) {
    final_address = mapper_.map(state_, std::move(final_address), Role::envelope_sender);
  }
  if (!is_all_ascii(final_address)) {
    state_.send_options |= queue::kSmtputf8Sender;
    if (state_.has(proto::kCleanupAutoUtf8)) state_.send_options |= queue::kSmtputf8Requested;
  }
  state_.marks.sender = state_.put_place();
  state_.put(RecordType::sender, final_address);
  state_.marks.after_sender = state_.writer.position();
  state_.sender = std::move(final_address);
  if (state_.milters) state_.milters->sender(*state_.sender);
  recipients_.add_bcc_of_sender();
}

void Envelope::verp(const queue::Record& record) {
  // A message without sender has nobody to return failures to.
  if (!state_.sender || state_.sender->empty()) return;
  state_.verp = record.data;
  state_.put(record.type, record.data);
}

void Envelope::attribute(const queue::Record& record) {
  auto parsed = queue::parse_attribute(record.data);
  if (!parsed) {
    return state_.reject(proto::kProblemBad,
                         fmt::format("malformed attribute: {}: {}", parsed.error().text, shown(record.data)));
  }
  auto [name, value] = *parsed;
  if (recipient_attribute(name, value)) return;
  if (in_recipients_) state_.size_flags |= queue::kMixedRecipients;
  if (name == names::kCreateTime) return;  // Our own counts.
  if (state_.milters) state_.milters->attribute(name, value);
  if (++attributes_ > state_.settings.attribute_limit) {
    return state_.reject(proto::kProblemBad,
                         fmt::format("attribute count exceeds limit {}", state_.settings.attribute_limit));
  }
  if (accept_attribute(name, value)) state_.put(RecordType::attribute, record.data);
}

/// Learns from an attribute; false when it is bad.
bool Envelope::accept_attribute(std::string_view name, std::string_view value) {
  auto bad = [&](std::string_view what) {
    state_.reject(proto::kProblemBad, fmt::format("bad {} record <{}>", what, shown(value)));
    return false;
  };
  if (name == names::kRewriteContext) {
    // Headers of outsiders are left alone, unless the administrator gave a domain to complete them with.
    if (value == "local") {
      state_.header_context = "local";
    } else if (value == "remote") {
      state_.header_context = state_.settings.remote_header_rewrite_domain.empty() ? "" : "remote";
    } else {
      state_.reject(proto::kProblemBad, fmt::format("bad rewriting context: {}", value.substr(0, 100)));
      return false;
    }
  } else if (name == names::kEnvelopeId) {
    if (!std::all_of(value.begin(), value.end(), is_printable)) return bad("DSN envelope ID");
    state_.envelope_id = value;
  } else if (name == names::kReturn) {
    auto flags = parse_unsigned(value);
    if (!flags || *flags == 0 || *flags > 2) return bad("DSN RET");
    state_.return_flags = static_cast<int>(*flags);
  } else if (name == names::kTraceFlags) {
    auto flags = parse_unsigned(value);
    if (!flags) return bad("TRACE flags");
    state_.trace_flags = static_cast<int>(*flags);
  } else if (name == maildrop::kSendOptions) {
    // What the user asked for who submitted the message; the size record tells it to others.
    auto options = parse_unsigned(value);
    if (!options) return bad("send options");
    state_.send_options |= *options & (queue::kSmtputf8Requested | queue::kRequireTls);
    return false;
  } else if (name == names::kEncoding) {
    state_.encoding = value;
  } else if (name == names::kLogMessageOrigin) {
    state_.origin = value;
  } else if (name == names::kLogProtocolName) {
    state_.protocol = value;
  } else if (name == names::kLogHeloName) {
    state_.helo = value;
  }
  return true;
}

// --- behind the content ---

/// What was learned from the content stands before the recipients.
void Envelope::begin_extracted_recipients() {
  if (std::exchange(in_extracted_recipients_, true)) return;
  if (!state_.filter.empty()) state_.put(RecordType::filter, state_.filter);
  if (!state_.redirect.empty()) state_.put(RecordType::redirect, state_.redirect);
  if (!state_.encoding.empty()) state_.put_attribute(names::kEncoding, state_.encoding);
}

void Envelope::extracted(const queue::Record& record) {
  if (!state_.writing()) return;
  if (is_about_recipient(record)) begin_extracted_recipients();
  if (recipient_record(record)) return;
  if (record.is(RecordType::attribute)) {
    auto parsed = queue::parse_attribute(record.data);
    if (parsed && recipient_attribute(parsed->name, parsed->value)) return;
  }
  if (record.is(RecordType::flags)) return take_flags(record.data);
  if (!queue::is_envelope_type(record.type)) {
    return state_.reject(proto::kProblemBad, fmt::format("unexpected record type {} in extracted envelope",
                                                         static_cast<int>(record.type)));
  }
  if (in_extracted_recipients_) state_.size_flags |= queue::kMixedRecipients;
  state_.put(record.type, record.data);
}

void Envelope::finish() {
  begin_extracted_recipients();
  if (state_.has(proto::kCleanupBcc) && !state_.settings.always_bcc.empty())
    recipients_.add_bcc(state_.settings.always_bcc);
  for (const std::string& address : state_.bcc)
    recipients_.add_bcc(address);
}

}  // namespace postrider::cleanup
